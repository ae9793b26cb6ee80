-- Screen: cold chain, readings out of range in the last 7 days, by facility.
-- bind $1: SELECT (max(snapshot_date) + 1)::timestamp AT TIME ZONE 'Africa/Lagos' FROM stock_snapshots
SELECT
    facility.code,
    facility.name,
    count(*) AS readings,
    max(reading.temperature) AS warmest,
    min(reading.temperature) AS coldest
FROM cce_telemetry AS reading
JOIN locations AS facility ON facility.id = reading.facility_id
WHERE reading.temperature_out_of_range
    AND reading.recorded_at >= $1::timestamptz - interval '7 days'
    AND reading.recorded_at < $1::timestamptz
GROUP BY facility.code, facility.name
ORDER BY readings DESC, facility.code
LIMIT 100;
