/* Snapshots, ledger and alerts: what the simulation tells. */
#include "dataset/simulate.h"
#include "dataset/tables.h"

#include <assert.h>

typedef struct {
    const World *world;
    CopyWriter *writer;
    uint64_t index; /* of the next row */
    /* The ledger: movements of one facility and vaccine on one day follow each other. */
    uint32_t last_facility;
    uint32_t last_day;
    uint32_t sequence;
    uint8_t last_vaccine;
} Stock;

static const char *const status_labels[] = {"optimal", "understocked", "stockout", "overstocked"};
static const char *const movement_labels[] = {"receipt", "issue", "adjustment", "loss"};

/* Where in the round of all facilities and vaccines, as a part of span. Rows of a day so have
 * rising times in the order in which they are written. */
static int64_t turn_us(const Simulation *simulation, uint8_t vaccine, int64_t span_us)
{
    int64_t pairs = (int64_t)simulation->world->facility_count * VACCINE_COUNT;
    return span_us / pairs * ((int64_t)simulation->facility * VACCINE_COUNT + vaccine);
}

static bool write_snapshot(void *data, const Simulation *simulation, uint8_t vaccine,
                           const Pair *pair)
{
    Stock *stock = data;
    CopyWriter *writer = stock->writer;
    if (!copy_row(writer, 15))
        return false;
    const World *world = stock->world;
    Uuid id = world_id(world, TABLE_STOCK_SNAPSHOTS, stock->index++);
    char lot[LOT_NUMBER_LENGTH + 1];
    tables_lot_number(lot, vaccine, pair->lot_month);
    int32_t decideg = coldchain_decideg(&simulation->cold, 17);
    /* Oral polio is kept in the freezer compartment. */
    if (dataset_vaccines[vaccine].storage_max_c < 0)
        decideg -= 245;
    copy_uuid(writer, &id);
    copy_uuid(writer, &world->facilities[simulation->facility].id);
    copy_uuid(writer, &world->vaccine_ids[vaccine]);
    copy_time(writer, time_at(world, simulation->day,
                              17 * HOUR_US + turn_us(simulation, vaccine, 2 * HOUR_US)));
    copy_time(writer, time_at(world, simulation->day,
                              20 * HOUR_US + turn_us(simulation, vaccine, 2 * HOUR_US)));
    copy_date(writer, simulation->date);
    copy_date(writer, pair->lot_expiry);
    copy_int32(writer, pair->balance);
    copy_int32(writer, pair->consumption);
    copy_real(writer, pair_stock_centimonths(pair), 100);
    copy_text(writer, status_labels[pair_status(pair)]);
    copy_real(writer, decideg, 10);
    copy_int16(writer, simulation->cold.excursions);
    copy_int16(writer, pair->vvm_stage);
    copy_bytes(writer, lot, LOT_NUMBER_LENGTH);
    return true;
}

void tables_write_snapshots(const World *world, CopyWriter *writer)
{
    Stock stock = {.world = world, .writer = writer};
    Observer observer = {.data = &stock, .snapshot = write_snapshot};
    bool finished = simulate(world, &observer);
    assert(!finished || writer->rows == world->rows);
}

static bool write_movement(void *data, const Simulation *simulation, uint8_t vaccine,
                           const Pair *pair, Movement movement, int32_t quantity)
{
    Stock *stock = data;
    CopyWriter *writer = stock->writer;
    if (!copy_row(writer, 9))
        return false;
    const World *world = stock->world;
    bool same = stock->last_facility == simulation->facility && stock->last_vaccine == vaccine &&
                stock->last_day == simulation->day;
    stock->sequence = same ? stock->sequence + 1 : 0;
    stock->last_facility = simulation->facility;
    stock->last_vaccine = vaccine;
    stock->last_day = simulation->day;
    Uuid id = world_id(world, TABLE_STOCK_LEDGER, stock->index++);
    char lot[LOT_NUMBER_LENGTH + 1];
    tables_lot_number(lot, vaccine, pair->lot_month);
    int64_t hour = simulation->opening ? 5 : 7;
    copy_uuid(writer, &id);
    copy_uuid(writer, &world->facilities[simulation->facility].id);
    copy_uuid(writer, &world->vaccine_ids[vaccine]);
    copy_time(writer,
              time_at(world, simulation->day,
                      hour * HOUR_US + turn_us(simulation, vaccine, (hour - 3) * 2 * HOUR_US) +
                          stock->sequence));
    copy_date(writer, simulation->date);
    copy_text(writer, movement_labels[movement]);
    copy_int32(writer, quantity);
    copy_int32(writer, pair->balance);
    copy_bytes(writer, lot, LOT_NUMBER_LENGTH);
    return true;
}

void tables_write_ledger(const World *world, CopyWriter *writer)
{
    Stock stock = {.world = world, .writer = writer, .last_day = NO_DAY};
    Observer observer = {.data = &stock, .movement = write_movement};
    (void)simulate(world, &observer);
}

