-- majors: 13-18
-- INVALID indexes that nobody builds at the moment. An index of a partitioned table is INVALID by
-- design until every partition has its own.
SELECT i.indexrelid::text AS oid, n.nspname AS schema, c.relname AS name, t.relname AS table_name
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND c.relkind = 'i'
  AND n.nspname !~ '^pg_t(oast|emp)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                  WHERE p.datname = current_database() AND p.relid = i.indrelid)
ORDER BY n.nspname, c.relname
