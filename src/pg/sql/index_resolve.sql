-- majors: 13-18
-- Relations of the kinds in $2 (pg_class.relkind letters) that "name" or "schema.name" ($1) means.
-- Those of the system only when the schema is given.
SELECT c.oid::bigint AS oid, n.nspname AS schema_name, c.relname AS relation_name,
       c.relkind::text AS kind
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE strpos($2::text, c.relkind::text) > 0
  AND ((c.relname = $1::text
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)')
       OR n.nspname || '.' || c.relname = $1::text)
ORDER BY n.nspname, c.relname
