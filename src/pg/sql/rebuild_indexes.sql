-- majors: 13-18
-- Indexes of the tables named, constraint-backed ones as constraints: how to drop each, make it
-- again, and give it back what a definition does not say (storage options of a constraint's index,
-- tablespace, statistics targets, comments, CLUSTER ON and replica identity). INVALID ones come back
-- valid, as TRUNCATE would have made them.
SELECT
    CASE WHEN c.oid IS NULL
        THEN format('DROP INDEX %s', i.indexrelid::regclass)
        ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, c.conname)
    END AS drop_sql,
    CASE WHEN c.oid IS NULL
        THEN pg_get_indexdef(i.indexrelid)
        ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, c.conname,
            pg_get_constraintdef(c.oid))
    END AS create_sql,
    nullif(concat_ws('; ',
        CASE WHEN c.oid IS NOT NULL AND r.reloptions IS NOT NULL
            THEN format('ALTER INDEX %s SET (%s)', i.indexrelid::regclass,
                array_to_string(r.reloptions, ', ')) END,
        CASE WHEN s.spcname IS NOT NULL
            THEN format('ALTER INDEX %s SET TABLESPACE %I', i.indexrelid::regclass, s.spcname) END,
        (SELECT string_agg(format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s',
                i.indexrelid::regclass, a.attnum, a.attstattarget), '; ')
            FROM pg_attribute AS a
            WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0),
        CASE WHEN d.description IS NOT NULL
            THEN format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, d.description) END,
        CASE WHEN cd.description IS NOT NULL
            THEN format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname,
                i.indrelid::regclass, cd.description) END,
        CASE WHEN i.indisclustered
            THEN format('ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, r.relname) END,
        CASE WHEN i.indisreplident
            THEN format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', i.indrelid::regclass,
                r.relname) END
    ), '') AS after_sql
FROM unnest($1::text[]) AS loaded (name)
JOIN pg_index AS i ON i.indrelid = to_regclass(loaded.name)
JOIN pg_class AS r ON r.oid = i.indexrelid
LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
LEFT JOIN pg_tablespace AS s ON s.oid = r.reltablespace
LEFT JOIN pg_description AS d
    ON d.objoid = i.indexrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
LEFT JOIN pg_description AS cd
    ON cd.objoid = c.oid AND cd.classoid = 'pg_constraint'::regclass AND cd.objsubid = 0
ORDER BY i.indrelid::regclass::text, c.oid IS NULL, r.relname
