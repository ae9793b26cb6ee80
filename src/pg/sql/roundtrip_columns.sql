-- majors: 13-18
-- Columns of the tables that hold rows of users, a table after the other; the schema $1 and
-- the tables called $2 (of the ledger) are left out. Rows of a partition are its parent's.
SELECT n.nspname AS schema_name, c.relname AS table_name, a.attname AS column_name,
       c.relkind = 'p' AS partitioned,
       a.attnum = ANY (coalesce(x.indkey, ''::int2vector)) AS is_key
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index AS x ON x.indrelid = c.oid AND x.indisprimary
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1::text)
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.relname <> ALL ($2::text[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname, a.attnum
