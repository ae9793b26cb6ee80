-- Screen: state, alerts of the last 30 days, newest first.
-- bind $1: SELECT state_id FROM alerts ORDER BY created_at DESC, state_id LIMIT 1
-- bind $2: SELECT (max(snapshot_date) + 1)::timestamp AT TIME ZONE 'Africa/Lagos' FROM stock_snapshots
SELECT alert_type, severity, title, facility_id, created_at, resolved_at
FROM alerts
WHERE state_id = $1
    AND created_at >= $2::timestamptz - interval '30 days'
    AND created_at < $2::timestamptz
ORDER BY created_at DESC
LIMIT 500;
