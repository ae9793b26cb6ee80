#include "dataset/simulate.h"

#include "base/arena.h"
#include "dataset/calendar.h"

#include <assert.h>

/* Per cent of the usual turnout by month: rains and farm work keep people at home, the dry season
 * brings campaigns. */
static const uint8_t season_percent[12] = {108, 112, 114, 106, 98, 92, 86, 84, 90, 98, 108, 104};

#define NEAR_EXPIRY_DAYS 90

int32_t pair_stock_centimonths(const Pair *pair)
{
    int64_t centimonths = (int64_t)pair->balance * 100 / pair->consumption;
    return pair->balance > 0 && centimonths == 0 ? 1 : (int32_t)centimonths;
}

Status pair_status(const Pair *pair)
{
    int32_t centimonths = pair_stock_centimonths(pair);
    if (pair->balance == 0)
        return STATUS_STOCKOUT;
    if (centimonths < MIN_CENTIMONTHS)
        return STATUS_UNDERSTOCKED;
    return centimonths <= MAX_CENTIMONTHS ? STATUS_OPTIMAL : STATUS_OVERSTOCKED;
}

static uint32_t pair_index(uint32_t facility, uint8_t vaccine)
{
    return facility * VACCINE_COUNT + vaccine;
}

static bool begins_later(const Simulation *simulation, uint8_t vaccine)
{
    return simulation->day == 0 &&
           pair_index(simulation->facility, vaccine) < simulation->world->first_pair;
}

static void set_lot(Pair *pair, uint8_t vaccine, uint16_t month)
{
    pair->lot_month = month;
    pair->lot_expiry =
        month_first_day((uint32_t)month + dataset_vaccines[vaccine].shelf_life_months);
    pair->heat = 0;
    pair->vvm_stage = 1;
}

static void tell_event(Simulation *simulation, EventKind kind, uint8_t vaccine, uint32_t began,
                       uint32_t resolved, int32_t detail)
{
    const Observer *observer = simulation->observer;
    if (!observer->event)
        return;
    if (resolved != NO_DAY && resolved >= simulation->world->day_count)
        resolved = NO_DAY;
    Event event = {kind, vaccine, simulation->facility, began, resolved, detail};
    if (!observer->event(observer->data, simulation, &event))
        simulation->stopped = true;
}

/* Every change of a balance goes through here. */
static void move_stock(Simulation *simulation, uint8_t vaccine, Movement movement, int32_t quantity)
{
    Pair *pair = &simulation->pairs[pair_index(simulation->facility, vaccine)];
    const Observer *observer = simulation->observer;
    if (quantity == 0)
        return;
    pair->balance += quantity;
    assert(pair->balance >= 0);
    if (observer->movement &&
        !observer->movement(observer->data, simulation, vaccine, pair, movement, quantity))
        simulation->stopped = true;
    if (pair->balance == 0 && pair->stockout_since == NO_DAY) {
        pair->stockout_since = simulation->day;
    } else if (pair->balance > 0 && pair->stockout_since != NO_DAY) {
        tell_event(simulation, EVENT_STOCKOUT, vaccine, pair->stockout_since, simulation->day,
                   (int32_t)(simulation->day - pair->stockout_since));
        pair->stockout_since = NO_DAY;
    }
}

/* Doses on the table of a session: demand of a month, spread over its sessions, by season and
 * chance; the fraction of a dose is rounded by chance, so that small numbers come out right. */
static int32_t session_demand(const Simulation *simulation, const Pair *pair, uint64_t hash)
{
    const Facility *facility = &simulation->world->facilities[simulation->facility];
    uint32_t month = civil_from_days(simulation->date).month - 1u;
    int64_t centidoses = (int64_t)pair->typical * 7 * 100 / (30 * facility->sessions);
    centidoses = centidoses * season_percent[month] / 100;
    centidoses = centidoses * (50 + random_below(hash, 0, 101)) / 100;
    return (int32_t)((centidoses + random_below(hash, 24, 100)) / 100);
}

