#include "unit.h"

#include "base/clock.h"
#include "base/str.h"
#include "dataset/calendar.h"
#include "dataset/copy_writer.h"
#include "dataset/dataset.h"
#include "dataset/simulate.h"

#include <string.h>

static int32_t date(const char *text)
{
    int32_t days = 0;
    assert_true(clock_parse_date(text, &days));
    return days;
}

static size_t count_names(const char *names)
{
    size_t count = 1;
    for (; *names; names++)
        count += *names == '|';
    return count;
}

static void nigeria_is_whole(UNUSED void **state)
{
    static const char *const zones[] = {"NC", "NE", "NW", "SE", "SS", "SW"};
    static const size_t states_of_zone[] = {7, 6, 7, 5, 6, 6};
    size_t states[ZONE_COUNT] = {0}, lgas = 0;
    _cleanup_arena_ Arena *arena = arena_create();
    StrList codes;
    str_list_init(&codes, arena);
    for (size_t s = 0; s < STATE_COUNT; s++) {
        const StateRecord *record = &dataset_states[s];
        assert_int_equal(count_names(record->lgas), record->lga_count);
        assert_int_equal(strlen(record->code), 5);
        assert_true(str_starts(record->code, "NG-"));
        assert_false(str_list_has(&codes, record->code));
        str_list_add(&codes, record->code);
        lgas += record->lga_count;
        states[record->zone]++;
    }
    assert_int_equal(lgas, LGA_COUNT);
    for (size_t z = 0; z < ZONE_COUNT; z++) {
        assert_int_equal(states[z], states_of_zone[z]);
        assert_true(str_ends(dataset_zones[z].code, zones[z]));
    }
}

static void states_have_the_lgas_of_life(UNUSED void **state)
{
    static const struct {
        const char *code;
        size_t lgas;
        const char *one;
    } known[] = {{"NG-KN", 44, "Dawakin Tofa"}, {"NG-LA", 20, "Eti-Osa"},
                 {"NG-BY", 8, "Yenagoa"},       {"NG-FC", 6, "Gwagwalada"},
                 {"NG-KT", 34, "Dutsin-Ma"},    {"NG-OY", 33, "Ibadan North"}};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        const StateRecord *found = NULL;
        for (size_t s = 0; s < STATE_COUNT; s++)
            if (str_equal(dataset_states[s].code, known[i].code))
                found = &dataset_states[s];
        assert_non_null(found);
        assert_int_equal(found->lga_count, known[i].lgas);
        assert_non_null(strstr(found->lgas, known[i].one));
    }
}

static void calendar_agrees_with_the_clock(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (int32_t day = date("1996-01-01"); day < date("2104-12-31"); day += 13) {
        CivilDate civil = civil_from_days(day);
        assert_string_equal(
            arena_printf(arena, "%04d-%02d-%02d", civil.year, civil.month, civil.day),
            clock_date(arena, day));
        assert_int_equal(days_from_civil(civil.year, civil.month, civil.day), day);
    }
    assert_int_equal(weekday_of(date("2026-11-23")), 0); /* a Monday */
    assert_int_equal(month_first_day(month_index(date("2024-02-29"))), date("2024-02-01"));
}

/* rows = facilities x vaccines x days, less the pairs that begin on the second day. */
static void worlds_have_the_rows_asked_for(UNUSED void **state)
{
    static const int64_t sizes[] = {1,      11,      12,      13,        999,       50000,
                                    100000, 1000000, 5000001, 100000000, 2000000000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        const World *world = world_create(arena, sizes[i], 1, date("2026-06-30"));
        int64_t pairs = (int64_t)world->facility_count * VACCINE_COUNT;
        assert_int_equal(pairs * world->day_count - world->first_pair, sizes[i]);
        assert_true(world->first_pair < pairs);
        assert_true(world->facility_count <= FACILITY_MAX);
        assert_int_equal(world_last_day(world), date("2026-06-30"));
    }
    _cleanup_arena_ Arena *arena = arena_create();
    assert_int_equal(world_create(arena, 1000000, 1, 20000)->audit_rows, 1000000);
    assert_int_equal(world_create(arena, 100000, 1, 20000)->audit_rows, 1000000);
    assert_int_equal(world_create(arena, 1000, 1, 20000)->audit_rows, 10000);
}

