-- majors: 13-18
-- Whom the server process $1 waits for, also in the queue for the lock. Process 0 is a prepared
-- transaction. What belongs to others is NULL without pg_read_all_stats.
SELECT b.pid,
       a.usename AS "user",
       a.application_name AS application,
       a.state,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))::float8
           AS age_s,
       a.query
FROM (SELECT DISTINCT unnest(pg_blocking_pids($1::int)) AS pid) AS b
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
ORDER BY b.pid
