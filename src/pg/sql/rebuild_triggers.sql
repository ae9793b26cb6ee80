-- majors: 13-18
-- The user's triggers that could fire on the tables named: how to switch each off and back to the
-- state it was in.
SELECT
    format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname) AS drop_sql,
    format('ALTER TABLE %s ENABLE %s TRIGGER %I', t.tgrelid::regclass,
        CASE t.tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END,
        t.tgname) AS create_sql
FROM unnest($1::text[]) AS loaded (name)
JOIN pg_trigger AS t ON t.tgrelid = to_regclass(loaded.name)
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
ORDER BY t.tgrelid::regclass::text, t.tgname
