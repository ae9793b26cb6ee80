-- Screen: deliveries, look-up by tracking number.
-- bind $1: SELECT tracking_number FROM deliveries ORDER BY tracking_number LIMIT 1
SELECT
    delivery.id,
    delivery.status,
    delivery.expected_at,
    delivery.dispatched_at,
    delivery.delivered_at,
    facility.name AS facility
FROM deliveries AS delivery
JOIN locations AS facility ON facility.id = delivery.facility_id
WHERE delivery.tracking_number = $1;
