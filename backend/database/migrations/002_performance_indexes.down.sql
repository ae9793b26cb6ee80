-- migrate:transaction none
--
-- Removes exactly the indexes that 002_performance_indexes.sql made, last first, without stopping
-- reads or writes. IF EXISTS, so that a rollback that was interrupted can be run again.

DROP INDEX CONCURRENTLY IF EXISTS idx_sync_logs_started_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_audit_logs_user_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_audit_logs_entity;
DROP INDEX CONCURRENTLY IF EXISTS idx_cce_telemetry_facility_equipment_recorded;
DROP INDEX CONCURRENTLY IF EXISTS idx_product_batches_vaccine_expiry;
DROP INDEX CONCURRENTLY IF EXISTS idx_deliveries_requisition_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_deliveries_facility_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_transfers_requested_by;
DROP INDEX CONCURRENTLY IF EXISTS idx_transfers_vaccine_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_transfers_to_facility_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_transfers_from_to;
DROP INDEX CONCURRENTLY IF EXISTS idx_requisition_line_items_vaccine_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_requisitions_approved_by;
DROP INDEX CONCURRENTLY IF EXISTS idx_requisitions_requested_by;
DROP INDEX CONCURRENTLY IF EXISTS idx_requisitions_received_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_requisitions_facility_created;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_acknowledged_by;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_vaccine_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_lga_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_state_created;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_facility_created;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_ledger_vaccine_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_ledger_facility_vaccine_date;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_snapshots_vaccine_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_users_assigned_location_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_locations_parent_id;
