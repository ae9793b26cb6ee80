-- Screen: dashboard, stock of one vaccine at one facility. All its columns are in the covering
-- index, so the table is not visited.
-- bind $1: SELECT id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
-- bind $2: SELECT id FROM vaccines WHERE code = 'PENTA'
SELECT snapshot_date, quantity_on_hand, months_of_stock, stock_status
FROM stock_snapshots
WHERE facility_id = $1 AND vaccine_id = $2;
