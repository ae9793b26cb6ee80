-- majors: 13-18
-- Date and time columns of large tables whose rows lie in their order (correlation of at least 0.9),
-- where rows are added and hardly ever changed, and that no BRIN index covers. $1: fewest rows.
SELECT n.nspname AS schema_name, c.relname AS table_name,
       min(a.attname) AS column_name
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_stats s
  ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
JOIN pg_catalog.pg_stat_user_tables u ON u.relid = c.oid
WHERE c.relkind = 'r' AND c.reltuples >= $1::float8
  AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
  AND abs(s.correlation) >= 0.9
  AND s.n_distinct NOT BETWEEN 0 AND 10
  AND u.n_tup_upd + u.n_tup_del <= 0.05 * greatest(u.n_tup_ins, c.reltuples)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x
                  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
                  JOIN pg_catalog.pg_am m ON m.oid = i.relam
                  WHERE x.indrelid = c.oid AND m.amname = 'brin')
GROUP BY n.nspname, c.relname, c.oid, c.reltuples
ORDER BY c.reltuples DESC
