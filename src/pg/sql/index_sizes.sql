-- majors: 13-18
-- Sizes of one index ($2) or of all the indexes of one table ($1), with those of its partitions.
SELECT n.nspname AS schema_name, i.relname AS index_name, i.oid::bigint AS index_oid,
       pg_relation_size(i.oid) AS size_bytes, x.indisvalid AS is_valid,
       x.indisexclusion AS is_exclusion
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
WHERE i.relkind = 'i'
  AND (x.indrelid = $1::bigint::oid
       OR x.indexrelid = $2::bigint::oid
       OR x.indrelid IN (SELECT relid FROM pg_partition_tree($1::bigint::oid::regclass))
       OR x.indexrelid IN (SELECT relid FROM pg_partition_tree($2::bigint::oid::regclass)))
ORDER BY n.nspname, i.relname
