-- majors: 13-18
-- The indexes of the table named $1 (as SQL would name it), for telling what an interrupted build
-- left behind. $1 NULL: every invalid index of the database that is not a TOAST table's.
SELECT i.indexrelid::text AS oid, c.relname AS name, n.nspname AS schema, i.indisvalid AS valid
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE CASE WHEN $1::text IS NULL THEN NOT i.indisvalid AND n.nspname <> 'pg_toast'
           ELSE i.indrelid = to_regclass($1::text) END
ORDER BY i.indexrelid