static void order(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    const World *world = simulation->world;
    const Facility *facility = &world->facilities[simulation->facility];
    int32_t target = (int32_t)((int64_t)pair->consumption * pair->target_tenths / 10);
    int32_t requested = target > pair->balance ? target - pair->balance : 0;
    int32_t vial = dataset_vaccines[vaccine].doses_per_vial;
    requested = (requested + vial - 1) / vial * vial;

    /* A shortage hits a vaccine in a whole state for a quarter. */
    uint64_t quarter = (uint64_t)(uint32_t)simulation->date / 91;
    uint64_t shortage = random_u64(world->seed, DRAW_SHORTAGE,
                                   (uint64_t)facility->state * VACCINE_COUNT + vaccine, quarter);
    uint64_t own = random_u64(world->seed, DRAW_FILL, pair_index(simulation->facility, vaccine),
                              simulation->day);
    uint32_t filled = random_below(shortage, 0, 100) < 20 ? random_below(own, 0, 30)
                                                          : 88 + random_below(own, 0, 15);
    pair->ordered =
        (int32_t)((int64_t)requested * (filled > 100 ? 100 : filled) / 100 / vial * vial);
    const Observer *observer = simulation->observer;
    if (observer->line && !observer->line(observer->data, simulation, vaccine, pair, requested))
        simulation->stopped = true;
}

/* Deliveries bring lots with most of their life before them, and now and then one that has not. */
static void receive(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    uint64_t hash = random_u64(simulation->world->seed, DRAW_LOT,
                               (uint64_t)simulation->world->facilities[simulation->facility].state *
                                       VACCINE_COUNT +
                                   vaccine,
                               (uint64_t)(uint32_t)simulation->date / 15);
    uint32_t life = dataset_vaccines[vaccine].shelf_life_months;
    uint32_t age =
        random_below(hash, 0, 100) < 6 ? life - 4 : 4 + random_below(hash, 32, life / 2 - 4);
    uint16_t month = (uint16_t)(month_index(simulation->date) - age);
    if (pair->balance == 0 || month > pair->lot_month)
        set_lot(pair, vaccine, month);
    move_stock(simulation, vaccine, MOVE_RECEIPT, pair->ordered);
    pair->ordered = 0;
}

/* Heat and age: vials past their date or at the last stage of their monitor are destroyed. */
static void spoil(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    if (pair->balance == 0)
        return;
    int32_t left = pair->lot_expiry - simulation->date;
    if (left == NEAR_EXPIRY_DAYS)
        tell_event(simulation, EVENT_NEAR_EXPIRY, vaccine, simulation->day, simulation->day + 14,
                   pair->balance);
    bool worn = pair->vvm_stage == 4; /* since yesterday */
    if (left < 0 || worn) {
        move_stock(simulation, vaccine, MOVE_LOSS, -pair->balance);
        pair->heat = 0;
        pair->vvm_stage = 1;
        return;
    }
    if (!simulation->cold.excursions)
        return;
    pair->heat = (uint16_t)(pair->heat + simulation->cold.excursions);
    uint32_t stage = 1u + (uint32_t)pair->heat / dataset_vaccines[vaccine].heat_to_stage_2;
    stage = stage > 4 ? 4 : stage;
    if (stage > pair->vvm_stage && stage >= 3)
        tell_event(simulation, stage == 3 ? EVENT_VVM_STAGE_3 : EVENT_VVM_STAGE_4, vaccine,
                   simulation->day, simulation->day + (stage == 3 ? 21 : 1), pair->balance);
    pair->vvm_stage = (uint8_t)stage;
}

/* A facility that has run out asks the one before it, in the same state, once a week. Both book it
 * the next day. */
static void ask_neighbour(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    const World *world = simulation->world;
    uint32_t facility = simulation->facility;
    if (pair->balance > 0 || facility == 0 || (simulation->day + facility) % 7 != 0 ||
        world->facilities[facility - 1].state != world->facilities[facility].state)
        return;
    Pair *neighbour = pair - VACCINE_COUNT;
    int32_t vial = dataset_vaccines[vaccine].doses_per_vial;
    int32_t quantity = pair->typical / 2;
    if (quantity > neighbour->balance / 3)
        quantity = neighbour->balance / 3;
    quantity = quantity / vial * vial;
    if (quantity <= 0 || neighbour->outgoing || pair_status(neighbour) == STATUS_UNDERSTOCKED)
        return;
    neighbour->outgoing = quantity;
    pair->incoming = quantity;
    pair->incoming_month = neighbour->lot_month;
    const Observer *observer = simulation->observer;
    if (observer->transfer && !observer->transfer(observer->data, simulation, vaccine, facility - 1,
                                                  quantity, neighbour->lot_month))
        simulation->stopped = true;
}

