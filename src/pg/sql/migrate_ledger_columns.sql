-- majors: 13-18
-- How many of the ledger's columns the table $1.$2 has: 4 when it is one of ours.
SELECT count(*) AS known
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text
  AND c.relname = $2::text
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND a.attname IN ('id', 'name', 'checksum', 'applied_at')
