-- majors: 13-18
-- Who holds, or waits for, a lock on a relation of this database that keeps others from reading it
-- ($1 false) or from writing to it ($1 true); and whom those who wait are waiting for. Longest
-- first. Process 0 is a prepared transaction; what belongs to others is NULL without
-- pg_read_all_stats.
WITH locks AS (
    SELECT coalesce(l.pid, 0) AS pid, l.granted, c.oid::regclass::text AS relation
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
    WHERE l.locktype = 'relation'
      AND l.database IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d
                             WHERE d.datname = current_database()))
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
      AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND (l.mode = 'AccessExclusiveLock'
           OR $1::boolean AND l.mode IN ('ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock'))
), processes AS (
    SELECT k.pid, min(k.relation) AS relation, bool_or(k.granted) AS granted
    FROM locks AS k
    GROUP BY k.pid
    UNION ALL
    SELECT w.pid, NULL, true
    FROM (SELECT DISTINCT unnest(pg_blocking_pids(k.pid)) AS pid
          FROM locks AS k
          WHERE NOT k.granted AND k.pid <> 0) AS w
    WHERE w.pid NOT IN (SELECT k.pid FROM locks AS k) AND w.pid <> pg_backend_pid()
)
SELECT p.pid,
       p.relation,
       p.granted,
       a.usename AS "user",
       a.application_name AS application,
       a.state,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))::float8
           AS age_s,
       a.query
FROM processes AS p
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
ORDER BY p.relation IS NULL, p.granted DESC, a.xact_start NULLS FIRST, p.pid
