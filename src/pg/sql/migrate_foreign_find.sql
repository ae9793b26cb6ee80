-- majors: 13-18
-- The ledger of another tool: $1 a table, or the schema of Sqitch; $2 the name of our own ledger.
-- tool is NULL where the columns are nobody's.
WITH place AS (
    SELECT coalesce(to_regclass($1::text), to_regclass($1::text || '.changes')) AS relation,
           to_regclass(CASE WHEN strpos($2::text, '.') > 0
                            THEN quote_ident(split_part($2::text, '.', 1)) || '.' ||
                                 quote_ident(split_part($2::text, '.', 2))
                            ELSE quote_ident($2::text) END) AS ours
), shape AS (
    SELECT p.relation, p.ours,
           ARRAY(SELECT a.attname::text
                 FROM pg_attribute AS a
                 WHERE a.attrelid = p.relation AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attname::text COLLATE "C") AS columns
    FROM place AS p
)
SELECT s.relation::text AS relation,
       s.relation IS NOT DISTINCT FROM s.ours AS is_ours,
       CASE
           WHEN s.columns = ARRAY['version'] THEN 'dbmate'
           WHEN s.columns = ARRAY['dirty', 'version'] THEN 'golang-migrate'
           WHEN s.columns @> ARRAY['installed_rank', 'version', 'type', 'script', 'checksum',
                                   'installed_on', 'success'] THEN 'Flyway'
           WHEN s.columns @> ARRAY['change_id', 'change', 'project', 'committed_at'] THEN 'Sqitch'
           WHEN s.columns @> ARRAY['id', 'name', 'checksum', 'applied_at'] THEN 'vaxdb'
       END AS tool
FROM shape AS s
