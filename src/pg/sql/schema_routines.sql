-- majors: 13-18
-- Functions, procedures and aggregates. Those that a type brought along (constructors of ranges)
-- are the type's.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END
           AS kind,
       p.oid::regprocedure::text AS name,
       NULL AS part_of,
       CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n')
       ELSE concat_ws(' ',
           'CREATE AGGREGATE', pg_get_function_arguments(p.oid),
           CASE a.aggkind WHEN 'o' THEN 'ORDERED SET' WHEN 'h' THEN 'HYPOTHETICAL' END,
           'SFUNC', a.aggtransfn, 'STYPE', format_type(a.aggtranstype, NULL),
           'SSPACE ' || nullif(a.aggtransspace, 0),
           'FINALFUNC ' || nullif(a.aggfinalfn::oid, 0)::regproc,
           CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
           'FINALFUNC_MODIFY', a.aggfinalmodify,
           'COMBINEFUNC ' || nullif(a.aggcombinefn::oid, 0)::regproc,
           'SERIALFUNC ' || nullif(a.aggserialfn::oid, 0)::regproc,
           'DESERIALFUNC ' || nullif(a.aggdeserialfn::oid, 0)::regproc,
           'INITCOND ' || quote_literal(a.agginitval),
           'MSFUNC ' || nullif(a.aggmtransfn::oid, 0)::regproc,
           'MINVFUNC ' || nullif(a.aggminvtransfn::oid, 0)::regproc,
           'MSTYPE ' || format_type(nullif(a.aggmtranstype, 0), NULL),
           'MFINALFUNC ' || nullif(a.aggmfinalfn::oid, 0)::regproc,
           'MINITCOND ' || quote_literal(a.aggminitval),
           'SORTOP ' || nullif(a.aggsortop, 0)::regoperator,
           'PARALLEL', p.proparallel)
       END AS definition
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                    AND d.deptype IN ('e', 'i'))
