-- Screen: transfers, what is still open from one facility to another.
-- bind $1: SELECT from_facility_id FROM transfers WHERE status IN ('requested', 'approved', 'in_transit') ORDER BY id LIMIT 1
-- bind $2: SELECT to_facility_id FROM transfers WHERE status IN ('requested', 'approved', 'in_transit') ORDER BY id LIMIT 1
SELECT transfer.id, vaccine.code, transfer.quantity, transfer.status, transfer.requested_at
FROM transfers AS transfer
JOIN vaccines AS vaccine ON vaccine.id = transfer.vaccine_id
WHERE transfer.from_facility_id = $1
    AND transfer.to_facility_id = $2
    AND transfer.status IN ('requested', 'approved', 'in_transit')
ORDER BY transfer.requested_at DESC;
