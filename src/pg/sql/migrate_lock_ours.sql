-- majors: 13-18
-- Is the advisory lock ($1, $2) held by the connection that asks?
SELECT EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory'
      AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
      AND l.classid = $1::int::oid
      AND l.objid = $2::int::oid
      AND l.objsubid = 2
      AND l.granted
      AND l.pid = pg_backend_pid()
) AS ours
