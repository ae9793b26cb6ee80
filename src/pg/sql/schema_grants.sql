-- majors: 13-18
-- Owners and privileges, default privileges too; $1 are left out. Where nothing was granted, what
-- the owner and PUBLIC have by default stands.
SELECT 'grant' AS kind, o.name, o.part_of,
       concat_ws(' ', 'OWNER ' || quote_ident(pg_get_userbyid(o.owner)), 'PRIVILEGES',
                 (SELECT string_agg(a::text, ', ' ORDER BY a::text COLLATE "C")
                  FROM unnest(o.acl) AS a)) AS definition
FROM (
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
                          WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
               || c.oid::regclass AS name,
           c.oid::regclass::text AS part_of, c.tableoid AS class, c.oid, c.relnamespace AS schema,
           c.relowner AS owner,
           coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char"
                                                        ELSE 'r'::"char" END, c.relowner)) AS acl
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.oid <> ALL ($1::oid[])
    UNION ALL
    SELECT format('column %s.%I', a.attrelid::regclass, a.attname), a.attrelid::regclass::text,
           c.tableoid, c.oid, c.relnamespace, NULL, a.attacl
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.oid <> ALL ($1::oid[])
    UNION ALL
    SELECT 'routine ' || p.oid::regprocedure, NULL, p.tableoid, p.oid, p.pronamespace, p.proowner,
           coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc AS p
    WHERE p.oid >= 16384
    UNION ALL
    SELECT 'type ' || t.oid::regtype, NULL, t.tableoid, t.oid, t.typnamespace, t.typowner,
           coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type AS t
    LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE t.oid >= 16384 AND coalesce(c.relkind, 'c') = 'c' AND t.typtype <> 'm'
      AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
    UNION ALL
    SELECT 'schema ' || quote_ident(n.nspname), NULL, n.tableoid, n.oid, n.oid, n.nspowner,
           coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace AS n
    UNION ALL
    SELECT format('defaults of %I for %s%s', pg_get_userbyid(d.defaclrole),
                  CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                                       WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
                                       WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
                  coalesce(' in schema ' || nullif(d.defaclnamespace, 0)::regnamespace, '')),
           NULL, d.tableoid, d.oid, nullif(d.defaclnamespace, 0), NULL, d.defaclacl
    FROM pg_default_acl AS d
) AS o
LEFT JOIN pg_namespace AS n ON n.oid = o.schema
WHERE (n.nspname IS NULL OR n.nspname NOT IN ('pg_catalog', 'information_schema')
                            AND n.nspname !~ '^pg_(toast|temp)')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = o.class AND d.objid = o.oid AND d.objsubid = 0
                    AND d.deptype = 'e')
