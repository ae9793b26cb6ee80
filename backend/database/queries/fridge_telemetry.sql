-- Screen: cold chain, chart of one fridge over 24 hours.
-- bind $1: SELECT facility_id FROM cce_telemetry ORDER BY facility_id, equipment_id LIMIT 1
-- bind $2: SELECT equipment_id FROM cce_telemetry ORDER BY facility_id, equipment_id LIMIT 1
-- bind $3: SELECT (max(snapshot_date) + 1)::timestamp AT TIME ZONE 'Africa/Lagos' FROM stock_snapshots
SELECT recorded_at, temperature, temperature_out_of_range, power_on
FROM cce_telemetry
WHERE facility_id = $1
    AND equipment_id = $2
    AND recorded_at >= $3::timestamptz - interval '24 hours'
    AND recorded_at < $3::timestamptz
ORDER BY recorded_at;
