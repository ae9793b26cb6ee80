-- Screen: national map, facilities and vaccines out of stock today, by state. Today is a parameter:
-- it is the day in Nigeria, which the application knows and the server's time zone may not.
-- bind $1: SELECT max(snapshot_date) FROM stock_snapshots
SELECT
    state.code,
    state.name,
    count(DISTINCT snapshot.facility_id) AS facilities,
    count(*) AS stockouts
FROM stock_snapshots AS snapshot
JOIN locations AS facility ON facility.id = snapshot.facility_id
JOIN locations AS lga ON lga.id = facility.parent_id
JOIN locations AS state ON state.id = lga.parent_id
WHERE snapshot.snapshot_date = $1 AND snapshot.stock_status = 'stockout'
GROUP BY state.code, state.name
ORDER BY stockouts DESC, state.code;
