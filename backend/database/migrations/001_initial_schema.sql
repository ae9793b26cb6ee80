-- The tables of VaxTrace Nigeria: places, vaccines, stock, cold chain, alerts, logistics, and the
-- logs. Only new objects are made, so nothing that exists is locked; the whole file runs in one
-- transaction.
--
-- Keys are UUIDs, because rows also come from facilities that work offline and from OpenLMIS.
-- Times are timestamptz. Every statement may be run again without harm.

-- Run again over tables in use, replacing the triggers must not queue behind a long query.
SET lock_timeout = '5s';

-- Closed sets are enums. CREATE TYPE knows no IF NOT EXISTS, hence the block.
DO $$
BEGIN
    IF to_regtype('location_type') IS NULL THEN
        CREATE TYPE location_type AS ENUM ('zone', 'state', 'lga', 'facility');
    END IF;
    IF to_regtype('user_role') IS NULL THEN
        CREATE TYPE user_role AS ENUM ('nphcda_director', 'state_cold_chain_officer',
            'lga_logistics_officer', 'facility_in_charge', 'system_admin');
    END IF;
    IF to_regtype('stock_status') IS NULL THEN
        CREATE TYPE stock_status AS ENUM ('optimal', 'understocked', 'stockout', 'overstocked');
    END IF;
    IF to_regtype('ledger_transaction_type') IS NULL THEN
        CREATE TYPE ledger_transaction_type AS ENUM ('receipt', 'issue', 'adjustment', 'loss');
    END IF;
    IF to_regtype('alert_type') IS NULL THEN
        CREATE TYPE alert_type AS ENUM ('stockout', 'near_expiry', 'temperature_excursion',
            'vvm_stage_3', 'vvm_stage_4', 'power_outage', 'delivery_delay',
            'reconciliation_mismatch');
    END IF;
    IF to_regtype('alert_severity') IS NULL THEN
        CREATE TYPE alert_severity AS ENUM ('low', 'medium', 'high', 'critical');
    END IF;
    IF to_regtype('requisition_status') IS NULL THEN
        CREATE TYPE requisition_status AS ENUM ('initiated', 'submitted', 'authorized', 'approved',
            'released', 'shipped', 'received', 'rejected');
    END IF;
    IF to_regtype('transfer_status') IS NULL THEN
        CREATE TYPE transfer_status AS ENUM ('requested', 'approved', 'in_transit', 'received',
            'cancelled');
    END IF;
    IF to_regtype('delivery_status') IS NULL THEN
        CREATE TYPE delivery_status AS ENUM ('pending', 'in_transit', 'delivered');
    END IF;
    IF to_regtype('sync_status') IS NULL THEN
        CREATE TYPE sync_status AS ENUM ('running', 'succeeded', 'failed');
    END IF;
END
$$;

-- The hierarchy zone > state > LGA > facility. Codes of states are ISO 3166-2 (NG-LA, NG-KN).
CREATE TABLE IF NOT EXISTS locations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    parent_id uuid REFERENCES locations (id),
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    type location_type NOT NULL,
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    properties jsonb NOT NULL DEFAULT '{}',
    openlmis_id uuid UNIQUE,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT locations_only_zones_have_no_parent CHECK ((type = 'zone') = (parent_id IS NULL))
);

CREATE TABLE IF NOT EXISTS vaccines (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    category text NOT NULL,
    doses_per_vial integer NOT NULL CHECK (doses_per_vial > 0),
    storage_temp_min real NOT NULL,
    storage_temp_max real NOT NULL,
    shelf_life_months integer NOT NULL CHECK (shelf_life_months > 0),
    min_months_of_stock real NOT NULL DEFAULT 3,
    max_months_of_stock real NOT NULL DEFAULT 6,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT vaccines_storage_range CHECK (storage_temp_min < storage_temp_max),
    CONSTRAINT vaccines_stock_range CHECK (min_months_of_stock < max_months_of_stock)
);

-- Addresses are kept in lower case, so that one person has one account and a login is a plain
-- lookup in the unique index.
CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    full_name text NOT NULL,
    role user_role NOT NULL,
    assigned_location_id uuid REFERENCES locations (id),
    permissions jsonb NOT NULL DEFAULT '{}',
    phone_encrypted bytea,
    last_login_at timestamptz,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row per facility, vaccine, lot and day: the large table, about 175 million rows a year.
