-- majors: 13-18
-- The definitions of all indexes of the table that the index $1 is on. Nothing is asked of them in
-- WHERE: that would be looked at before the join, and lock every table.
SELECT s.indexrelid::text AS oid, pg_get_indexdef(s.indexrelid) AS definition
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_index s ON s.indrelid = x.indrelid
WHERE x.indexrelid = $1::oid
