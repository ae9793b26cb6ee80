-- Screen: facility, latest snapshot of every vaccine.
-- bind $1: SELECT id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
SELECT
    vaccine.code,
    vaccine.name,
    latest.snapshot_date,
    latest.quantity_on_hand,
    latest.months_of_stock,
    latest.stock_status,
    latest.vvm_stage
FROM vaccines AS vaccine
CROSS JOIN LATERAL (
    SELECT *
    FROM stock_snapshots AS snapshot
    WHERE snapshot.facility_id = $1 AND snapshot.vaccine_id = vaccine.id
    ORDER BY snapshot.snapshot_date DESC
    LIMIT 1
) AS latest
ORDER BY vaccine.code;
