/* Requisitions, what they order, deliveries, transfers and the figures of logistics. */
#include "base/arena.h"
#include "dataset/calendar.h"
#include "dataset/simulate.h"
#include "dataset/tables.h"

/* Days from the order to each step of its approval. */
#define SUBMITTED_AFTER  1
#define AUTHORIZED_AFTER 2
#define REJECTED_AFTER   3
#define APPROVED_AFTER   4
#define RELEASED_AFTER   6
/* Days of transport before the promised date. */
#define TRANSPORT_DAYS 2

typedef struct {
    uint64_t index;
    uint32_t facility;
    uint32_t day; /* of the order */
    Cycle cycle;
} Requisition;

/* Every requisition in the order of time: the one walk that all tables here share. each returns
 * false to stop. */
static void each_requisition(const World *world,
                             bool (*each)(void *data, const Requisition *requisition), void *data)
{
    uint64_t index = 0;
    for (uint32_t day = 0; day < world->day_count; day++)
        for (uint32_t f = 0; f < world->facility_count; f++) {
            if (world_cycle_day(&world->facilities[f], day) != 0)
                continue;
            Requisition requisition = {index++, f, day, world_cycle(world, f, day)};
            if (!each(data, &requisition))
                return;
        }
}

typedef struct {
    const World *world;
    CopyWriter *writer;
    uint64_t index;
} Logistics;

static bool happened(const World *world, const Requisition *requisition, uint32_t after)
{
    return requisition->day + after < world->day_count;
}

/* Facilities write at slightly different times of a day. */
static int64_t step_time(const World *world, const Requisition *requisition, uint32_t after)
{
    return time_at(world, requisition->day + after,
                   9 * HOUR_US + (int64_t)(requisition->facility % 10000) * SECOND_US);
}

static void copy_step(CopyWriter *writer, const World *world, const Requisition *requisition,
                      uint32_t after, bool applies)
{
    if (applies && happened(world, requisition, after))
        copy_time(writer, step_time(world, requisition, after));
    else
        copy_null(writer);
}

typedef struct {
    const char *label;
    uint32_t after;
} Step;

/* The last step that happened. */
static Step requisition_step(const World *world, const Requisition *requisition)
{
    const Cycle *cycle = &requisition->cycle;
    const Step steps[] = {
        {"received", cycle->arrival},     {"shipped", cycle->lead - TRANSPORT_DAYS},
        {"released", RELEASED_AFTER},     {"approved", APPROVED_AFTER},
        {"authorized", AUTHORIZED_AFTER}, {"submitted", SUBMITTED_AFTER},
    };
    if (cycle->rejected && happened(world, requisition, REJECTED_AFTER))
        return (Step){"rejected", REJECTED_AFTER};
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (happened(world, requisition, steps[i].after))
            return steps[i];
    return (Step){"initiated", 0};
}

static bool write_requisition(void *data, const Requisition *requisition)
{
    Logistics *logistics = data;
    CopyWriter *writer = logistics->writer;
    const World *world = logistics->world;
    if (!copy_row(writer, 14))
        return false;
    const Facility *facility = &world->facilities[requisition->facility];
    bool granted = !requisition->cycle.rejected;
    Step step = requisition_step(world, requisition);
    int32_t date = world->first_day + (int32_t)requisition->day;
    Uuid id = world_id(world, TABLE_REQUISITIONS, requisition->index);
    Uuid author = world_id(world, TABLE_USERS, FIRST_FACILITY_USER + requisition->facility);
    Uuid officer = world_id(world, TABLE_USERS, FIRST_LGA_USER + facility->lga);
    copy_uuid(writer, &id);
    copy_textf(writer, "RQ-%05u-%d", requisition->facility + 1, date);
    copy_uuid(writer, &facility->id);
    copy_text(writer, step.label);
    copy_bool(writer, requisition->facility % 23 == 0);
    copy_date(writer, date);
    copy_date(writer, date + CYCLE_DAYS - 1);
    copy_uuid(writer, &author);
    if (granted && happened(world, requisition, APPROVED_AFTER))
        copy_uuid(writer, &officer);
    else
        copy_null(writer);
    copy_step(writer, world, requisition, SUBMITTED_AFTER, true);
    copy_step(writer, world, requisition, APPROVED_AFTER, granted);
    copy_step(writer, world, requisition, requisition->cycle.arrival, granted);
    copy_time(writer, step_time(world, requisition, 0));
    copy_time(writer, step_time(world, requisition, step.after));
    return true;
}

void tables_write_requisitions(const World *world, CopyWriter *writer)
{
    Logistics logistics = {world, writer, 0};
    each_requisition(world, write_requisition, &logistics);
}

static void copy_quantity(CopyWriter *writer, bool known, int32_t quantity)
{
    if (known)
        copy_int32(writer, quantity);
    else
        copy_null(writer);
}

