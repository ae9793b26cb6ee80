-- majors: 13-18
-- Tables, views, materialized views and sequences with all but their columns; $1 are left out. To
-- be read with search_path empty, so that names are qualified.
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                      WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind,
       format('%I.%I', n.nspname, c.relname) AS name,
       NULL AS part_of,
       CASE WHEN c.relkind IN ('v', 'm') THEN
           concat_ws(' ',
               CASE WHEN am.amname <> 'heap' THEN 'USING ' || quote_ident(am.amname) END,
               'WITH (' || array_to_string(c.reloptions, ', ') || ')',
               'AS',
               pg_get_viewdef(c.oid))
       ELSE
           concat_ws(' ',
               'CREATE',
               CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED' END,
               CASE WHEN c.relkind = 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
               'OF ' || nullif(c.reloftype, 0)::regtype::text,
               CASE WHEN c.relispartition THEN 'PARTITION OF' ELSE 'INHERITS' END
                   || ' (' || h.parents || ')',
               pg_get_expr(c.relpartbound, 0),
               'PARTITION BY ' || CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
               CASE WHEN am.amname <> 'heap' THEN 'USING ' || quote_ident(am.amname) END,
               'WITH (' || array_to_string(c.reloptions, ', ') || ')',
               'TOAST (' || array_to_string(t.reloptions, ', ') || ')',
               CASE WHEN c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
               CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
               'REPLICA IDENTITY ' || CASE c.relreplident
                   WHEN 'f' THEN 'FULL'
                   WHEN 'n' THEN CASE WHEN c.relkind <> 'f' THEN 'NOTHING' END
                   WHEN 'i' THEN (SELECT 'USING INDEX ' || x.indexrelid::regclass::text
                                  FROM pg_index AS x
                                  WHERE x.indrelid = c.oid AND x.indisreplident) END,
               'SERVER ' || quote_ident(s.srvname),
               'OPTIONS (' || array_to_string(f.ftoptions, ', ') || ')')
       END AS definition
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL
LEFT JOIN pg_foreign_table AS f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server AS s ON s.oid = f.ftserver
LEFT JOIN (SELECT i.inhrelid,
                  string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) AS parents
           FROM pg_inherits AS i
           GROUP BY i.inhrelid) AS h ON h.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT 'sequence',
       format('%I.%I', n.nspname, c.relname),
       d.refobjid::regclass::text,
       concat_ws(' ',
           CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED' END,
           'AS', format_type(q.seqtypid, NULL), 'START WITH', q.seqstart, 'INCREMENT BY',
           q.seqincrement, 'MINVALUE', q.seqmin, 'MAXVALUE', q.seqmax, 'CACHE', q.seqcache,
           CASE WHEN q.seqcycle THEN 'CYCLE' END,
           CASE d.deptype WHEN 'i' THEN 'IDENTITY OF' WHEN 'a' THEN 'OWNED BY' END,
           d.refobjid::regclass::text || '.' || quote_ident(a.attname))
FROM pg_sequence AS q
JOIN pg_class AS c ON c.oid = q.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS d
       ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS e
                  WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
