-- majors: 13-18
-- Columns of the tables of a database that is being restored, each with its type: of a domain, that
-- on which it stands; 0 where rows cannot be given in binary. So it is with `name`, of which only
-- the text form is cut off where it is too long, and where a byte of a character may look like a
-- backslash.
WITH RECURSIVE bases (type, base) AS (
    SELECT t.oid, t.oid FROM pg_type AS t WHERE t.typtype <> 'd'
    UNION ALL
    SELECT t.oid, b.base FROM bases AS b JOIN pg_type AS t ON t.typbasetype = b.type
    WHERE t.typtype = 'd'
)
SELECT n.nspname AS schema,
       c.relname AS name,
       a.attname AS column_name,
       CASE WHEN b.base = 'name'::regtype
                OR current_setting('client_encoding') IN ('BIG5', 'GB18030', 'GBK', 'JOHAB',
                                                          'SHIFT_JIS_2004', 'SJIS', 'UHC')
            THEN 0
            ELSE b.base::bigint
       END AS type,
       t.typtype = 'e' AS is_enum
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN bases AS b ON b.type = a.atttypid
JOIN pg_type AS t ON t.oid = b.base
WHERE c.relkind IN ('r', 'p')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum
