-- majors: 13-18
-- What stands in the database itself: schemas, extensions (not their version), event triggers,
-- statistics objects; $1 are left out.
SELECT 'schema' AS kind, quote_ident(n.nspname) AS name, NULL AS part_of,
       format('CREATE SCHEMA %I', n.nspname) AS definition
FROM pg_namespace AS n
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                    AND d.deptype = 'e')
UNION ALL
SELECT 'extension', quote_ident(e.extname), NULL,
       format('CREATE EXTENSION %I SCHEMA %I', e.extname, n.nspname)
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
UNION ALL
SELECT 'event trigger', quote_ident(v.evtname), NULL,
       concat_ws(' ',
           format('CREATE EVENT TRIGGER %I ON %s', v.evtname, v.evtevent),
           'WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t COLLATE "C")
                               FROM unnest(v.evttags) AS t) || ')',
           'EXECUTE FUNCTION', v.evtfoid::regprocedure,
           CASE v.evtenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLE REPLICA'
                             WHEN 'A' THEN 'ENABLE ALWAYS' END)
FROM pg_event_trigger AS v
WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = v.oid
                    AND d.deptype = 'e')
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), s.stxrelid::regclass::text,
       concat_ws(' ', pg_get_statisticsobjdef(s.oid),
                 CASE WHEN s.stxstattarget >= 0 THEN 'STATISTICS ' || s.stxstattarget END)
FROM pg_statistic_ext AS s
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND s.stxrelid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
                    AND d.deptype = 'e')
