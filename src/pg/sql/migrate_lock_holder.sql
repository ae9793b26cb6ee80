-- majors: 13-18
-- Who holds the advisory lock ($1, $2) of this database.
SELECT l.pid,
       a.usename AS "user",
       coalesce(host(a.client_addr), 'this machine') AS host,
       a.state,
       extract(epoch FROM now() - a.backend_start)::bigint AS age_s,
       left(regexp_replace(a.query, '\s+', ' ', 'g'), 120) AS query
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
  AND l.classid = $1::int::oid
  AND l.objid = $2::int::oid
  AND l.objsubid = 2
  AND l.granted
LIMIT 1
