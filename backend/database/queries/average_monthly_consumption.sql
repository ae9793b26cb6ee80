-- Screen: facility, average monthly consumption: issues of the last 3 months, by vaccine.
-- bind $1: SELECT id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
-- bind $2: SELECT max(snapshot_date) FROM stock_snapshots
SELECT vaccine.code, sum(-entry.quantity) / 3.0 AS average_monthly_consumption
FROM stock_ledger AS entry
JOIN vaccines AS vaccine ON vaccine.id = entry.vaccine_id
WHERE entry.facility_id = $1
    AND entry.transaction_type = 'issue'
    AND entry.transaction_date > $2::date - interval '3 months'
    AND entry.transaction_date <= $2::date
GROUP BY vaccine.code
ORDER BY vaccine.code;