static void facilities_are_spread_as_people_live(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const World *world = world_create(arena, 100000000, 1, date("2026-06-30"));
    size_t in_state[STATE_COUNT] = {0};
    bool in_lga[LGA_COUNT] = {false};
    for (uint32_t f = 0; f < world->facility_count; f++) {
        in_state[world->facilities[f].state]++;
        in_lga[world->facilities[f].lga] = true;
    }
    for (size_t i = 0; i < LGA_COUNT; i++)
        assert_true(in_lga[i]);
    uint64_t people = 0;
    for (size_t s = 0; s < STATE_COUNT; s++)
        people += dataset_states[s].population_thousands;
    for (size_t s = 0; s < STATE_COUNT; s++) {
        uint64_t fair =
            (uint64_t)world->facility_count * dataset_states[s].population_thousands / people;
        assert_in_range(in_state[s], fair * 7 / 10, fair * 13 / 10);
    }
}

typedef struct {
    uint8_t bytes[2 * COPY_BLOCK_BYTES];
    size_t length;
    uint8_t block[COPY_BLOCK_BYTES];
} Capture;

static uint8_t *capture_block(void *data, uint8_t *block, size_t length)
{
    Capture *capture = data;
    assert_true(capture->length + length <= sizeof(capture->bytes));
    memcpy(capture->bytes + capture->length, block, length);
    capture->length += length;
    return block;
}

static void rows_are_encoded_as_the_manual_says(UNUSED void **state)
{
    static Capture capture;
    static const uint8_t expected[] = {
        'P',  'G',  'C',  'O',  'P',  'Y',  '\n', 0xff, '\r', '\n', 0,    0,    0,
        0,    0,    0,    0,    0,    0,    0,    11, /* fields */
        0,    0,    0,    16,   0,    1,    2,    3,    4,    5,    6,    7,    8,
        9,    10,   11,   12,   13,   14,   15,                                 /* uuid */
        0xff, 0xff, 0xff, 0xff,                                                 /* null */
        0,    0,    0,    1,    1,                                              /* true */
        0,    0,    0,    2,    0xff, 0xfe,                                     /* smallint -2 */
        0,    0,    0,    4,    0,    1,    0,    0,                            /* integer 65536 */
        0,    0,    0,    4,    0xc0, 0x20, 0,    0,                            /* real -2.5 */
        0,    0,    0,    8,    0x3f, 0xd0, 0,    0,    0,    0,    0,    0,    /* double 0.25 */
        0,    0,    0,    3,    'a',  '7',  'z',                                /* text */
        0,    0,    0,    3,    1,    '{',  '}',                                /* jsonb */
        0,    0,    0,    4,    0,    0,    0,    1,                            /* 2000-01-02 */
        0,    0,    0,    8,    0,    0,    0,    0,    0,    0x0f, 0x42, 0x40, /* 2000-01-01
                                                                                   00:00:01 */
        0xff, 0xff,
    };
    _cleanup_hash_ HashStream *hash = hash_create();
    CopyWriter writer;
    Uuid id;
    for (uint8_t i = 0; i < UUID_BYTES; i++)
        id.bytes[i] = i;
    copy_begin(&writer, capture.block, hash, capture_block, &capture);
    assert_true(copy_row(&writer, 11));
    copy_uuid(&writer, &id);
    copy_null(&writer);
    copy_bool(&writer, true);
    copy_int16(&writer, -2);
    copy_int32(&writer, 65536);
    copy_real(&writer, -25, 10);
    copy_double(&writer, 25, 100);
    copy_textf(&writer, "a%dz", 7);
    copy_jsonf(&writer, "{}");
    copy_date(&writer, date("2000-01-02"));
    copy_time(&writer, INT64_C(946684801000000));
    copy_end(&writer);
    assert_int_equal(capture.length, sizeof(expected));
    assert_memory_equal(capture.bytes, expected, sizeof(expected));
    char sha256[HASH_HEX_SIZE], wanted[HASH_HEX_SIZE];
    hash_finish(hash, sha256);
    hash_bytes(expected, sizeof(expected), wanted);
    assert_string_equal(sha256, wanted);
}

/* The digest of a small set. It changes when the generator does, and only then: a change of
 * machine, compiler, time zone or load must not show here. */
