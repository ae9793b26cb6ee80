-- Screen: logistics, days from submission to receipt in the last 90 days, by state.
-- bind $1: SELECT (max(snapshot_date) + 1)::timestamp AT TIME ZONE 'Africa/Lagos' FROM stock_snapshots
SELECT
    state.code,
    count(*) AS requisitions,
    round(extract(epoch FROM avg(requisition.received_at - requisition.submitted_at))::numeric
        / 86400, 1) AS lead_time_days
FROM requisitions AS requisition
JOIN locations AS facility ON facility.id = requisition.facility_id
JOIN locations AS lga ON lga.id = facility.parent_id
JOIN locations AS state ON state.id = lga.parent_id
WHERE requisition.received_at >= $1::timestamptz - interval '90 days'
    AND requisition.received_at < $1::timestamptz
GROUP BY state.code
ORDER BY state.code;
