#include "dataset/world.h"

#include "base/str.h"

#include <assert.h>
#include <string.h>

/* Longer series for larger sets, so that both facilities and days grow. */
static uint32_t days_wanted(int64_t rows)
{
    if (rows <= 50000)
        return 30;
    if (rows <= 500000)
        return 60;
    if (rows <= 5000000)
        return 90;
    return rows <= 50000000 ? 180 : 365;
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static void size_world(World *world, int64_t rows, int32_t until)
{
    int64_t facilities = divide_up(rows, (int64_t)VACCINE_COUNT * days_wanted(rows));
    if (facilities > FACILITY_MAX)
        facilities = FACILITY_MAX;
    int64_t pairs = facilities * VACCINE_COUNT;
    int64_t days = divide_up(rows, pairs);
    world->rows = rows;
    world->facility_count = (uint32_t)facilities;
    world->day_count = (uint32_t)days;
    world->first_day = until - (int32_t)days + 1;
    world->first_pair = (uint32_t)(pairs * days - rows);
    assert(world->first_pair < pairs);

    /* At least a million, so that BRIN has something to show; fewer for the smallest sets, which
     * must load at once; a tenth of the snapshots for the largest. */
    int64_t audit = rows < 100000 ? rows * 10 : 1000000;
    world->audit_rows = audit < rows / 10 ? rows / 10 : audit;
}

static void fill_lgas(World *world)
{
    size_t index = 0;
    for (uint8_t s = 0; s < STATE_COUNT; s++) {
        const StateRecord *state = &dataset_states[s];
        const char *name = state->lgas;
        for (uint8_t i = 0; i < state->lga_count; i++) {
            assert(index < LGA_COUNT);
            uint64_t hash = random_u64(world->seed, DRAW_LGA, index, 0);
            uint32_t share = state->population_thousands * 1000u / state->lga_count;
            size_t length = strcspn(name, "|");
            world->lgas[index++] = (Lga){
                .name = name,
                .name_length = length,
                .weight = share / 100 * (60 + random_below(hash, 0, 81)),
                .state = s,
                .ordinal = (uint8_t)(i + 1),
            };
            name += length + (name[length] == '|');
        }
    }
    assert(index == LGA_COUNT);
}

static void fill_facility(const World *world, Facility *facility, uint32_t index)
{
    uint64_t hash = random_u64(world->seed, DRAW_FACILITY, index, 0);
    uint64_t more = random_u64(world->seed, DRAW_FACILITY, index, 1);
    facility->id = world_id(world, TABLE_LOCATIONS, FIRST_FACILITY + index);
    /* Most are small; one in twelve is a hospital. */
    bool hospital = random_below(hash, 0, 12) == 0;
    facility->catchment =
        hospital ? 15000 + random_below(hash, 32, 35000) : 1500 + random_below(hash, 32, 8000);
    facility->phase = (uint8_t)random_below(more, 0, CYCLE_DAYS);
    uint32_t weekday = random_below(more, 24, 5);
    uint32_t two_days = 1u << weekday | 1u << ((weekday + 2) % 5);
    facility->session_days = (uint8_t)(hospital ? 0x1fu : two_days);
    facility->sessions = hospital ? 5 : 2;
    facility->solar = random_below(more, 32, 100) < 45;
}

/* Facility number i stands where the cumulated population passes (i + 1/2) / count of the whole, so
 * any number of them is spread as people live, in the order of states and LGAs. */
static void fill_facilities(Arena *arena, World *world)
{
    uint64_t total = 0;
    for (size_t i = 0; i < LGA_COUNT; i++)
        total += world->lgas[i].weight;
    world->facilities = arena_array(arena, world->facility_count, sizeof(*world->facilities));
    uint16_t lga = 0, ordinal = 0;
    uint64_t passed = world->lgas[0].weight;
    for (uint32_t i = 0; i < world->facility_count; i++) {
        uint64_t point = total * (2u * (uint64_t)i + 1) / (2u * (uint64_t)world->facility_count);
        while (point >= passed && lga + 1 < LGA_COUNT) {
            passed += world->lgas[++lga].weight;
            ordinal = 0;
        }
        Facility *facility = &world->facilities[i];
        fill_facility(world, facility, i);
        facility->lga = lga;
        facility->ordinal = ++ordinal;
        facility->state = world->lgas[lga].state;
    }
}

World *world_create(Arena *arena, int64_t rows, uint64_t seed, int32_t until)
{
    assert(rows >= 1);
    World *world = arena_alloc(arena, sizeof(*world));
    world->seed = seed;
    size_world(world, rows, until);
    fill_lgas(world);
    fill_facilities(arena, world);
    for (size_t v = 0; v < VACCINE_COUNT; v++)
        world->vaccine_ids[v] = world_id(world, TABLE_VACCINES, v);
    return world;
}

Uuid world_id(const World *world, TableIndex table, uint64_t index)
{
    uint64_t halves[2] = {
        random_u64(world->seed, DRAW_ID, (uint64_t)table * 2, index),
        random_u64(world->seed, DRAW_ID, (uint64_t)table * 2 + 1, index),
    };
    Uuid id;
    for (size_t i = 0; i < UUID_BYTES; i++)
        id.bytes[i] = (uint8_t)(halves[i / 8] >> (56 - 8 * (i % 8)));
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40); /* version 4 */
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    return id;
}

Cycle world_cycle(const World *world, uint32_t facility, uint32_t day)
{
    uint32_t number = (day + world->facilities[facility].phase) / CYCLE_DAYS;
    uint64_t hash = random_u64(world->seed, DRAW_CYCLE, facility, number);
    uint32_t fate = random_below(hash, 0, 100);
    uint8_t lead = (uint8_t)(10 + (hash >> 56) % 12);
    uint8_t delay = fate >= 80 ? (uint8_t)(4 + (hash >> 48 & 0xff) % 22) : 0;
    return (Cycle){.lead = lead, .arrival = (uint8_t)(lead + delay), .rejected = fate >= 92};
}