enum { LOW, MEDIUM, HIGH, CRITICAL };
static const char *const severity_labels[] = {"low", "medium", "high", "critical"};

typedef struct {
    const char *label;
    const char *title;  /* after the vaccine, when there is one */
    const char *detail; /* name of the number in data */
    uint8_t severity;
    uint8_t grave; /* severity when the number reaches grave_from */
    int32_t grave_from;
} AlertKind;

static const AlertKind alert_kinds[] = {
    [EVENT_STOCKOUT] = {"stockout", "out of stock", "days", HIGH, CRITICAL, 3},
    [EVENT_NEAR_EXPIRY] = {"near_expiry", "expires within 90 days", "doses", MEDIUM, HIGH, 500},
    [EVENT_TEMPERATURE_EXCURSION] = {"temperature_excursion", "Refrigerator out of range", "hours",
                                     HIGH, CRITICAL, 4},
    [EVENT_VVM_STAGE_3] = {"vvm_stage_3", "vial monitor at stage 3", "doses", HIGH, HIGH, 0},
    [EVENT_VVM_STAGE_4] = {"vvm_stage_4", "vial monitor at stage 4", "doses", CRITICAL, CRITICAL,
                           0},
    [EVENT_POWER_OUTAGE] = {"power_outage", "Power outage", "hours", MEDIUM, HIGH, 9},
    [EVENT_DELIVERY_DELAY] = {"delivery_delay", "Delivery delayed", "days", MEDIUM, HIGH, 14},
    [EVENT_RECONCILIATION_MISMATCH] = {"reconciliation_mismatch", "count differs from the book",
                                       "doses", LOW, LOW, 0},
};

static void write_alert_times(Stock *stock, const Event *event, uint64_t hash)
{
    CopyWriter *writer = stock->writer;
    const World *world = stock->world;
    int64_t created = time_at(world, event->began,
                              6 * HOUR_US + (int64_t)random_below(hash, 0, 36000) * SECOND_US);
    bool resolved = event->resolved != NO_DAY;
    bool acknowledged = resolved || random_below(hash, 24, 100) < 55;
    int64_t acknowledged_at = created + (300 + (int64_t)random_below(hash, 12, 14000)) * SECOND_US;
    int64_t updated = acknowledged ? acknowledged_at : created;
    copy_bool(writer, acknowledged);
    if (acknowledged) {
        uint32_t officer = FIRST_LGA_USER + world->facilities[event->facility].lga;
        Uuid user = world_id(world, TABLE_USERS, officer);
        copy_uuid(writer, &user);
        copy_time(writer, acknowledged_at);
    } else {
        copy_null(writer);
        copy_null(writer);
    }
    if (resolved) {
        updated = time_at(world, event->resolved,
                          20 * HOUR_US + (int64_t)random_below(hash, 32, 7200) * SECOND_US);
        copy_time(writer, updated);
    } else {
        copy_null(writer);
    }
    copy_time(writer, created);
    copy_time(writer, updated);
}

/* Alerts come when they are resolved, the open ones last: in a table whose rows are updated on that
 * day, this is where the server has put them. */
static bool write_alert(void *data, const Simulation *simulation, const Event *event)
{
    Stock *stock = data;
    CopyWriter *writer = stock->writer;
    (void)simulation;
    if (!copy_row(writer, 15))
        return false;
    const World *world = stock->world;
    const Facility *facility = &world->facilities[event->facility];
    const AlertKind *kind = &alert_kinds[event->kind];
    uint64_t hash = random_u64(world->seed, DRAW_ALERT, stock->index, 0);
    Uuid id = world_id(world, TABLE_ALERTS, stock->index++);
    Uuid lga = world_id(world, TABLE_LOCATIONS, FIRST_LGA + facility->lga);
    Uuid state = world_id(world, TABLE_LOCATIONS, FIRST_STATE + facility->state);
    bool grave = event->detail >= kind->grave_from;
    copy_uuid(writer, &id);
    copy_uuid(writer, &facility->id);
    copy_uuid(writer, &lga);
    copy_uuid(writer, &state);
    if (event->vaccine == NO_VACCINE)
        copy_null(writer);
    else
        copy_uuid(writer, &world->vaccine_ids[event->vaccine]);
    copy_text(writer, kind->label);
    copy_text(writer, severity_labels[grave ? kind->grave : kind->severity]);
    if (event->vaccine == NO_VACCINE)
        copy_text(writer, kind->title);
    else
        copy_textf(writer, "%s %s", dataset_vaccines[event->vaccine].code, kind->title);
    copy_jsonf(writer, "{\"%s\": %d}", kind->detail, event->detail);
    write_alert_times(stock, event, hash);
    return true;
}

void tables_write_alerts(const World *world, CopyWriter *writer)
{
    Stock stock = {.world = world, .writer = writer};
    Observer observer = {.data = &stock, .event = write_alert};
    (void)simulate(world, &observer);
}
