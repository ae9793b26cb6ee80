-- majors: 13-18
-- Columns of the tables named that a data set fills, and what keeps a table from being loaded.
SELECT
    names.name AS table_name,
    c.relkind::text AS kind,
    (SELECT array_to_string(array_agg(a.attname::text ORDER BY a.attnum), ',')
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM unnest($1::text[]) WITH ORDINALITY AS names (name, place)
LEFT JOIN pg_class AS c ON c.oid = to_regclass(names.name)
ORDER BY names.place
