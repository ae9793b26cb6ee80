-- Screen: LGA, facilities under the minimum months of stock on a day.
-- bind $1: SELECT parent_id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
-- bind $2: SELECT max(snapshot_date) FROM stock_snapshots
SELECT facility.code, facility.name, vaccine.code AS vaccine, snapshot.months_of_stock
FROM locations AS facility
JOIN stock_snapshots AS snapshot ON snapshot.facility_id = facility.id
JOIN vaccines AS vaccine ON vaccine.id = snapshot.vaccine_id
WHERE facility.parent_id = $1
    AND facility.type = 'facility'
    AND snapshot.snapshot_date = $2
    AND snapshot.months_of_stock < vaccine.min_months_of_stock
ORDER BY snapshot.months_of_stock, facility.code, vaccine.code;
