-- majors: 15-18
-- Publications with what they publish. pubgencols is of 18: before that its name means the one of
-- `absent`.
SELECT 'publication' AS kind, quote_ident(p.pubname) AS name, NULL AS part_of,
       concat_ws(' ',
           CASE WHEN p.puballtables THEN 'FOR ALL TABLES' END,
           'FOR TABLES IN SCHEMA ' || (
               SELECT string_agg(s.pnnspid::regnamespace::text, ', '
                                 ORDER BY s.pnnspid::regnamespace::text COLLATE "C")
               FROM pg_publication_namespace AS s
               WHERE s.pnpubid = p.oid),
           'FOR TABLE ' || (
               SELECT string_agg(concat_ws(' ',
                          r.prrelid::regclass,
                          '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                                  FROM pg_attribute AS a
                                  WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))
                              || ')',
                          'WHERE ' || pg_get_expr(r.prqual, r.prrelid)), ', '
                          ORDER BY r.prrelid::regclass::text COLLATE "C")
               FROM pg_publication_rel AS r
               WHERE r.prpubid = p.oid),
           'PUBLISH',
           CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
           CASE WHEN p.pubviaroot THEN 'VIA PARTITION ROOT' END,
           CASE WHEN p.generated = 's' THEN 'GENERATED COLUMNS stored' END) AS definition
FROM (SELECT 'n'::"char" AS pubgencols) AS absent
CROSS JOIN LATERAL (
    SELECT b.oid, b.pubname, b.puballtables, b.pubinsert, b.pubupdate, b.pubdelete, b.pubtruncate,
           b.pubviaroot, pubgencols AS generated
    FROM pg_publication AS b) AS p
WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_publication'::regclass AND d.objid = p.oid
                    AND d.deptype = 'e')
