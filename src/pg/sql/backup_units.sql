-- majors: 13-18
-- What a dump copies, biggest first: ordinary tables, and of extensions the configuration tables
-- with the condition that the extension gives. Generated columns have no data. A partition of a
-- table hashed by an enum may belong elsewhere once it is restored, because enum values hash by
-- their OID: its rows are loaded through the root. Where much is stored out of line, width says about
-- how many bytes a row's text takes, without reading what is stored there. Tables of about the same
-- size keep their order from day to day.
WITH configuration AS (
    SELECT u.oid, nullif(u.condition, '') AS condition
    FROM pg_extension AS e,
         unnest(e.extconfig, e.extcondition) AS u (oid, condition)
),
hashed_by_enum AS (
    SELECT p.partrelid
    FROM pg_partitioned_table AS p
    JOIN pg_opclass AS o ON o.oid = ANY (p.partclass)
    JOIN pg_am AS a ON a.oid = o.opcmethod
    WHERE p.partstrat = 'h' AND o.opcname = 'enum_ops' AND a.amname = 'hash'
)
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       format('%I.%I', n.nspname, c.relname) AS source,
       rn.nspname AS root_schema,
       r.relname AS root_name,
       quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS root,
       coalesce(columns.list, '') AS columns,
       configuration.oid IS NOT NULL AS configuration,
       configuration.condition,
       CASE
           WHEN configuration.oid IS NULL
               AND pg_relation_size(nullif(c.reltoastrelid, 0)::regclass) >= 131072
               THEN columns.width
       END AS width,
       c.relfilenode AS file_node,
       coalesce(am.amname = 'heap', false) AS heap,
       size.blocks
FROM pg_class AS c
CROSS JOIN LATERAL (
    SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks
) AS size
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS am ON am.oid = c.relam
LEFT JOIN configuration ON configuration.oid = c.oid
LEFT JOIN pg_class AS r ON c.relispartition AND r.oid = pg_partition_root(c.oid) AND EXISTS (
    SELECT FROM pg_partition_ancestors(c.oid) AS above (oid)
    JOIN hashed_by_enum ON hashed_by_enum.partrelid = above.oid)
LEFT JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS list,
           string_agg(
               format(
                   CASE
                       WHEN t.base IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
                           THEN 'coalesce(octet_length(%I), 0)::bigint'
                       WHEN t.base = 'bytea'::regtype
                           THEN '2 * coalesce(octet_length(%I), 0)::bigint'
                       ELSE '4 * coalesce(pg_column_size(%I), 0)::bigint'
                   END,
                   a.attname),
               ' + ') FILTER (WHERE a.attlen = -1) AS width
    FROM pg_attribute AS a
    CROSS JOIN LATERAL (
        SELECT coalesce(nullif(typbasetype, 0), oid) AS base FROM pg_type WHERE oid = a.atttypid
    ) AS t
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
) AS columns
WHERE c.relkind = 'r'
  AND c.relpersistence <> 't'
  AND (configuration.oid IS NOT NULL
       OR n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname !~ '^pg_(toast|temp)'
          AND NOT EXISTS (
              SELECT FROM pg_depend AS d
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
ORDER BY configuration.oid IS NULL, trunc(log(2, greatest(size.blocks, 1))) DESC, n.nspname, c.relname
