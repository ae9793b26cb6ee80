-- majors: 13-18
-- Every index of the database that is a user's, with all that decides what may be said about it.
-- The size is NULL while another session holds the index's table or the index exclusively: asking
-- would wait. last_idx_scan came with PostgreSQL 16, hence the way by jsonb.
WITH locked AS (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted
      AND pid IS DISTINCT FROM pg_backend_pid()
)
SELECT x.indexrelid::bigint AS index_oid,
       x.indrelid::bigint AS table_oid,
       n.nspname AS schema_name,
       t.relname AS table_name,
       i.relname AS index_name,
       a.amname AS method,
       pg_get_indexdef(x.indexrelid) AS definition,
       x.indnkeyatts AS key_columns,
       x.indnatts AS all_columns,
       x.indpred IS NOT NULL AS is_partial,
       x.indexprs IS NOT NULL AS has_expression,
       x.indisunique AS is_unique,
       x.indisprimary AS is_primary,
       x.indisexclusion AS is_exclusion,
       x.indisvalid AS is_valid,
       x.indisclustered AS is_clustered,
       x.indisreplident OR (x.indisprimary AND t.relreplident = 'd') AS is_replica_identity,
       i.relkind = 'I' AS is_partitioned,
       EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.indexrelid) AS is_attached,
       (SELECT min(c.conname) FROM pg_catalog.pg_constraint c
        WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AS constraint_name,
       (SELECT min(c.conrelid::regclass::text) FROM pg_catalog.pg_constraint c
        WHERE c.conindid = x.indexrelid AND c.contype = 'f') AS referenced_by,
       x.indexprs IS NOT NULL
           AND (NOT has_table_privilege(x.indrelid, 'SELECT')
                OR EXISTS (SELECT FROM pg_catalog.pg_stats s
                           WHERE s.schemaname = n.nspname AND s.tablename = i.relname))
           AS has_statistics,
       CASE WHEN x.indexrelid IN (SELECT relation FROM locked)
                 OR x.indrelid IN (SELECT relation FROM locked) THEN NULL
            ELSE pg_relation_size(x.indexrelid) END AS size_bytes,
       coalesce(u.idx_scan, 0) AS scans,
       coalesce(u.idx_tup_read, 0) AS entries_read,
       coalesce(u.idx_tup_fetch, 0) AS rows_fetched,
       (to_jsonb(u) ->> 'last_idx_scan')::timestamptz::timestamp(0)::text AS last_scan,
       t.reltuples::bigint AS table_rows
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_am a ON a.oid = i.relam
LEFT JOIN pg_catalog.pg_stat_user_indexes u ON u.indexrelid = x.indexrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY n.nspname, t.relname, i.relname
