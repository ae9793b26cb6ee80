-- majors: 13-18
-- Indexes that no constraint stands for; $1 are left out with theirs.
SELECT 'index' AS kind,
       format('%I.%I', n.nspname, c.relname) AS name,
       format('%I.%I', m.nspname, t.relname) AS part_of,
       concat_ws(' ',
           pg_get_indexdef(x.indexrelid),
           CASE WHEN x.indisclustered THEN 'CLUSTER' END,
           CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
           'PARTITION OF ' || h.inhparent::regclass::text,
           s.targets) AS definition
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS m ON m.oid = t.relnamespace
LEFT JOIN pg_inherits AS h ON h.inhrelid = x.indexrelid
LEFT JOIN (SELECT a.attrelid,
                  string_agg(format('COLUMN %s STATISTICS %s', a.attnum, a.attstattarget), ' '
                             ORDER BY a.attnum) AS targets
           FROM pg_attribute AS a
           WHERE a.attstattarget > 0
           GROUP BY a.attrelid) AS s ON s.attrelid = x.indexrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND x.indrelid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_constraint AS k
                  WHERE k.conindid = x.indexrelid AND k.conrelid = x.indrelid
                    AND k.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
                    AND d.objsubid = 0 AND d.deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indrelid
                    AND d.objsubid = 0 AND d.deptype = 'e')
