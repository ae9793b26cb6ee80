-- majors: 13-18
-- Foreign keys of the tables named, and those of others that point to them. The definition says
-- NOT VALID where it was.
WITH loaded AS (
    SELECT to_regclass(name)::oid AS id FROM unnest($1::text[]) AS names (name)
)
SELECT
    format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop_sql,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname,
        pg_get_constraintdef(c.oid)) AS create_sql,
    CASE WHEN d.description IS NOT NULL
        THEN format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass,
            d.description)
    END AS after_sql
FROM pg_constraint AS c
LEFT JOIN pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass AND d.objsubid = 0
WHERE c.contype = 'f'
    AND c.conparentid = 0
    AND (c.conrelid IN (SELECT id FROM loaded) OR c.confrelid IN (SELECT id FROM loaded))
ORDER BY c.conrelid::regclass::text, c.conname
