-- majors: 14-18
-- Is $2 still a partition of $1, and is its DETACH CONCURRENTLY half done?
SELECT i.inhdetachpending AS pending
FROM pg_inherits AS i
WHERE i.inhparent = to_regclass($1::text)
  AND i.inhrelid = to_regclass($2::text)
