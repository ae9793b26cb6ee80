-- majors: 13-18
-- The largest tables, at most $1, with their parts. A partitioned table has no storage: its
-- partitions are listed. Sizes are NULL while another session holds the table exclusively: asking
-- would wait.
WITH locked AS (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted
      AND pid IS DISTINCT FROM pg_backend_pid()
)
SELECT n.nspname AS schema_name, c.relname AS table_name,
       CASE WHEN NOT is_locked THEN pg_total_relation_size(c.oid) END AS total_bytes,
       CASE WHEN NOT is_locked THEN pg_table_size(c.oid) END AS table_bytes,
       CASE WHEN NOT is_locked THEN pg_indexes_size(c.oid) END AS index_bytes,
       c.reltuples::bigint AS estimated_rows,
       coalesce(s.n_live_tup, 0) AS live_rows, coalesce(s.n_dead_tup, 0) AS dead_rows,
       coalesce(s.n_mod_since_analyze, 0) AS changed_rows,
       coalesce(s.seq_scan, 0) AS seq_scans, coalesce(s.seq_tup_read, 0) AS seq_rows_read,
       coalesce(s.idx_scan, 0) AS index_scans,
       greatest(s.last_analyze, s.last_autoanalyze)::timestamp(0)::text AS last_analyze,
       greatest(s.last_vacuum, s.last_autovacuum)::timestamp(0)::text AS last_vacuum
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid,
LATERAL (SELECT c.oid IN (SELECT relation FROM locked) AS is_locked) AS l
WHERE c.relkind IN ('r', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY total_bytes DESC NULLS LAST, n.nspname, c.relname
LIMIT $1::bigint
