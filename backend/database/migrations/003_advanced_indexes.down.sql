-- migrate:transaction none
--
-- Removes exactly the indexes that 003_advanced_indexes.sql made, last first, without stopping
-- reads or writes. IF EXISTS, so that a rollback that was interrupted can be run again.

DROP INDEX CONCURRENTLY IF EXISTS idx_cce_telemetry_brin_recorded;
DROP INDEX CONCURRENTLY IF EXISTS idx_audit_logs_brin_timestamp;
DROP INDEX CONCURRENTLY IF EXISTS idx_cce_telemetry_excursions;
DROP INDEX CONCURRENTLY IF EXISTS idx_deliveries_open;
DROP INDEX CONCURRENTLY IF EXISTS idx_transfers_open;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_snapshots_stockouts;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_active_state_severity;
DROP INDEX CONCURRENTLY IF EXISTS idx_alerts_critical;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_snapshots_facility_vaccine_covering;
DROP INDEX CONCURRENTLY IF EXISTS idx_stock_snapshots_facility_status_date;
