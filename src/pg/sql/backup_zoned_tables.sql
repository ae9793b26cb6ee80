-- majors: 13-18
-- Tables whose rows are other text in another time zone: with a timestamp with time zone, or a range,
-- array or domain of such.
SELECT DISTINCT n.nspname AS schema, c.relname AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = coalesce(nullif(t.typbasetype, 0), nullif(t.typelem, 0), t.oid)
WHERE c.relkind IN ('r', 'p')
  AND b.typname IN ('timestamptz', 'tstzrange', 'tstzmultirange')
