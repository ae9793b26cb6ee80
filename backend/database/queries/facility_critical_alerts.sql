-- Screen: facility, active critical alerts, newest first.
-- bind $1: SELECT facility_id FROM alerts WHERE severity = 'critical' AND resolved_at IS NULL ORDER BY created_at DESC, facility_id LIMIT 1
SELECT id, alert_type, title, data, acknowledged, created_at
FROM alerts
WHERE facility_id = $1 AND severity = 'critical' AND resolved_at IS NULL
ORDER BY created_at DESC
LIMIT 50;
