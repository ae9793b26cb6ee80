-- majors: 13-18
-- Tries for the advisory lock ($1, $2); `backend` is who answered: through a transaction pooler
-- it is not always the same.
SELECT pg_try_advisory_lock($1::int, $2::int) AS taken, pg_backend_pid() AS backend
