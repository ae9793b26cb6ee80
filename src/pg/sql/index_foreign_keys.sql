-- majors: 13-18
-- Each foreign key and the indexes that support it: their first key columns are, in any order, the
-- key's columns; valid; over the whole table or over its rows that are not null. A foreign key that
-- no index supports has one row without an index.
SELECT c.conname AS constraint_name,
       n.nspname AS schema_name,
       t.relname AS table_name,
       c.conrelid::bigint AS table_oid,
       t.reltuples::bigint AS table_rows,
       r.relname AS referenced_table,
       (SELECT string_agg(quote_ident(att.attname), ', ' ORDER BY k.place)
        FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_catalog.pg_attribute att ON att.attrelid = c.conrelid AND att.attnum = k.number)
           AS columns,
       x.indexrelid::bigint AS index_oid
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
LEFT JOIN pg_catalog.pg_index x
       ON x.indrelid = c.conrelid AND x.indisvalid
      AND x.indnkeyatts >= cardinality(c.conkey)
      AND (x.indpred IS NULL
           OR pg_get_expr(x.indpred, x.indrelid) ~ '^\("?[^"() ]+"? IS NOT NULL\)$')
      AND (SELECT array_agg(k ORDER BY k)
           FROM unnest((x.indkey::int2[])[0:cardinality(c.conkey) - 1]) AS k)
          = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) AS k)
      AND EXISTS (SELECT FROM pg_catalog.pg_class i JOIN pg_catalog.pg_am a ON a.oid = i.relam
                  WHERE i.oid = x.indexrelid AND a.amname IN ('btree', 'hash'))
WHERE c.contype = 'f' AND c.conparentid = 0
ORDER BY n.nspname, t.relname, c.conname, x.indnatts, x.indexrelid
