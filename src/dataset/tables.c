#include "dataset/tables.h"

const DataTable dataset_tables[TABLE_COUNT] = {
    [TABLE_LOCATIONS] = {"locations",
                         "id, parent_id, code, name, type, latitude, longitude, properties, "
                         "openlmis_id, is_active, created_at, updated_at",
                         tables_write_locations, false},
    [TABLE_VACCINES] = {"vaccines",
                        "id, code, name, category, doses_per_vial, storage_temp_min, "
                        "storage_temp_max, shelf_life_months, min_months_of_stock, "
                        "max_months_of_stock, is_active, created_at, updated_at",
                        tables_write_vaccines, false},
    [TABLE_USERS] = {"users",
                     "id, email, full_name, role, assigned_location_id, permissions, "
                     "phone_encrypted, last_login_at, is_active, created_at, updated_at",
                     tables_write_users, false},
    [TABLE_PRODUCT_BATCHES] = {"product_batches",
                               "id, vaccine_id, gtin, batch_number, expiry_date, "
                               "quantity_received, is_quarantined, quarantine_reason, created_at, "
                               "updated_at",
                               tables_write_product_batches, false},
    [TABLE_STOCK_SNAPSHOTS] = {"stock_snapshots",
                               "id, facility_id, vaccine_id, snapshot_time, "
                               "synced_from_openlmis_at, snapshot_date, expiry_date, "
                               "quantity_on_hand, average_monthly_consumption, months_of_stock, "
                               "stock_status, current_temp, temp_excursion_count, vvm_stage, "
                               "lot_number",
                               tables_write_snapshots, true},
    [TABLE_STOCK_LEDGER] = {"stock_ledger",
                            "id, facility_id, vaccine_id, created_at, transaction_date, "
                            "transaction_type, quantity, balance_after, lot_number",
                            tables_write_ledger, true},
    [TABLE_ALERTS] = {"alerts",
                      "id, facility_id, lga_id, state_id, vaccine_id, alert_type, severity, title, "
                      "data, acknowledged, acknowledged_by, acknowledged_at, resolved_at, "
                      "created_at, updated_at",
                      tables_write_alerts, false},
    [TABLE_REQUISITIONS] = {"requisitions",
                            "id, requisition_number, facility_id, status, is_emergency, "
                            "period_start, period_end, requested_by, approved_by, submitted_at, "
                            "approved_at, received_at, created_at, updated_at",
                            tables_write_requisitions, false},
    [TABLE_REQUISITION_LINE_ITEMS] = {"requisition_line_items",
                                      "id, requisition_id, vaccine_id, stock_on_hand, "
                                      "quantity_requested, quantity_approved, quantity_received, "
                                      "created_at, updated_at",
                                      tables_write_line_items, false},
    [TABLE_TRANSFERS] = {"transfers",
                         "id, from_facility_id, to_facility_id, vaccine_id, quantity, lot_number, "
                         "status, requested_by, requested_at, completed_at, created_at, updated_at",
                         tables_write_transfers, false},
    [TABLE_DELIVERIES] = {"deliveries",
                          "id, requisition_id, facility_id, status, tracking_number, qr_code, "
                          "expected_at, dispatched_at, delivered_at, max_temperature, created_at, "
                          "updated_at",
                          tables_write_deliveries, false},
    [TABLE_LOGISTICS_METRICS] = {"logistics_metrics",
                                 "id, location_id, period_start, lead_time_days, on_time_rate, "
                                 "stockout_rate, wastage_rate, created_at, updated_at",
                                 tables_write_metrics, false},
    [TABLE_CCE_TELEMETRY] = {"cce_telemetry",
                             "id, facility_id, recorded_at, temperature, temperature_out_of_range, "
                             "power_on, equipment_id",
                             tables_write_telemetry, true},
    [TABLE_AUDIT_LOGS] = {"audit_logs",
                          "id, user_id, entity_id, created_at, action, entity_type, changes",
                          tables_write_audit, true},
    [TABLE_SYNC_LOGS] = {"sync_logs",
                         "id, resource, status, records_processed, records_failed, error_message, "
                         "started_at, finished_at",
                         tables_write_sync, false},
};

/* By hand: this runs for every snapshot, where printf would take most of the time. */
void tables_lot_number(char text[LOT_NUMBER_LENGTH + 1], uint8_t vaccine, uint16_t month)
{
    const char *prefix = dataset_vaccines[vaccine].batch_prefix;
    uint32_t digits = (uint32_t)month / 12 % 100 * 100 + month % 12 + 1;
    for (size_t i = 0; i < 3; i++)
        text[i] = prefix[i];
    for (size_t i = LOT_NUMBER_LENGTH; i > 3; i--) {
        text[i - 1] = (char)('0' + digits % 10);
        digits /= 10;
    }
    text[LOT_NUMBER_LENGTH] = '\0';
}
