-- majors: 13-18
-- Is there an object of kind $1 called $2? For statements that were interrupted.
SELECT CASE $1::text
           WHEN 'relation' THEN to_regclass($2::text) IS NOT NULL
           WHEN 'database' THEN EXISTS (SELECT FROM pg_database WHERE datname = $2::text)
           WHEN 'tablespace' THEN EXISTS (SELECT FROM pg_tablespace WHERE spcname = $2::text)
           WHEN 'subscription' THEN EXISTS (
               SELECT FROM pg_stat_subscription WHERE subname = $2::text)
           WHEN 'prepared transaction' THEN EXISTS (
               SELECT FROM pg_prepared_xacts WHERE gid = $2::text)
       END AS present
