-- majors: 13-18
-- Relations that belong to the ledger $1.$2: itself, its side tables $3 and their sequences, as
-- text that casts to oid[].
WITH tables AS (
    SELECT c.oid
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND (c.relname = $2::text OR c.relname = ANY ($3::text[]))
      AND c.relkind IN ('r', 'p', 'v')
)
SELECT coalesce(array_agg(r.oid), '{}')::text AS relations
FROM (SELECT oid FROM tables
      UNION
      SELECT d.objid
      FROM pg_depend AS d
      JOIN tables AS t ON t.oid = d.refobjid
      JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')) AS r
