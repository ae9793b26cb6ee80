-- majors: 13-18
-- Connections of clients to this database by state, the asking one left out. Of other roles' sessions
-- the state is not shown to a role without pg_read_all_stats: it is counted as unknown.
SELECT count(*) AS total,
       count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'idle') AS idle,
       count(*) FILTER (WHERE state = 'idle in transaction') AS idle_in_transaction,
       count(*) FILTER (WHERE state = 'idle in transaction (aborted)') AS idle_in_failed_transaction,
       count(*) FILTER (WHERE state IS NULL
                           OR state NOT IN ('active', 'idle', 'idle in transaction',
                                            'idle in transaction (aborted)')) AS unknown,
       count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting_for_locks,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
          AND pid <> pg_backend_pid()) AS server_total,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
