-- majors: 13-18
-- Tables that have the names of other tools' ledgers, where they may be read.
SELECT c.oid::regclass::text AS relation
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND (c.relname IN ('schema_migrations', 'flyway_schema_history')
       OR (n.nspname = 'sqitch' AND c.relname = 'changes'))
  AND n.nspname !~ '^pg_(toast|temp)'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname
