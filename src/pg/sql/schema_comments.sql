-- majors: 13-18
-- Comments; $1 are left out with theirs, extensions and what they made too. What is not a relation
-- or its column is named by the server, which is slower.
SELECT 'comment' AS kind,
       CASE WHEN o.objsubid > 0 THEN 'column ' ELSE CASE c.relkind
           WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '
           WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'f' THEN 'foreign table '
           WHEN 'c' THEN 'type ' ELSE 'table ' END END
           || format('%I.%I', n.nspname, c.relname) || coalesce('.' || quote_ident(a.attname), '')
           AS name,
       coalesce(x.indrelid, c.oid)::regclass::text AS part_of,
       o.description AS definition
FROM pg_description AS o
JOIN pg_class AS c ON c.oid = o.objoid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a
       ON o.objsubid > 0 AND a.attrelid = o.objoid AND a.attnum = o.objsubid
LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
WHERE o.classoid = 'pg_class'::regclass
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND coalesce(x.indrelid, c.oid) <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = o.classoid AND d.objid = o.objoid AND d.objsubid = 0
                    AND d.deptype = 'e')
UNION ALL
SELECT 'comment',
       i.type || ' ' || i.identity,
       nullif(coalesce(k.conrelid, g.tgrelid, p.polrelid, r.ev_class), 0)::regclass::text,
       o.description
FROM pg_description AS o
CROSS JOIN LATERAL pg_identify_object(o.classoid, o.objoid, o.objsubid) AS i
LEFT JOIN pg_constraint AS k ON o.classoid = 'pg_constraint'::regclass AND k.oid = o.objoid
LEFT JOIN pg_trigger AS g ON o.classoid = 'pg_trigger'::regclass AND g.oid = o.objoid
LEFT JOIN pg_policy AS p ON o.classoid = 'pg_policy'::regclass AND p.oid = o.objoid
LEFT JOIN pg_rewrite AS r ON o.classoid = 'pg_rewrite'::regclass AND r.oid = o.objoid
WHERE o.classoid NOT IN ('pg_class'::regclass, 'pg_extension'::regclass)
  AND (o.objoid >= 16384
       OR o.classoid = 'pg_namespace'::regclass AND o.objoid = to_regnamespace('public')::oid
          AND o.description <> 'standard public schema')
  AND coalesce(k.conrelid, g.tgrelid, p.polrelid, r.ev_class, 0) <> ALL ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = o.classoid AND d.objid = o.objoid AND d.objsubid = 0
                    AND d.deptype = 'e')
