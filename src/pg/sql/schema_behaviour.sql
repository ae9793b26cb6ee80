-- majors: 13-18
-- What tables do by themselves: triggers, rules and policies; $1 are left out. Copies of a trigger
-- on partitions count only where they are switched otherwise than the original.
SELECT 'trigger' AS kind,
       format('%s.%I', g.tgrelid::regclass, g.tgname) AS name,
       g.tgrelid::regclass::text AS part_of,
       concat_ws(' ', pg_get_triggerdef(g.oid),
                 CASE g.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLE REPLICA'
                                  WHEN 'A' THEN 'ENABLE ALWAYS' END) AS definition
FROM pg_trigger AS g
LEFT JOIN pg_trigger AS o ON o.oid = g.tgparentid
JOIN pg_class AS c ON c.oid = g.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal
  AND (g.tgparentid = 0 OR g.tgenabled <> o.tgenabled)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND g.tgrelid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = g.tgrelid
                    AND d.objsubid = 0 AND d.deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
                    AND d.deptype = 'e')
UNION ALL
SELECT 'rule',
       format('%s.%I', r.ev_class::regclass, r.rulename),
       r.ev_class::regclass::text,
       concat_ws(' ', pg_get_ruledef(r.oid),
                 CASE r.ev_enabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLE REPLICA'
                                   WHEN 'A' THEN 'ENABLE ALWAYS' END)
FROM pg_rewrite AS r
JOIN pg_class AS c ON c.oid = r.ev_class
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND r.ev_class <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = r.ev_class
                    AND d.objsubid = 0 AND d.deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.deptype = 'e')
UNION ALL
SELECT 'policy',
       format('%s.%I', p.polrelid::regclass, p.polname),
       p.polrelid::regclass::text,
       concat_ws(' ',
           'AS', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
           'FOR', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
           'TO', (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC'
                                         ELSE quote_ident(pg_get_userbyid(r)) END, ', '
                                    ORDER BY pg_get_userbyid(r) COLLATE "C")
                  FROM unnest(p.polroles) AS r),
           'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
           'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND p.polrelid <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = p.polrelid
                    AND d.objsubid = 0 AND d.deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                    AND d.deptype = 'e')