static void digest_is_the_same_everywhere(UNUSED void **state)
{
    Error err = {0};
    DatasetSpec spec = {.rows = 5000, .seed = 7, .until = date("2026-06-30")};
    DatasetResult first, again, other;
    assert_true(dataset_describe(&spec, &first, &err));
    assert_true(dataset_describe(&spec, &again, &err));
    assert_string_equal(first.digest, again.digest);
    assert_string_equal(first.digest,
                        "fef3505373ab174b3888b4da398ee7c9ca34d549c21592f59cf1160b5e76b709");
    assert_int_equal(first.tables[TABLE_STOCK_SNAPSHOTS].rows, 5000);
    spec.seed = 8;
    assert_true(dataset_describe(&spec, &other, &err));
    assert_string_not_equal(first.digest, other.digest);
}

typedef struct {
    int64_t *balances;
    int64_t rows;
    int64_t stockouts;
} Ledger;

static bool book(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair,
                 Movement movement, int32_t quantity)
{
    Ledger *ledger = data;
    int64_t *balance = &ledger->balances[simulation->facility * VACCINE_COUNT + vaccine];
    *balance += quantity;
    assert_true(quantity != 0);
    assert_true(movement != MOVE_RECEIPT || quantity > 0);
    assert_true((movement != MOVE_ISSUE && movement != MOVE_LOSS) || quantity < 0);
    assert_int_equal(*balance, pair->balance);
    return true;
}

static bool compare(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair)
{
    Ledger *ledger = data;
    assert_int_equal(ledger->balances[simulation->facility * VACCINE_COUNT + vaccine],
                     pair->balance);
    assert_true(pair->lot_expiry >= simulation->date || pair->balance == 0);
    ledger->rows++;
    ledger->stockouts += pair->balance == 0;
    return true;
}

static void snapshots_follow_from_movements(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const World *world = world_create(arena, 200000, 3, date("2026-06-30"));
    Ledger ledger = {.balances = arena_array(arena, (size_t)world->facility_count * VACCINE_COUNT,
                                             sizeof(int64_t))};
    Observer observer = {.data = &ledger, .movement = book, .snapshot = compare};
    assert_true(simulate(world, &observer));
    assert_int_equal(ledger.rows, 200000);
    assert_in_range(ledger.stockouts, 200000 / 200, 200000 / 10);
}

static void status_has_its_bounds(UNUSED void **state)
{
    static const struct {
        int32_t balance;
        Status status;
    } cases[] = {{0, STATUS_STOCKOUT},   {1, STATUS_UNDERSTOCKED}, {2999, STATUS_UNDERSTOCKED},
                 {3000, STATUS_OPTIMAL}, {6009, STATUS_OPTIMAL},   {6010, STATUS_OVERSTOCKED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pair pair = {.balance = cases[i].balance, .consumption = 1000};
        assert_int_equal(pair_status(&pair), cases[i].status);
        assert_int_equal(pair_stock_centimonths(&pair) == 0, cases[i].balance == 0);
    }
}

static void refrigerators_warm_only_without_power(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const World *world = world_create(arena, 100000, 1, date("2026-06-30"));
    size_t cuts = 0, excursions = 0;
    for (uint32_t f = 0; f < world->facility_count; f++)
        for (uint32_t day = 0; day < world->day_count; day++) {
            ColdDay cold = coldchain_day(world, f, day);
            uint32_t hours = 0;
            for (uint32_t hour = 0; hour < 24; hour++) {
                bool out = coldchain_out_of_range(coldchain_decideg(&cold, hour));
                assert_true(!out || !coldchain_power_on(&cold, hour) || cold.freeze_hour < 24);
                hours += out;
            }
            assert_int_equal(hours, cold.excursions);
            cuts += cold.cut_hours > 0;
            excursions += hours > 0;
        }
    assert_true(cuts > excursions && excursions > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nigeria_is_whole),
        cmocka_unit_test(states_have_the_lgas_of_life),
        cmocka_unit_test(calendar_agrees_with_the_clock),
        cmocka_unit_test(worlds_have_the_rows_asked_for),
        cmocka_unit_test(facilities_are_spread_as_people_live),
        cmocka_unit_test(rows_are_encoded_as_the_manual_says),
        cmocka_unit_test(digest_is_the_same_everywhere),
        cmocka_unit_test(snapshots_follow_from_movements),
        cmocka_unit_test(status_has_its_bounds),
        cmocka_unit_test(refrigerators_warm_only_without_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
