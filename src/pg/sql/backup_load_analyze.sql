-- majors: 13-18
-- What ANALYZE without a table would look at, biggest first. A partitioned table brings its
-- partitions along.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       coalesce((SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(c.oid) AS t),
                pg_relation_size(c.oid)) AS bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p')
  AND NOT c.relispartition
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY bytes DESC, name
