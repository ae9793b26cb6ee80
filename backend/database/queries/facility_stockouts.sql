-- Screen: facility, days without stock. The guide's own example.
-- bind $1: SELECT facility_id FROM stock_snapshots WHERE stock_status = 'stockout' ORDER BY snapshot_date DESC, facility_id LIMIT 1
SELECT *
FROM stock_snapshots
WHERE facility_id = $1 AND stock_status = 'stockout';
