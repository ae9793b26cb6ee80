-- majors: 13-18
-- Who the connections of this database belong to, most first.
SELECT coalesce(usename, '') AS role_name, coalesce(application_name, '') AS application,
       count(*) AS total, count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'idle') AS idle,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
       coalesce(max(extract(epoch FROM clock_timestamp() - state_change))
                FILTER (WHERE state = 'idle'), 0)::float8 AS longest_idle_seconds
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
GROUP BY 1, 2
ORDER BY total DESC, 1, 2