-- Columns stand in falling order of alignment, which saves eight bytes a row. When a row was
-- written is synced_from_openlmis_at. The unique constraint starts with the date: a day's rows
-- arrive together, so they go to the same few pages of its index, and "today" is a prefix of it.
CREATE TABLE IF NOT EXISTS stock_snapshots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES locations (id),
    vaccine_id uuid NOT NULL REFERENCES vaccines (id),
    snapshot_time timestamptz NOT NULL,
    synced_from_openlmis_at timestamptz,
    snapshot_date date NOT NULL,
    expiry_date date NOT NULL,
    quantity_on_hand integer NOT NULL CHECK (quantity_on_hand >= 0),
    average_monthly_consumption integer NOT NULL,
    months_of_stock real NOT NULL,
    stock_status stock_status NOT NULL,
    current_temp real,
    temp_excursion_count smallint NOT NULL DEFAULT 0,
    vvm_stage smallint NOT NULL DEFAULT 1 CHECK (vvm_stage BETWEEN 1 AND 4),
    lot_number text NOT NULL,
    CONSTRAINT stock_snapshots_day_key UNIQUE (snapshot_date, facility_id, vaccine_id, lot_number)
);

-- Every movement of stock. quantity is the signed change in doses, so that a balance is a sum.
CREATE TABLE IF NOT EXISTS stock_ledger (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES locations (id),
    vaccine_id uuid NOT NULL REFERENCES vaccines (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    transaction_date date NOT NULL,
    transaction_type ledger_transaction_type NOT NULL,
    quantity integer NOT NULL,
    balance_after integer NOT NULL CHECK (balance_after >= 0),
    lot_number text NOT NULL,
    CONSTRAINT stock_ledger_sign CHECK (
        CASE transaction_type
            WHEN 'receipt' THEN quantity > 0
            WHEN 'adjustment' THEN quantity <> 0
            ELSE quantity < 0
        END)
);

-- The LGA and the state stand beside the facility, so that dashboards of either need no join.
CREATE TABLE IF NOT EXISTS alerts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES locations (id),
    lga_id uuid NOT NULL REFERENCES locations (id),
    state_id uuid NOT NULL REFERENCES locations (id),
    vaccine_id uuid REFERENCES vaccines (id),
    alert_type alert_type NOT NULL,
    severity alert_severity NOT NULL,
    title text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    acknowledged boolean NOT NULL DEFAULT false,
    acknowledged_by uuid REFERENCES users (id),
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS requisitions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    requisition_number text NOT NULL UNIQUE,
    facility_id uuid NOT NULL REFERENCES locations (id),
    status requisition_status NOT NULL DEFAULT 'initiated',
    is_emergency boolean NOT NULL DEFAULT false,
    period_start date NOT NULL,
    period_end date NOT NULL,
    requested_by uuid REFERENCES users (id),
    approved_by uuid REFERENCES users (id),
    submitted_at timestamptz,
    approved_at timestamptz,
    received_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT requisitions_period CHECK (period_start <= period_end)
);

CREATE TABLE IF NOT EXISTS requisition_line_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    requisition_id uuid NOT NULL REFERENCES requisitions (id) ON DELETE CASCADE,
    vaccine_id uuid NOT NULL REFERENCES vaccines (id),
    stock_on_hand integer NOT NULL CHECK (stock_on_hand >= 0),
    quantity_requested integer NOT NULL CHECK (quantity_requested >= 0),
    quantity_approved integer CHECK (quantity_approved >= 0),
    quantity_received integer CHECK (quantity_received >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (requisition_id, vaccine_id)
);

CREATE TABLE IF NOT EXISTS transfers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    from_facility_id uuid NOT NULL REFERENCES locations (id),
    to_facility_id uuid NOT NULL REFERENCES locations (id),
    vaccine_id uuid NOT NULL REFERENCES vaccines (id),
    quantity integer NOT NULL CHECK (quantity > 0),
    lot_number text NOT NULL,
    status transfer_status NOT NULL DEFAULT 'requested',
    requested_by uuid REFERENCES users (id),
    requested_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transfers_between_two CHECK (from_facility_id <> to_facility_id)
);

CREATE TABLE IF NOT EXISTS deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    requisition_id uuid REFERENCES requisitions (id),
    facility_id uuid NOT NULL REFERENCES locations (id),
    status delivery_status NOT NULL DEFAULT 'pending',
    tracking_number text NOT NULL UNIQUE,
    qr_code text NOT NULL UNIQUE,
    expected_at timestamptz NOT NULL,
    dispatched_at timestamptz,
    delivered_at timestamptz,
    max_temperature real,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row per state and month; rates are between 0 and 1.
CREATE TABLE IF NOT EXISTS logistics_metrics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    location_id uuid NOT NULL REFERENCES locations (id),
    period_start date NOT NULL,
    lead_time_days real,
    on_time_rate real,
    stockout_rate real,
    wastage_rate real,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (location_id, period_start)
);

-- What the national store received. gtin and batch together are the GS1 identity of a batch.
CREATE TABLE IF NOT EXISTS product_batches (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    vaccine_id uuid NOT NULL REFERENCES vaccines (id),
    gtin text NOT NULL,
    batch_number text NOT NULL,
    expiry_date date NOT NULL,
    quantity_received integer NOT NULL CHECK (quantity_received > 0),
    is_quarantined boolean NOT NULL DEFAULT false,
    quarantine_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (gtin, batch_number)
);

