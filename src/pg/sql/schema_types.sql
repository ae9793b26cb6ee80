-- majors: 13-18
-- Types that are no table's and no other type's array. rngmultitypid is of 14: before that its name
-- means the one of `absent`.
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS kind,
       format('%I.%I', n.nspname, t.typname) AS name,
       NULL AS part_of,
       CASE t.typtype
       WHEN 'd' THEN concat_ws(' ',
           'AS', format_type(t.typbasetype, t.typtypmod),
           CASE WHEN t.typcollation <> b.typcollation
                THEN 'COLLATE ' || t.typcollation::regcollation::text END,
           CASE WHEN t.typnotnull THEN 'NOT NULL' END,
           'DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 'pg_type'::regclass),
                                  quote_literal(t.typdefault)),
           (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)),
                              ' ' ORDER BY k.conname COLLATE "C")
            FROM pg_constraint AS k
            WHERE k.contypid = t.oid AND k.contype = 'c'))
       WHEN 'e' THEN (
           SELECT 'AS ENUM (' || string_agg(quote_literal(e.enumlabel), ', '
                                            ORDER BY e.enumsortorder) || ')'
           FROM pg_enum AS e
           WHERE e.enumtypid = t.oid)
       WHEN 'c' THEN (
           SELECT 'AS (' || string_agg(
                      concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                                CASE WHEN a.attcollation <> y.typcollation
                                     THEN 'COLLATE ' || a.attcollation::regcollation::text END),
                      ', ' ORDER BY a.attnum) || ')'
           FROM pg_attribute AS a
           JOIN pg_type AS y ON y.oid = a.atttypid
           WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
       WHEN 'r' THEN (
           SELECT concat_ws(' ',
                      'AS RANGE SUBTYPE', format_type(r.rngsubtype, NULL),
                      'SUBTYPE_OPCLASS ' || o.opcname,
                      'COLLATION ' || nullif(r.rngcollation, 0)::regcollation::text,
                      'CANONICAL ' || nullif(r.rngcanonical::oid, 0)::regproc,
                      'SUBTYPE_DIFF ' || nullif(r.rngsubdiff::oid, 0)::regproc,
                      'MULTIRANGE_TYPE_NAME ' || nullif(r.multirange, 0)::regtype)
           FROM (SELECT 0::oid AS rngmultitypid) AS absent
           CROSS JOIN LATERAL (
               SELECT g.rngtypid, g.rngsubtype, g.rngsubopc, g.rngcollation, g.rngcanonical,
                      g.rngsubdiff, rngmultitypid AS multirange
               FROM pg_range AS g) AS r
           JOIN pg_opclass AS o ON o.oid = r.rngsubopc
           WHERE r.rngtypid = t.oid)
       WHEN 'p' THEN 'SHELL'
       ELSE concat_ws(' ',
           'INPUT', t.typinput, 'OUTPUT', t.typoutput,
           'RECEIVE ' || nullif(t.typreceive::oid, 0)::regproc,
           'SEND ' || nullif(t.typsend::oid, 0)::regproc,
           'LENGTH', t.typlen, 'ALIGNMENT', t.typalign, 'STORAGE', t.typstorage,
           'CATEGORY', t.typcategory, 'DEFAULT ' || quote_literal(t.typdefault))
       END AS definition
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r', 'p')
  AND (t.typtype <> 'c' OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
