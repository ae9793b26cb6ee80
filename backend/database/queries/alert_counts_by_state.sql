-- Screen: national dashboard, active alerts by state and severity.
SELECT state.code, state.name, alert.severity, count(*) AS alerts
FROM alerts AS alert
JOIN locations AS state ON state.id = alert.state_id
WHERE alert.resolved_at IS NULL
GROUP BY state.code, state.name, alert.severity
ORDER BY state.code, alert.severity;
