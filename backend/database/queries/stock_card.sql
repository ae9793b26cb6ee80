-- Screen: facility, stock card of one vaccine: its movements of the last 30 days.
-- bind $1: SELECT id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
-- bind $2: SELECT id FROM vaccines WHERE code = 'PENTA'
-- bind $3: SELECT max(snapshot_date) FROM stock_snapshots
SELECT transaction_date, transaction_type, quantity, balance_after, lot_number
FROM stock_ledger
WHERE facility_id = $1
    AND vaccine_id = $2
    AND transaction_date > $3::date - 30
    AND transaction_date <= $3::date
ORDER BY transaction_date DESC, created_at DESC;