static void book_transfers(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    if (pair->outgoing) {
        int32_t quantity = pair->outgoing;
        pair->outgoing = 0;
        move_stock(simulation, vaccine, MOVE_ADJUSTMENT, -quantity);
    }
    if (pair->incoming) {
        int32_t quantity = pair->incoming;
        pair->incoming = 0;
        if (pair->balance == 0)
            set_lot(pair, vaccine, pair->incoming_month);
        move_stock(simulation, vaccine, MOVE_ADJUSTMENT, quantity);
    }
}

static void use(Simulation *simulation, uint8_t vaccine, Pair *pair)
{
    const Facility *facility = &simulation->world->facilities[simulation->facility];
    uint64_t hash = random_u64(simulation->world->seed, DRAW_DEMAND,
                               pair_index(simulation->facility, vaccine), simulation->day);
    if (facility->session_days >> weekday_of(simulation->date) & 1) {
        int32_t demand = session_demand(simulation, pair, hash);
        int32_t issued = demand < pair->balance ? demand : pair->balance;
        move_stock(simulation, vaccine, MOVE_ISSUE, -issued);
        pair->issued += issued;
    }
    /* The monthly count finds a few doses more or less than the book. */
    if (random_below(hash, 32, 600) == 0 && pair->balance > 0) {
        int32_t off = (int32_t)(hash >> 56 & 7) - 4;
        off = off < -pair->balance ? -pair->balance : off;
        move_stock(simulation, vaccine, MOVE_ADJUSTMENT, off);
        if (off <= -4)
            tell_event(simulation, EVENT_RECONCILIATION_MISMATCH, vaccine, simulation->day,
                       simulation->day + 5, -off);
    }
}

/* Consumption shown is the mean of the last three complete months, but not less than a third of the
 * usual: months without stock say nothing about need. */
static void close_month(Pair *pair)
{
    int32_t mean = (pair->issued + pair->issued_before[0] + pair->issued_before[1]) / 3;
    pair->issued_before[1] = pair->issued_before[0];
    pair->issued_before[0] = pair->issued;
    pair->issued = 0;
    int32_t floor = pair->typical / 3;
    pair->consumption = mean > floor ? mean : floor;
    if (pair->consumption < 1)
        pair->consumption = 1;
}

static void step_pair(Simulation *simulation, uint8_t vaccine, bool new_month)
{
    Pair *pair = &simulation->pairs[pair_index(simulation->facility, vaccine)];
    if (new_month)
        close_month(pair);
    book_transfers(simulation, vaccine, pair);
    if (simulation->cycle_day == simulation->cycle.arrival && !simulation->cycle.rejected)
        receive(simulation, vaccine, pair);
    spoil(simulation, vaccine, pair);
    use(simulation, vaccine, pair);
    if (simulation->cycle_day == 0)
        order(simulation, vaccine, pair);
    ask_neighbour(simulation, vaccine, pair);
    const Observer *observer = simulation->observer;
    if (observer->snapshot && !observer->snapshot(observer->data, simulation, vaccine, pair))
        simulation->stopped = true;
}

static void facility_events(Simulation *simulation)
{
    const ColdDay *cold = &simulation->cold;
    uint32_t day = simulation->day;
    if (cold->cut_hours > HOLDOVER_HOURS)
        tell_event(simulation, EVENT_POWER_OUTAGE, NO_VACCINE, day, day + 1, cold->cut_hours);
    if (cold->excursions)
        tell_event(simulation, EVENT_TEMPERATURE_EXCURSION, NO_VACCINE, day, day + 1,
                   cold->excursions);
    const Cycle *cycle = &simulation->cycle;
    if (simulation->cycle_day == cycle->lead && cycle->arrival > cycle->lead && !cycle->rejected)
        tell_event(simulation, EVENT_DELIVERY_DELAY, NO_VACCINE, day,
                   day + cycle->arrival - cycle->lead, cycle->arrival - cycle->lead);
}

static void step_facility(Simulation *simulation, bool new_month)
{
    const Facility *facility = &simulation->world->facilities[simulation->facility];
    simulation->cold = coldchain_day(simulation->world, simulation->facility, simulation->day);
    simulation->cycle = world_cycle(simulation->world, simulation->facility, simulation->day);
    simulation->cycle_day = world_cycle_day(facility, simulation->day);
    facility_events(simulation);
    for (uint8_t vaccine = 0; vaccine < VACCINE_COUNT && !simulation->stopped; vaccine++)
        if (!begins_later(simulation, vaccine))
            step_pair(simulation, vaccine, new_month);
    if (simulation->cycle_day == 0)
        simulation->requisitions++;
}

