-- migrate:transaction none
--
-- Composite, partial, covering and BRIN indexes. As in 002, each is built CONCURRENTLY, outside a
-- transaction; an interrupted build leaves an INVALID index, which must be dropped before this file
-- runs again (`vaxdb migrate up` does that).
--
-- Predicates hold constants only. One such as created_at > CURRENT_DATE - 7 is not immutable: the
-- server refuses it, and it could not stay true from one day to the next anyway.

-- Composite: the stock of a facility by status, newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_snapshots_facility_status_date
    ON stock_snapshots(facility_id, stock_status, snapshot_date DESC);

-- Covering: what the dashboard shows of a facility and a vaccine is all in the index, so the table
-- is not visited (Index Only Scan) while vacuum keeps the visibility map fresh.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_snapshots_facility_vaccine_covering
    ON stock_snapshots(facility_id, vaccine_id)
    INCLUDE (quantity_on_hand, months_of_stock, stock_status, snapshot_date);

-- Partial: only the few rows that the screens ask for all day.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_critical
    ON alerts(facility_id, created_at DESC)
    WHERE severity = 'critical' AND resolved_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_active_state_severity
    ON alerts(state_id, severity)
    WHERE resolved_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_snapshots_stockouts
    ON stock_snapshots(snapshot_date, facility_id)
    WHERE stock_status = 'stockout';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transfers_open
    ON transfers(from_facility_id, to_facility_id, requested_at DESC)
    WHERE status IN ('requested', 'approved', 'in_transit');
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_deliveries_open
    ON deliveries(facility_id, expected_at)
    WHERE status <> 'delivered';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_cce_telemetry_excursions
    ON cce_telemetry(facility_id, recorded_at DESC)
    WHERE temperature_out_of_range;

-- BRIN: rows arrive in the order of time, so the lowest and highest time of each block range find a
-- week's rows with an index hundreds of times smaller than a B-tree.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_brin_timestamp
    ON audit_logs USING BRIN(created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_cce_telemetry_brin_recorded
    ON cce_telemetry USING BRIN(recorded_at);
