-- majors: 13-18
-- Sessions that wait for a lock, and those they wait for. pg_blocking_pids takes locks of its own and
-- is therefore asked for waiters only; a 0 among its answers is a prepared transaction. The time of
-- waiting is exact from PostgreSQL 14 (waitstart), before that of the statement.
WITH waiting AS MATERIALIZED (
    SELECT pid, pg_blocking_pids(pid) AS blockers
    FROM pg_catalog.pg_stat_activity
    WHERE wait_event_type = 'Lock'
), wanted AS (
    SELECT DISTINCT ON (l.pid) l.pid, l.locktype, l.mode,
           CASE WHEN l.database = (SELECT oid FROM pg_catalog.pg_database
                                   WHERE datname = current_database())
                THEN (SELECT n.nspname FROM pg_catalog.pg_class c
                      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.oid = l.relation) END AS schema_name,
           CASE WHEN l.database = (SELECT oid FROM pg_catalog.pg_database
                                   WHERE datname = current_database())
                THEN (SELECT relname FROM pg_catalog.pg_class WHERE oid = l.relation) END
               AS relation_name,
           (to_jsonb(l) ->> 'waitstart')::timestamptz AS waits_since
    FROM pg_catalog.pg_locks l
    WHERE NOT l.granted
    ORDER BY l.pid, l.locktype
)
SELECT a.pid, coalesce(a.datname, '') AS database_name, coalesce(a.usename, '') AS role_name,
       coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state,
       coalesce(a.query, '') AS query,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
       CASE WHEN w.pid IS NOT NULL
            THEN extract(epoch FROM clock_timestamp() - coalesce(l.waits_since, a.query_start))
            END::float8 AS waiting_seconds,
       l.locktype AS lock_type, l.mode AS lock_mode, l.schema_name, l.relation_name,
       array_to_string(ARRAY(SELECT DISTINCT unnest(w.blockers)), ' ') AS blockers
FROM pg_catalog.pg_stat_activity a
LEFT JOIN waiting w ON w.pid = a.pid
LEFT JOIN wanted l ON l.pid = a.pid
WHERE w.pid IS NOT NULL
   OR a.pid IN (SELECT unnest(blockers) FROM waiting)
ORDER BY a.pid