-- Readings of cold-chain equipment: append-only, the fastest growing. equipment_id is the serial
-- number that the logger sends.
CREATE TABLE IF NOT EXISTS cce_telemetry (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES locations (id),
    recorded_at timestamptz NOT NULL,
    temperature real NOT NULL,
    temperature_out_of_range boolean NOT NULL DEFAULT false,
    power_on boolean NOT NULL DEFAULT true,
    equipment_id text NOT NULL
);

-- Append-only: who changed what.
CREATE TABLE IF NOT EXISTS audit_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id),
    entity_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL,
    entity_type text NOT NULL,
    changes jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS sync_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    resource text NOT NULL,
    status sync_status NOT NULL DEFAULT 'running',
    records_processed integer NOT NULL DEFAULT 0,
    records_failed integer NOT NULL DEFAULT 0,
    error_message text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

-- updated_at is kept by the database, so that no client can forget it.
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- PostgreSQL 13 has no CREATE OR REPLACE TRIGGER, hence the pairs.
DROP TRIGGER IF EXISTS locations_updated_at ON locations;
CREATE TRIGGER locations_updated_at BEFORE UPDATE ON locations
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS vaccines_updated_at ON vaccines;
CREATE TRIGGER vaccines_updated_at BEFORE UPDATE ON vaccines
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS users_updated_at ON users;
CREATE TRIGGER users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS alerts_updated_at ON alerts;
CREATE TRIGGER alerts_updated_at BEFORE UPDATE ON alerts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS requisitions_updated_at ON requisitions;
CREATE TRIGGER requisitions_updated_at BEFORE UPDATE ON requisitions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS requisition_line_items_updated_at ON requisition_line_items;
CREATE TRIGGER requisition_line_items_updated_at BEFORE UPDATE ON requisition_line_items
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS transfers_updated_at ON transfers;
CREATE TRIGGER transfers_updated_at BEFORE UPDATE ON transfers
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS deliveries_updated_at ON deliveries;
CREATE TRIGGER deliveries_updated_at BEFORE UPDATE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS logistics_metrics_updated_at ON logistics_metrics;
CREATE TRIGGER logistics_metrics_updated_at BEFORE UPDATE ON logistics_metrics
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
DROP TRIGGER IF EXISTS product_batches_updated_at ON product_batches;
CREATE TRIGGER product_batches_updated_at BEFORE UPDATE ON product_batches
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The newest snapshot of each facility and vaccine. The lateral join fetches one short series for
-- each pair, so that a filter on a facility, LGA or state reads only what it shows; DISTINCT ON
-- would sort the whole table first.
CREATE OR REPLACE VIEW current_stock_status AS
SELECT
    facility.id AS facility_id,
    facility.code AS facility_code,
    facility.name AS facility_name,
    lga.id AS lga_id,
    lga.name AS lga_name,
    state.id AS state_id,
    state.name AS state_name,
    vaccine.id AS vaccine_id,
    vaccine.code AS vaccine_code,
    latest.quantity_on_hand,
    latest.average_monthly_consumption,
    latest.months_of_stock,
    latest.stock_status,
    latest.lot_number,
    latest.expiry_date,
    latest.vvm_stage,
    latest.current_temp,
    latest.snapshot_date
FROM locations AS facility
JOIN locations AS lga ON lga.id = facility.parent_id
JOIN locations AS state ON state.id = lga.parent_id
CROSS JOIN vaccines AS vaccine
CROSS JOIN LATERAL (
    SELECT
        snapshot.quantity_on_hand,
        snapshot.average_monthly_consumption,
        snapshot.months_of_stock,
        snapshot.stock_status,
        snapshot.lot_number,
        snapshot.expiry_date,
        snapshot.vvm_stage,
        snapshot.current_temp,
        snapshot.snapshot_date
    FROM stock_snapshots AS snapshot
    WHERE snapshot.facility_id = facility.id AND snapshot.vaccine_id = vaccine.id
    ORDER BY snapshot.snapshot_date DESC
    LIMIT 1
) AS latest
WHERE facility.type = 'facility' AND facility.is_active;

CREATE OR REPLACE VIEW active_alerts AS
SELECT
    alert.id,
    alert.alert_type,
    alert.severity,
    alert.title,
    alert.data,
    alert.acknowledged,
    alert.created_at,
    alert.facility_id,
    facility.name AS facility_name,
    alert.lga_id,
    lga.name AS lga_name,
    alert.state_id,
    state.name AS state_name,
    alert.vaccine_id,
    vaccine.code AS vaccine_code
FROM alerts AS alert
JOIN locations AS facility ON facility.id = alert.facility_id
JOIN locations AS lga ON lga.id = alert.lga_id
JOIN locations AS state ON state.id = alert.state_id
LEFT JOIN vaccines AS vaccine ON vaccine.id = alert.vaccine_id
WHERE alert.resolved_at IS NULL;
