-- majors: 13-18
-- The constraints of every table of the users; columns by number.
SELECT c.conrelid::bigint AS oid,
       c.conname AS constraint_name,
       c.contype AS kind,
       c.convalidated AS is_valid,
       translate(c.conkey::text, '{},', '   ') AS columns,
       c.confrelid::bigint AS referenced_oid,
       translate(c.confkey::text, '{},', '   ') AS referenced_columns,
       CASE WHEN c.contype = 'c' THEN pg_get_constraintdef(c.oid) END AS definition,
       c.contype = 'c' AND cardinality(c.conkey) = 1
           AND pg_get_constraintdef(c.oid) LIKE
               (SELECT replace(replace(format('CHECK ((%I IS NOT NULL))%%', a.attname),
                                       '\', '\\'), '_', '\_')
                FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1]) AS is_not_null
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.conrelid <> 0 AND c.contype IN ('c', 'f', 'p', 'u', 'x')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid
