-- majors: 13-18
-- The columns of every table and view of the users, in their order.
SELECT a.attrelid::bigint AS oid,
       a.attnum AS number,
       a.attname AS column_name,
       format_type(a.atttypid, a.atttypmod) AS type,
       t.typname AS base_type,
       a.attnotnull AS not_null,
       a.atthasdef AND a.attgenerated = '' AS has_default,
       a.attgenerated <> '' AS is_generated,
       a.attidentity <> '' AS is_identity
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY a.attrelid, a.attnum