/* The stock with which a pair enters the series, as if it had been simulated before. */
static void open_pair(Simulation *simulation, uint8_t vaccine)
{
    const World *world = simulation->world;
    uint32_t index = pair_index(simulation->facility, vaccine);
    Pair *pair = &simulation->pairs[index];
    uint64_t hash = random_u64(world->seed, DRAW_PAIR, index, 0);
    uint64_t opening = random_u64(world->seed, DRAW_OPENING, index, 0);
    /* Births a year are 37 in a thousand people. */
    int64_t typical = (int64_t)world->facilities[simulation->facility].catchment * 37 *
                      dataset_vaccines[vaccine].doses_per_100_births / (12 * 1000 * 100);
    pair->typical = (int32_t)(typical * (80 + random_below(hash, 0, 41)) / 100) + 2;
    pair->consumption = pair->typical;
    pair->issued_before[0] = pair->issued_before[1] = pair->typical;
    pair->issued = pair->typical * (civil_from_days(simulation->date).day - 1) / 30;
    pair->target_tenths = (uint8_t)(44 + random_below(hash, 32, 28));
    pair->stockout_since = NO_DAY;

    uint32_t tenths = 12 + random_below(opening, 0, 50);
    if (opening >> 57 < 8)
        tenths = (uint32_t)(opening >> 50 & 7);
    uint32_t life = dataset_vaccines[vaccine].shelf_life_months;
    uint32_t age = 4 + random_below(opening, 8, life - 6);
    set_lot(pair, vaccine, (uint16_t)(month_index(simulation->date) - age));
    int32_t balance = (int32_t)((int64_t)pair->typical * tenths / 10);
    if (balance)
        move_stock(simulation, vaccine, MOVE_ADJUSTMENT, balance);
    else
        pair->stockout_since = simulation->day;

    /* What was ordered before the series began is on its way. */
    uint32_t cycle_day = world_cycle_day(&world->facilities[simulation->facility], simulation->day);
    if (cycle_day > 0 && pair->consumption * pair->target_tenths / 10 > balance)
        pair->ordered = pair->consumption * pair->target_tenths / 10 - balance;
}

static void open_pairs(Simulation *simulation)
{
    const World *world = simulation->world;
    simulation->opening = true;
    for (uint32_t f = 0; f < world->facility_count && !simulation->stopped; f++) {
        simulation->facility = f;
        for (uint8_t v = 0; v < VACCINE_COUNT; v++)
            if ((pair_index(f, v) < world->first_pair) == (simulation->day == 1))
                open_pair(simulation, v);
    }
    simulation->opening = false;
}

/* What is still missing at the end. */
static void close_pairs(Simulation *simulation)
{
    const World *world = simulation->world;
    for (uint32_t f = 0; f < world->facility_count && !simulation->stopped; f++) {
        simulation->facility = f;
        for (uint8_t v = 0; v < VACCINE_COUNT; v++) {
            const Pair *pair = &simulation->pairs[pair_index(f, v)];
            if (pair->consumption && pair->stockout_since != NO_DAY)
                tell_event(simulation, EVENT_STOCKOUT, v, pair->stockout_since, NO_DAY,
                           (int32_t)(simulation->day - pair->stockout_since));
        }
    }
}

bool simulate(const World *world, const Observer *observer)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Pair *pairs = arena_array(arena, (size_t)world->facility_count * VACCINE_COUNT, sizeof(*pairs));
    Simulation simulation = {.world = world, .observer = observer, .pairs = pairs};
    for (uint32_t day = 0; day < world->day_count && !simulation.stopped; day++) {
        simulation.day = day;
        simulation.date = world->first_day + (int32_t)day;
        bool new_month = day > 0 && civil_from_days(simulation.date).day == 1;
        if (day <= 1)
            open_pairs(&simulation);
        for (uint32_t f = 0; f < world->facility_count && !simulation.stopped; f++) {
            simulation.facility = f;
            step_facility(&simulation, new_month);
        }
    }
    if (!simulation.stopped)
        close_pairs(&simulation);
    return !simulation.stopped;
}