static bool write_line(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair,
                       int32_t requested)
{
    Logistics *logistics = data;
    CopyWriter *writer = logistics->writer;
    const World *world = logistics->world;
    if (!copy_row(writer, 9))
        return false;
    Requisition requisition = {simulation->requisitions, simulation->facility, simulation->day,
                               simulation->cycle};
    bool granted = !requisition.cycle.rejected;
    Uuid id = world_id(world, TABLE_REQUISITION_LINE_ITEMS, logistics->index++);
    Uuid parent = world_id(world, TABLE_REQUISITIONS, requisition.index);
    copy_uuid(writer, &id);
    copy_uuid(writer, &parent);
    copy_uuid(writer, &world->vaccine_ids[vaccine]);
    copy_int32(writer, pair->balance);
    copy_int32(writer, requested);
    copy_quantity(writer, granted && happened(world, &requisition, APPROVED_AFTER), pair->ordered);
    copy_quantity(writer, granted && happened(world, &requisition, requisition.cycle.arrival),
                  pair->ordered);
    copy_time(writer, step_time(world, &requisition, 0));
    copy_time(writer, step_time(world, &requisition, requisition_step(world, &requisition).after));
    return true;
}

void tables_write_line_items(const World *world, CopyWriter *writer)
{
    Logistics logistics = {world, writer, 0};
    Observer observer = {.data = &logistics, .line = write_line};
    (void)simulate(world, &observer);
}

static bool write_delivery(void *data, const Requisition *requisition)
{
    Logistics *logistics = data;
    CopyWriter *writer = logistics->writer;
    const World *world = logistics->world;
    const Cycle *cycle = &requisition->cycle;
    if (cycle->rejected || !happened(world, requisition, APPROVED_AFTER))
        return true;
    if (!copy_row(writer, 12))
        return false;
    uint32_t sent_after = cycle->lead - TRANSPORT_DAYS;
    bool sent = happened(world, requisition, sent_after);
    bool delivered = happened(world, requisition, cycle->arrival);
    uint32_t last = delivered ? cycle->arrival : sent ? sent_after : APPROVED_AFTER;
    uint64_t hash = random_u64(world->seed, DRAW_CYCLE, requisition->index, 1);
    Uuid id = world_id(world, TABLE_DELIVERIES, requisition->index);
    Uuid parent = world_id(world, TABLE_REQUISITIONS, requisition->index);
    copy_uuid(writer, &id);
    copy_uuid(writer, &parent);
    copy_uuid(writer, &world->facilities[requisition->facility].id);
    copy_text(writer, delivered ? "delivered" : sent ? "in_transit" : "pending");
    copy_textf(writer, "VXT%09llu", (unsigned long long)requisition->index + 1);
    copy_textf(writer, "https://vaxtrace.example/d/%016llx",
               (unsigned long long)random_mix(hash + requisition->index));
    copy_time(writer, step_time(world, requisition, cycle->lead));
    copy_step(writer, world, requisition, sent_after, true);
    copy_step(writer, world, requisition, cycle->arrival, true);
    if (delivered)
        copy_real(writer, (int32_t)(45 + random_below(hash, 0, 48)), 10);
    else
        copy_null(writer);
    copy_time(writer, step_time(world, requisition, APPROVED_AFTER));
    copy_time(writer, step_time(world, requisition, last));
    return true;
}

void tables_write_deliveries(const World *world, CopyWriter *writer)
{
    Logistics logistics = {world, writer, 0};
    each_requisition(world, write_delivery, &logistics);
}

static bool write_transfer(void *data, const Simulation *simulation, uint8_t vaccine, uint32_t from,
                           int32_t quantity, uint16_t lot_month)
{
    Logistics *logistics = data;
    CopyWriter *writer = logistics->writer;
    const World *world = logistics->world;
    if (!copy_row(writer, 12))
        return false;
    /* Those of the last day are still on their way through the offices. */
    bool done = simulation->day + 1 < world->day_count;
    static const char *const open[] = {"requested", "approved", "in_transit"};
    Uuid id = world_id(world, TABLE_TRANSFERS, logistics->index);
    Uuid author = world_id(world, TABLE_USERS, FIRST_FACILITY_USER + simulation->facility);
    char lot[LOT_NUMBER_LENGTH + 1];
    tables_lot_number(lot, vaccine, lot_month);
    int64_t asked = time_at(world, simulation->day,
                            16 * HOUR_US + (int64_t)(simulation->facility % 7200) * SECOND_US);
    copy_uuid(writer, &id);
    copy_uuid(writer, &world->facilities[from].id);
    copy_uuid(writer, &world->facilities[simulation->facility].id);
    copy_uuid(writer, &world->vaccine_ids[vaccine]);
    copy_int32(writer, quantity);
    copy_bytes(writer, lot, LOT_NUMBER_LENGTH);
    copy_text(writer, done ? "received" : open[logistics->index % COUNT_OF(open)]);
    copy_uuid(writer, &author);
    copy_time(writer, asked);
    if (done)
        copy_time(writer, asked + DAY_US);
    else
        copy_null(writer);
    copy_time(writer, asked);
    copy_time(writer, done ? asked + DAY_US : asked);
    logistics->index++;
    return true;
}

