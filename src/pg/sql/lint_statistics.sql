-- majors: 13-18
-- What ANALYZE found out about columns: how many are NULL, how many differ.
SELECT schemaname AS schema_name, tablename AS table_name, attname AS column_name,
       max(null_frac) AS null_fraction, max(n_distinct) AS distinct_values
FROM pg_catalog.pg_stats
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND NOT inherited
GROUP BY 1, 2, 3
