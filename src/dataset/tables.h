/* The rows of each table, in the order of time, as COPY BINARY. */
#pragma once

#include "dataset/copy_writer.h"
#include "dataset/world.h"

typedef struct {
    const char *name;
    const char *columns; /* in the order of the fields, separated by ", " */
    /* Every row; stops when the writer did. */
    void (*write)(const World *world, CopyWriter *writer);
    bool large; /* worth a progress bar of its own */
} DataTable;

extern const DataTable dataset_tables[TABLE_COUNT];

/* The writers, by file. */
void tables_write_locations(const World *world, CopyWriter *writer);
void tables_write_vaccines(const World *world, CopyWriter *writer);
void tables_write_users(const World *world, CopyWriter *writer);
void tables_write_product_batches(const World *world, CopyWriter *writer);
void tables_write_snapshots(const World *world, CopyWriter *writer);
void tables_write_ledger(const World *world, CopyWriter *writer);
void tables_write_alerts(const World *world, CopyWriter *writer);
void tables_write_line_items(const World *world, CopyWriter *writer);
void tables_write_transfers(const World *world, CopyWriter *writer);
void tables_write_requisitions(const World *world, CopyWriter *writer);
void tables_write_deliveries(const World *world, CopyWriter *writer);
void tables_write_metrics(const World *world, CopyWriter *writer);
void tables_write_telemetry(const World *world, CopyWriter *writer);
void tables_write_audit(const World *world, CopyWriter *writer);
void tables_write_sync(const World *world, CopyWriter *writer);

/* Times, in microseconds since 1970-01-01 UTC. hour is UTC; Nigeria is one ahead all year. */
#define SECOND_US ((int64_t)1000000)
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)
static inline int64_t time_at(const World *world, int64_t day, int64_t offset_us)
{
    return (world->first_day + day) * DAY_US + offset_us;
}

/* "PEN2605": the vaccine, year and month of manufacture. */
#define LOT_NUMBER_LENGTH 7
void tables_lot_number(char text[LOT_NUMBER_LENGTH + 1], uint8_t vaccine, uint16_t month);
