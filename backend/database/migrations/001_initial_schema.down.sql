-- Removes everything that 001_initial_schema.sql made, children before parents. Without CASCADE: an
-- object that somebody hung onto these tables stops the rollback instead of vanishing with it.
-- The tables hold data; take a backup first.

-- Rather give up than queue behind a long query and hold up every other one.
SET lock_timeout = '5s';

DROP VIEW IF EXISTS active_alerts;
DROP VIEW IF EXISTS current_stock_status;

DROP TABLE IF EXISTS sync_logs;
DROP TABLE IF EXISTS audit_logs;
DROP TABLE IF EXISTS cce_telemetry;
DROP TABLE IF EXISTS product_batches;
DROP TABLE IF EXISTS logistics_metrics;
DROP TABLE IF EXISTS deliveries;
DROP TABLE IF EXISTS transfers;
DROP TABLE IF EXISTS requisition_line_items;
DROP TABLE IF EXISTS requisitions;
DROP TABLE IF EXISTS alerts;
DROP TABLE IF EXISTS stock_ledger;
DROP TABLE IF EXISTS stock_snapshots;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS vaccines;
DROP TABLE IF EXISTS locations;

-- The triggers went with their tables.
DROP FUNCTION IF EXISTS set_updated_at();

DROP TYPE IF EXISTS sync_status;
DROP TYPE IF EXISTS delivery_status;
DROP TYPE IF EXISTS transfer_status;
DROP TYPE IF EXISTS requisition_status;
DROP TYPE IF EXISTS alert_severity;
DROP TYPE IF EXISTS alert_type;
DROP TYPE IF EXISTS ledger_transaction_type;
DROP TYPE IF EXISTS stock_status;
DROP TYPE IF EXISTS user_role;
DROP TYPE IF EXISTS location_type;
