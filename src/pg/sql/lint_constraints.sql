-- majors: 13-18
-- The constraints of every table of the users; columns by number. That a CHECK says no more than
-- that its column IS NOT NULL is read from the tree: deparsing it would lock the table.
SELECT c.conrelid::bigint AS oid,
       c.conname AS constraint_name,
       c.contype AS kind,
       c.convalidated AS is_valid,
       translate(c.conkey::text, '{},', '   ') AS columns,
       c.confrelid::bigint AS referenced_oid,
       translate(c.confkey::text, '{},', '   ') AS referenced_columns,
       c.contype = 'c' AND cardinality(c.conkey) = 1
           AND c.conbin::text ~ '^{NULLTEST :arg {VAR [^{}]*} :nulltesttype 1 :argisrow false [^{}]*}$'
           AS is_not_null
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.conrelid <> 0 AND c.contype IN ('c', 'f', 'p', 'u', 'x')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid
