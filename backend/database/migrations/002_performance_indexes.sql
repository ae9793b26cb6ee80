-- migrate:transaction none
--
-- B-tree indexes for the plain WHERE and JOIN columns, and for every foreign key that no unique
-- constraint serves: without one, deleting or renumbering a parent row scans the whole child table.
--
-- CREATE INDEX CONCURRENTLY lets the application write meanwhile; it cannot run in a transaction.
-- One that was interrupted leaves an INVALID index of that name, which IF NOT EXISTS would keep.
-- `vaxdb migrate up` finds and rebuilds such an index. By hand: look in pg_index for NOT indisvalid,
-- DROP INDEX CONCURRENTLY, and run this file again.
--
-- stock_snapshots.facility_id has no index here: both composite indexes of 003 begin with it, and a
-- third on the largest table would only cost writes. Times of the append-only tables get BRIN there.

-- Location tree.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_locations_parent_id
    ON locations(parent_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_assigned_location_id
    ON users(assigned_location_id);

-- Stock.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_snapshots_vaccine_id
    ON stock_snapshots(vaccine_id);
-- Serves the foreign key, the stock card of a facility, and consumption over a range of days.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_ledger_facility_vaccine_date
    ON stock_ledger(facility_id, vaccine_id, transaction_date DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_stock_ledger_vaccine_id
    ON stock_ledger(vaccine_id);

-- Alerts: by place, newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_facility_created
    ON alerts(facility_id, created_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_state_created
    ON alerts(state_id, created_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_lga_id
    ON alerts(lga_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_vaccine_id
    ON alerts(vaccine_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_alerts_acknowledged_by
    ON alerts(acknowledged_by);

-- Logistics.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_requisitions_facility_created
    ON requisitions(facility_id, created_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_requisitions_received_at
    ON requisitions(received_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_requisitions_requested_by
    ON requisitions(requested_by);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_requisitions_approved_by
    ON requisitions(approved_by);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_requisition_line_items_vaccine_id
    ON requisition_line_items(vaccine_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transfers_from_to
    ON transfers(from_facility_id, to_facility_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transfers_to_facility_id
    ON transfers(to_facility_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transfers_vaccine_id
    ON transfers(vaccine_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transfers_requested_by
    ON transfers(requested_by);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_deliveries_facility_id
    ON deliveries(facility_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_deliveries_requisition_id
    ON deliveries(requisition_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_product_batches_vaccine_expiry
    ON product_batches(vaccine_id, expiry_date);

-- Logs. One index of telemetry serves both the foreign key and the chart of one fridge.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_cce_telemetry_facility_equipment_recorded
    ON cce_telemetry(facility_id, equipment_id, recorded_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_entity
    ON audit_logs(entity_id, entity_type, created_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_user_id
    ON audit_logs(user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_sync_logs_started_at
    ON sync_logs(started_at DESC);
