-- majors: 13-18
-- Sequences whose position a dump holds; of extensions only those that they call configuration.
SELECT n.nspname AS schema,
       c.relname AS name,
       format('%I.%I', n.nspname, c.relname) AS source
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
  AND c.relpersistence <> 't'
  AND (EXISTS (SELECT FROM pg_extension AS e WHERE c.oid = ANY (e.extconfig))
       OR n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname !~ '^pg_(toast|temp)'
          AND NOT EXISTS (
              SELECT FROM pg_depend AS d
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
ORDER BY n.nspname, c.relname
