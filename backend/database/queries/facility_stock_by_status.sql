-- Screen: facility, stock filtered by status, newest first.
-- bind $1: SELECT facility_id FROM stock_snapshots WHERE stock_status = 'stockout' ORDER BY snapshot_date DESC, facility_id LIMIT 1
-- bind $2: SELECT 'stockout'
SELECT vaccine_id, snapshot_date, quantity_on_hand, months_of_stock, lot_number, expiry_date
FROM stock_snapshots
WHERE facility_id = $1 AND stock_status = $2::stock_status
ORDER BY snapshot_date DESC
LIMIT 100;
