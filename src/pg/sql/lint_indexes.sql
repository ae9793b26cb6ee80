-- majors: 13-18
-- Every index of the users. keys are numbers of columns, 0 for an expression.
SELECT x.indrelid::bigint AS oid,
       i.relname AS index_name,
       a.amname AS method,
       x.indexrelid::bigint AS index_oid,
       x.indkey::text AS keys,
       x.indnkeyatts AS key_count,
       x.indisunique AS is_unique,
       x.indisvalid AS is_valid,
       x.indisprimary AS is_primary,
       k.conname AS constraint_name
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_am a ON a.oid = i.relam
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
LEFT JOIN (SELECT conindid, min(conname) AS conname FROM pg_catalog.pg_constraint
           WHERE contype IN ('p', 'u', 'x') GROUP BY conindid) k ON k.conindid = x.indexrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY x.indexrelid
