-- majors: 13-18
-- Every index of stock_snapshots that no constraint needs: without them the guide's query reads the
-- whole table.
SELECT i.indexrelid::regclass::text AS qualified_name
FROM pg_index AS i
WHERE i.indrelid = 'stock_snapshots'::regclass
  AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
ORDER BY 1
