-- majors: 13-18
-- Tries for the advisory lock ($1, $2). Who has it may take it again, so what the connection `held`
-- already, from another client of a pooler, is not taken.
WITH before AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.locktype = 'advisory'
          AND l.database = (SELECT d.oid FROM pg_database AS d
                            WHERE d.datname = current_database())
          AND l.classid = $1::int::oid
          AND l.objid = $2::int::oid
          AND l.objsubid = 2
          AND l.granted
          AND l.pid = pg_backend_pid()
    ) AS held
)
SELECT held, CASE WHEN held THEN false ELSE pg_try_advisory_lock($1::int, $2::int) END AS taken
FROM before
