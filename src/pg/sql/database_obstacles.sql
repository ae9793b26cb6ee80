-- majors: 13-18
-- What ties the database $1 to its name and files, so that another cannot take its place.
SELECT 'the logical replication slot ' || s.slot_name AS obstacle
FROM pg_replication_slots AS s
WHERE s.database = $1::text
UNION ALL
SELECT 'the subscription ' || u.subname
FROM pg_subscription AS u
JOIN pg_database AS d ON d.oid = u.subdbid
WHERE d.datname = $1::text
UNION ALL
SELECT 'the prepared transaction ' || x.gid
FROM pg_prepared_xacts AS x
WHERE x.database = $1::text
UNION ALL
SELECT 'it is a template database'
FROM pg_database AS d
WHERE d.datname = $1::text AND d.datistemplate
