-- majors: 13-18
-- Names that statements refer to: schemas, extensions, functions with their volatility, types, and
-- the types that an access method has a default operator class for.
SELECT 'schema' AS kind, '' AS home, nspname::text AS name, '' AS extra
FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT 'extension', '', extname, extversion FROM pg_catalog.pg_extension
UNION ALL
SELECT 'function', n.nspname, p.proname,
       CASE WHEN min(p.provolatile) = max(p.provolatile) THEN min(p.provolatile)::text ELSE '?' END
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
GROUP BY n.nspname, p.proname
UNION ALL
SELECT 'type', n.nspname, t.typname, t.typtype::text
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT 'opclass', m.amname, t.typname, ''
FROM pg_catalog.pg_opclass o
JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
JOIN pg_catalog.pg_type t ON t.oid = o.opcintype
WHERE o.opcdefault AND m.amname IN ('gin', 'gist')
