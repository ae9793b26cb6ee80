-- majors: 13-14
-- Publications with what they publish.
SELECT 'publication' AS kind, quote_ident(p.pubname) AS name, NULL AS part_of,
       concat_ws(' ',
           CASE WHEN p.puballtables THEN 'FOR ALL TABLES' END,
           'FOR TABLE ' || (
               SELECT string_agg(r.prrelid::regclass::text, ', '
                                 ORDER BY r.prrelid::regclass::text COLLATE "C")
               FROM pg_publication_rel AS r
               WHERE r.prpubid = p.oid),
           'PUBLISH',
           CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
           CASE WHEN p.pubviaroot THEN 'VIA PARTITION ROOT' END) AS definition
FROM pg_publication AS p
WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_publication'::regclass AND d.objid = p.oid
                    AND d.deptype = 'e')
