-- Screen: expiry planning, lots that expire within 90 days of a day, by state.
-- bind $1: SELECT max(snapshot_date) FROM stock_snapshots
SELECT
    state.code,
    vaccine.code AS vaccine,
    snapshot.lot_number,
    snapshot.expiry_date,
    sum(snapshot.quantity_on_hand) AS doses,
    count(*) AS facilities
FROM stock_snapshots AS snapshot
JOIN vaccines AS vaccine ON vaccine.id = snapshot.vaccine_id
JOIN locations AS facility ON facility.id = snapshot.facility_id
JOIN locations AS lga ON lga.id = facility.parent_id
JOIN locations AS state ON state.id = lga.parent_id
WHERE snapshot.snapshot_date = $1
    AND snapshot.expiry_date <= $1::date + 90
    AND snapshot.quantity_on_hand > 0
GROUP BY state.code, vaccine.code, snapshot.lot_number, snapshot.expiry_date
ORDER BY snapshot.expiry_date, state.code, vaccine.code
LIMIT 200;
