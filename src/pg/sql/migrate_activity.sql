-- majors: 13-18
-- What the server process $1 does now: does it wait for a lock, and how far is the index it builds?
-- Each phase counts something of its own; what an earlier phase counted may still stand there.
SELECT coalesce(a.wait_event_type = 'Lock', false) AS waits,
       p.phase,
       CASE WHEN p.index_relid <> 0 THEN p.index_relid::regclass::text END AS index_name,
       p.relid::regclass::text AS table_name,
       u.unit,
       CASE u.unit WHEN 'blocks' THEN p.blocks_done WHEN 'rows' THEN p.tuples_done END AS done,
       CASE u.unit WHEN 'blocks' THEN p.blocks_total WHEN 'rows' THEN p.tuples_total END AS total
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = a.pid
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.phase LIKE 'waiting%' THEN NULL
                WHEN p.phase LIKE '%scanning%' THEN 'blocks'
                ELSE 'rows' END AS unit
) AS u
WHERE a.pid = $1::int
