-- majors: 13-18
-- Kinds that few databases have: collations, casts, operators and their classes and families, text
-- search, foreign-data wrappers and servers, languages, access methods, conversions, transforms.
-- Objects made by people have OIDs from 16384.
SELECT o.kind, o.name, NULL AS part_of, o.definition
FROM (
    SELECT 'collation' AS kind, l.tableoid AS class, l.oid, l.oid::regcollation::text AS name,
           format('PROVIDER %s DETERMINISTIC %s LOCALE %s', l.collprovider, l.collisdeterministic,
                  concat_ws(' ', to_jsonb(l) ->> 'collcollate', to_jsonb(l) ->> 'collctype',
                            to_jsonb(l) ->> 'colliculocale', to_jsonb(l) ->> 'colllocale',
                            to_jsonb(l) ->> 'collicurules')) AS definition
    FROM pg_collation AS l
    WHERE l.oid >= 16384 AND l.collnamespace <> 'pg_catalog'::regnamespace
    UNION ALL
    SELECT 'cast', c.tableoid, c.oid,
           format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
           format('FUNCTION %s CONTEXT %s METHOD %s', c.castfunc::regprocedure, c.castcontext,
                  c.castmethod)
    FROM pg_cast AS c
    WHERE c.oid >= 16384
    UNION ALL
    SELECT 'operator', p.tableoid, p.oid, p.oid::regoperator::text,
           format('FUNCTION %s COMMUTATOR %s NEGATOR %s RESTRICT %s JOIN %s HASHES %s MERGES %s',
                  p.oprcode, p.oprcom::regoperator, p.oprnegate::regoperator, p.oprrest, p.oprjoin,
                  p.oprcanhash, p.oprcanmerge)
    FROM pg_operator AS p
    WHERE p.oid >= 16384
    UNION ALL
    SELECT 'operator family', f.tableoid, f.oid,
           format('%s.%I USING %I', f.opfnamespace::regnamespace, f.opfname, m.amname),
           concat_ws(' ',
               (SELECT string_agg(format('OPERATOR %s %s %s', a.amopstrategy,
                                         a.amopopr::regoperator, a.amoppurpose), ' '
                                  ORDER BY a.amopstrategy, a.amopopr::regoperator::text COLLATE "C")
                FROM pg_amop AS a WHERE a.amopfamily = f.oid),
               (SELECT string_agg(format('FUNCTION %s %s', a.amprocnum, a.amproc::oid::regprocedure),
                                  ' ' ORDER BY a.amprocnum,
                                               a.amproc::oid::regprocedure::text COLLATE "C")
                FROM pg_amproc AS a WHERE a.amprocfamily = f.oid))
    FROM pg_opfamily AS f
    JOIN pg_am AS m ON m.oid = f.opfmethod
    WHERE f.oid >= 16384
    UNION ALL
    SELECT 'operator class', k.tableoid, k.oid,
           format('%s.%I USING %I', k.opcnamespace::regnamespace, k.opcname, m.amname),
           format('FOR TYPE %s FAMILY %I DEFAULT %s STORAGE %s', format_type(k.opcintype, NULL),
                  f.opfname, k.opcdefault, format_type(nullif(k.opckeytype, 0), NULL))
    FROM pg_opclass AS k
    JOIN pg_am AS m ON m.oid = k.opcmethod
    JOIN pg_opfamily AS f ON f.oid = k.opcfamily
    WHERE k.oid >= 16384
    UNION ALL
    SELECT 'text search configuration', g.tableoid, g.oid, g.oid::regconfig::text,
           concat_ws(' ', 'PARSER', s.prsname,
               (SELECT string_agg(format('MAP %s TO %s', p.maptokentype, p.mapdict::regdictionary),
                                  ' ' ORDER BY p.maptokentype, p.mapseqno)
                FROM pg_ts_config_map AS p WHERE p.mapcfg = g.oid))
    FROM pg_ts_config AS g
    JOIN pg_ts_parser AS s ON s.oid = g.cfgparser
    WHERE g.oid >= 16384
    UNION ALL
    SELECT 'text search dictionary', i.tableoid, i.oid, i.oid::regdictionary::text,
           concat_ws(' ', 'TEMPLATE', t.tmplname, i.dictinitoption)
    FROM pg_ts_dict AS i
    JOIN pg_ts_template AS t ON t.oid = i.dicttemplate
    WHERE i.oid >= 16384
    UNION ALL
    SELECT 'foreign-data wrapper', w.tableoid, w.oid, quote_ident(w.fdwname),
           concat_ws(' ', 'HANDLER', w.fdwhandler::regproc, 'VALIDATOR', w.fdwvalidator::regproc,
                     'OPTIONS (' || array_to_string(w.fdwoptions, ', ') || ')')
    FROM pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT 'server', v.tableoid, v.oid, quote_ident(v.srvname),
           concat_ws(' ', 'FOREIGN DATA WRAPPER', w.fdwname, 'TYPE ' || v.srvtype,
                     'VERSION ' || v.srvversion,
                     'OPTIONS (' || array_to_string(v.srvoptions, ', ') || ')')
    FROM pg_foreign_server AS v
    JOIN pg_foreign_data_wrapper AS w ON w.oid = v.srvfdw
    UNION ALL
    SELECT 'language', a.tableoid, a.oid, quote_ident(a.lanname),
           concat_ws(' ', 'HANDLER', a.lanplcallfoid::regproc, 'TRUSTED', a.lanpltrusted)
    FROM pg_language AS a
    WHERE a.oid >= 16384
    UNION ALL
    SELECT 'access method', m.tableoid, m.oid, quote_ident(m.amname),
           concat_ws(' ', 'TYPE', m.amtype, 'HANDLER', m.amhandler)
    FROM pg_am AS m
    WHERE m.oid >= 16384
    UNION ALL
    SELECT 'conversion', e.tableoid, e.oid, format('%s.%I', e.connamespace::regnamespace, e.conname),
           concat_ws(' ', pg_encoding_to_char(e.conforencoding), 'TO',
                     pg_encoding_to_char(e.contoencoding), 'FUNCTION', e.conproc, e.condefault)
    FROM pg_conversion AS e
    WHERE e.oid >= 16384
    UNION ALL
    SELECT 'transform', r.tableoid, r.oid,
           format('FOR %s LANGUAGE %s', format_type(r.trftype, NULL), a.lanname),
           concat_ws(' ', 'FROM SQL', r.trffromsql, 'TO SQL', r.trftosql)
    FROM pg_transform AS r
    JOIN pg_language AS a ON a.oid = r.trflang
) AS o
WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
