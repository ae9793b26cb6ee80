-- Screen: administration, what was done in the last 7 days, by action.
-- bind $1: SELECT (max(snapshot_date) + 1)::timestamp AT TIME ZONE 'Africa/Lagos' FROM stock_snapshots
SELECT action, entity_type, count(*) AS entries, max(created_at) AS latest
FROM audit_logs
WHERE created_at >= $1::timestamptz - interval '7 days' AND created_at < $1::timestamptz
GROUP BY action, entity_type
ORDER BY entries DESC, action, entity_type;
