-- majors: 13-18
-- The index called $2 in the schema of the table $1 (as SQL would name it); `other_table` when it
-- is not that table's.
SELECT n.nspname AS schema, i.indisvalid AS valid, i.indrelid <> t.oid AS other_table
FROM pg_class AS t
JOIN pg_class AS c ON c.relnamespace = t.relnamespace AND c.relname = $2::text
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE t.oid = to_regclass($1::text)
