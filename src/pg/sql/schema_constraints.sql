-- majors: 13-18
-- Constraints of tables, with what is set on the indexes behind them; $1 are left out. NOT NULL is
-- the column's; copies of foreign keys on partitions have names of the server's making.
SELECT 'constraint' AS kind,
       format('%I.%I.%I', n.nspname, c.relname, k.conname) AS name,
       format('%I.%I', n.nspname, c.relname) AS part_of,
       concat_ws(' ',
           pg_get_constraintdef(k.oid),
           'WITH (' || array_to_string(i.reloptions, ', ') || ')',
           CASE WHEN x.indisclustered THEN 'CLUSTER' END,
           CASE WHEN NOT x.indisvalid THEN 'INVALID' END) AS definition
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_index AS x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
  AND NOT (k.contype = 'f' AND k.conparentid <> 0)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
