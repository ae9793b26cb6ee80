-- majors: 13-18
-- Sessions of this database that have run one statement longer than $1 seconds, or have sat idle in
-- an open transaction longer than $2; longest first. (A session that is merely idle keeps the start
-- of its last statement, which is why the state must be looked at.)
SELECT pid, coalesce(usename, '') AS role_name, coalesce(application_name, '') AS application,
       coalesce(client_addr::text, 'local') AS client, state,
       extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start
                                                   ELSE state_change END)::float8 AS seconds,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_seconds,
       coalesce(wait_event_type || ': ' || wait_event, '') AS waits_for,
       query
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_type = 'client backend'
  AND ((state = 'active' AND clock_timestamp() - query_start > make_interval(secs => $1::float8))
       OR (state LIKE 'idle in transaction%'
           AND clock_timestamp() - state_change > make_interval(secs => $2::float8)))
ORDER BY seconds DESC
