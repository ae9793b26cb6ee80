-- majors: 13-18
-- Where the ledger is, or would be made: $1 its schema (NULL: by search_path), $2 its name, $3 the
-- name of the table of runs beside it.
WITH place AS (
    SELECT coalesce(
        $1::text,
        (SELECT n.nspname::text
         FROM pg_class AS c
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = to_regclass(quote_ident($2::text))),
        current_schema()::text) AS schema
)
SELECT p.schema,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = p.schema AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'v'))
           AS ledger,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = p.schema AND c.relname = $3::text AND c.relkind IN ('r', 'p', 'v'))
           AS runs,
       NOT EXISTS (SELECT FROM pg_attribute AS a
                   JOIN pg_class AS c ON c.oid = a.attrelid
                   JOIN pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE n.nspname = p.schema AND c.relname = $3::text
                     AND a.attname = 'overrides' AND NOT a.attisdropped)
           AS runs_old
FROM place AS p
