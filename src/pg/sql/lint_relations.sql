-- majors: 13-18
-- Every table, view, sequence and composite type of the users. The size is NULL while another
-- session holds the table exclusively, or waits to: asking would wait too. rows is what statistics say, -1 where
-- they say nothing; a table without a page has none.
WITH locked AS (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND pid IS DISTINCT FROM pg_backend_pid()
), users AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.reltuples, c.relpages,
           c.reltoastrelid,
           CASE WHEN c.relkind IN ('r', 'm') AND c.oid NOT IN (SELECT relation FROM locked)
                THEN pg_relation_size(c.oid) END AS heap_bytes
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname !~ '^pg_(toast|temp)'
)
SELECT u.oid::bigint AS oid,
       u.nspname AS schema_name,
       u.relname AS relation_name,
       u.relkind AS kind,
       u.relispartition AS is_partition,
       CASE WHEN u.relkind NOT IN ('r', 'm') THEN -1
            WHEN u.heap_bytes = 0 THEN 0
            WHEN u.reltuples > 0 OR pg_stat_get_live_tuples(u.oid) > 0
            THEN greatest(u.reltuples::bigint, pg_stat_get_live_tuples(u.oid))
            ELSE -1 END AS rows_estimated,
       u.heap_bytes
           + coalesce((SELECT t.relpages FROM pg_catalog.pg_class t
                       WHERE t.oid = u.reltoastrelid), 0)::bigint
             * current_setting('block_size')::bigint
           + coalesce((SELECT sum(i.relpages) FROM pg_catalog.pg_index x
                       JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
                       WHERE x.indrelid = u.oid), 0)::bigint
             * current_setting('block_size')::bigint AS bytes
FROM users u
ORDER BY u.oid
