-- majors: 13-18
-- The columns that a dump copies, each with its type, which of a domain is the one below.
WITH RECURSIVE types AS (
    SELECT oid, oid AS base, typtype = 'e' AS is_enum
    FROM pg_type
    WHERE typtype <> 'd'
    UNION ALL
    SELECT domain.oid, types.base, types.is_enum
    FROM pg_type AS domain
    JOIN types ON types.oid = domain.typbasetype
    WHERE domain.typtype = 'd'
)
SELECT a.attrelid AS relation, quote_ident(a.attname) AS name, types.base AS type, types.is_enum
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN types ON types.oid = a.atttypid
WHERE c.relkind = 'r'
  AND a.attrelid >= 16384
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND a.attgenerated = ''
ORDER BY a.attrelid, a.attnum