void tables_write_transfers(const World *world, CopyWriter *writer)
{
    Logistics logistics = {world, writer, 0};
    Observer observer = {.data = &logistics, .transfer = write_transfer};
    (void)simulate(world, &observer);
}

/* Sums of a state in a month. */
typedef struct {
    int64_t delivered, on_time, lead_days;
    int64_t snapshots, stockouts;
    int64_t lost, issued;
} Figures;

typedef struct {
    const World *world;
    CopyWriter *writer;
    Figures *figures; /* month x state */
    uint32_t first_month;
} Metrics;

static Figures *figures_of(Metrics *metrics, uint32_t facility, uint32_t day)
{
    uint32_t month = month_index(metrics->world->first_day + (int32_t)day) - metrics->first_month;
    return &metrics->figures[month * STATE_COUNT + metrics->world->facilities[facility].state];
}

static bool count_requisition(void *data, const Requisition *requisition)
{
    Metrics *metrics = data;
    const Cycle *cycle = &requisition->cycle;
    if (cycle->rejected || !happened(metrics->world, requisition, cycle->arrival))
        return !metrics->writer->stopped;
    Figures *figures =
        figures_of(metrics, requisition->facility, requisition->day + cycle->arrival);
    figures->delivered++;
    figures->on_time += cycle->arrival == cycle->lead;
    figures->lead_days += cycle->arrival;
    return true;
}

static bool count_snapshot(void *data, const Simulation *simulation, uint8_t vaccine,
                           const Pair *pair)
{
    Metrics *metrics = data;
    (void)vaccine;
    Figures *figures = figures_of(metrics, simulation->facility, simulation->day);
    figures->snapshots++;
    figures->stockouts += pair->balance == 0;
    return true;
}

static bool count_movement(void *data, const Simulation *simulation, uint8_t vaccine,
                           const Pair *pair, Movement movement, int32_t quantity)
{
    Metrics *metrics = data;
    (void)vaccine;
    (void)pair;
    Figures *figures = figures_of(metrics, simulation->facility, simulation->day);
    figures->lost += movement == MOVE_LOSS ? -quantity : 0;
    figures->issued += movement == MOVE_ISSUE ? -quantity : 0;
    return true;
}

static void copy_rate(CopyWriter *writer, int64_t part, int64_t whole, int32_t parts)
{
    if (whole > 0)
        copy_real(writer, (int32_t)(part * parts / whole), parts);
    else
        copy_null(writer);
}

static bool write_figures(const Metrics *metrics, uint32_t month, uint8_t state, uint64_t index)
{
    const Figures *figures = &metrics->figures[month * STATE_COUNT + state];
    CopyWriter *writer = metrics->writer;
    if (!copy_row(writer, 9))
        return false;
    Uuid id = world_id(metrics->world, TABLE_LOGISTICS_METRICS, index);
    Uuid location = world_id(metrics->world, TABLE_LOCATIONS, FIRST_STATE + state);
    int32_t first = month_first_day(metrics->first_month + month);
    int64_t written = month_first_day(metrics->first_month + month + 1) * DAY_US + HOUR_US;
    int64_t end = time_at(metrics->world, metrics->world->day_count, -HOUR_US);
    written = written < end ? written : end;
    copy_uuid(writer, &id);
    copy_uuid(writer, &location);
    copy_date(writer, first);
    copy_rate(writer, figures->lead_days, figures->delivered, 10);
    copy_rate(writer, figures->on_time, figures->delivered, 1000);
    copy_rate(writer, figures->stockouts, figures->snapshots, 1000);
    copy_rate(writer, figures->lost, figures->lost + figures->issued, 1000);
    copy_time(writer, written);
    copy_time(writer, written);
    return true;
}

void tables_write_metrics(const World *world, CopyWriter *writer)
{
    _cleanup_arena_ Arena *arena = arena_create();
    uint32_t first = month_index(world->first_day);
    uint32_t months = month_index(world_last_day(world)) - first + 1;
    Metrics metrics = {
        .world = world,
        .writer = writer,
        .figures = arena_array(arena, (size_t)months * STATE_COUNT, sizeof(Figures)),
        .first_month = first,
    };
    Observer observer = {.data = &metrics, .snapshot = count_snapshot, .movement = count_movement};
    if (!simulate(world, &observer))
        return;
    each_requisition(world, count_requisition, &metrics);
    uint64_t index = 0;
    for (uint32_t month = 0; month < months; month++)
        for (uint8_t state = 0; state < STATE_COUNT; state++)
            if (!write_figures(&metrics, month, state, index++))
                return;
}
