-- majors: 13-18
-- Since when the server has counted: the last reset of this database's statistics, else the server's
-- start (from PostgreSQL 15 counts outlive a restart, so that this is the careful answer).
SELECT s.stats_reset IS NOT NULL AS was_reset,
       coalesce(s.stats_reset, pg_postmaster_start_time())::timestamp(0)::text AS since,
       extract(epoch FROM coalesce(s.stats_reset, pg_postmaster_start_time()))::bigint AS since_unix_s,
       extract(epoch FROM now() - coalesce(s.stats_reset, pg_postmaster_start_time()))::bigint
           AS window_s,
       pg_is_in_recovery() AS is_replica,
       pg_is_in_recovery() OR EXISTS (SELECT FROM pg_catalog.pg_stat_replication) AS has_replicas
FROM pg_catalog.pg_stat_database s
WHERE s.datname = current_database()
