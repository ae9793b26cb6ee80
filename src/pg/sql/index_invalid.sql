-- majors: 13-18
-- Indexes that are not valid, those being built at the moment left out. TOAST tables are looked at
-- too: an interrupted REINDEX TABLE CONCURRENTLY leaves some there. Without pg_read_all_stats it is
-- not shown which table another role builds on: then nothing of this database is called invalid.
WITH locked AS (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted
      AND pid IS DISTINCT FROM pg_backend_pid()
)
SELECT x.indexrelid::bigint AS index_oid,
       x.indrelid::bigint AS table_oid,
       n.nspname AS schema_name,
       i.relname AS index_name,
       coalesce(owner.relname, t.relname) AS table_name,
       on_schema.nspname AS table_schema,
       i.relkind = 'I' AS is_partitioned,
       x.indisready AS is_ready,
       x.indisunique AS is_unique,
       (SELECT min(c.conname) FROM pg_catalog.pg_constraint c
        WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AS constraint_name,
       CASE WHEN x.indexrelid IN (SELECT relation FROM locked)
                 OR x.indrelid IN (SELECT relation FROM locked) THEN NULL
            ELSE pg_relation_size(x.indexrelid) END AS size_bytes,
       pg_get_indexdef(x.indexrelid) AS definition
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
LEFT JOIN pg_catalog.pg_class owner ON owner.reltoastrelid = t.oid
JOIN pg_catalog.pg_namespace on_schema ON on_schema.oid = coalesce(owner.relnamespace, t.relnamespace)
WHERE NOT x.indisvalid
  AND n.nspname !~ '^pg_temp'
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_stat_progress_create_index p
      WHERE p.datname = current_database()
        AND (p.relid IS NULL
             OR p.index_relid = x.indexrelid
             OR (p.relid IN (x.indrelid, owner.oid)
                 AND (p.index_relid = 0 OR i.relname ~ '_cc(new|old)[0-9]*$'))))
ORDER BY on_schema.nspname, coalesce(owner.relname, t.relname), i.relname
