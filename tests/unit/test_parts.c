#include "unit.h"

#include "store/parts.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

/* Whole, in order, no part too small, and what is copied is what the ranges say. Returns the bytes
 * that are sent. */
static int64_t check_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count)
{
    PartPlan *parts = parts_plan(arena, size, reuse, count);
    int64_t at = 0;
    int64_t sent = 0;
    assert_true(*count >= 1 && *count <= PARTS_MAX);
    for (size_t i = 0; i < *count; i++) {
        const PartPlan *part = &parts[i];
        assert_int_equal(part->offset, at);
        assert_true(part->length > 0);
        assert_true(part->length >= PART_MIN_BYTES || i + 1 == *count);
        at += part->length;
        if (part->source < 0) {
            sent += part->length;
            continue;
        }
        int64_t copied = 0;
        for (size_t j = 0; reuse && j < reuse->count; j++) {
            const StoreRange *range = &reuse->ranges[j];
            int64_t begin = range->offset > part->offset ? range->offset : part->offset;
            int64_t end = range->offset + range->length;
            end = end < at ? end : at;
            if (begin >= end)
                continue;
            copied += end - begin;
            assert_int_equal(part->source - part->offset, range->source - range->offset);
        }
        assert_int_equal(copied, part->length);
    }
    assert_int_equal(at, size);
    return sent;
}

static int64_t sent_of(const StoreRange *ranges, size_t count, int64_t size, size_t *parts)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StoreReuse reuse = {"object", ranges, count};
    return check_plan(arena, size, &reuse, parts);
}

static void without_reuse_all_is_sent_in_equal_parts(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    size_t count = 0;
    assert_int_equal(check_plan(arena, 1, NULL, &count), 1);
    assert_int_equal(count, 1);
    assert_int_equal(check_plan(arena, 25 * MIB, NULL, &count), 25 * MIB);
    assert_int_equal(count, 4);
    for (int64_t size = GIB; size < 5000 * GIB; size += 777 * (GIB / 10) + 13)
        assert_int_equal(check_plan(arena, size, NULL, &count), size);
    assert_true(count > PARTS_MAX / 4);
}

static void a_small_change_costs_one_part(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange middle[] = {{0, 100 * MIB, 0}, {100 * MIB + 100, 100 * MIB, 100 * MIB + 50}};
    assert_int_equal(sent_of(middle, 2, 200 * MIB + 100, &count), PART_MIN_BYTES);
    assert_int_equal(count, 3);
    const StoreRange begin[] = {{100, 100 * MIB, 50}};
    assert_int_equal(sent_of(begin, 1, 100 * MIB + 100, &count), PART_MIN_BYTES);
    const StoreRange end[] = {{0, 100 * MIB, 0}};
    assert_int_equal(sent_of(end, 1, 100 * MIB + 100, &count), 100);
    assert_int_equal(count, 2);
    const StoreRange all[] = {{0, 100 * MIB, 7}};
    assert_int_equal(sent_of(all, 1, 100 * MIB, &count), 0);
}

/* The neighbour behind is too short to give, the one before is not; then neither is long. */
static void neighbours_give_what_they_can(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange before[] = {{0, 20 * MIB, 0}, {21 * MIB, 6 * MIB, 20 * MIB}};
    assert_int_equal(sent_of(before, 2, 27 * MIB + 10 * MIB, &count), 15 * MIB);
    const StoreRange neither[] = {{0, 6 * MIB, 0}, {7 * MIB, 6 * MIB, 6 * MIB}};
    assert_int_equal(sent_of(neither, 2, 13 * MIB + 10 * MIB, &count), 17 * MIB);
}

static void short_runs_are_not_worth_a_part(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange ranges[] = {{10 * MIB, PART_MIN_BYTES - 1, 0}};
    assert_int_equal(sent_of(ranges, 1, 30 * MIB, &count), 30 * MIB);
    const StoreRange joined[] = {{10 * MIB, 3 * MIB, 0}, {13 * MIB, 3 * MIB, 3 * MIB}};
    assert_int_equal(sent_of(joined, 2, 30 * MIB, &count), 24 * MIB);
    /* In a row here, and not there: two pieces, each too short. */
    const StoreRange apart[] = {{10 * MIB, 3 * MIB, 0}, {13 * MIB, 3 * MIB, 4 * MIB}};
    assert_int_equal(sent_of(apart, 2, 30 * MIB, &count), 30 * MIB);
}

static void ranges_that_cannot_be_are_left_out(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange wrong[] = {{-5, 10 * MIB, 0},      {0, 0, 0},         {0, -1, 0},
                                {0, 10 * MIB, -1},      {0, INT64_MAX, 0}, {INT64_MAX, 1, 0},
                                {25 * MIB, 10 * MIB, 0}};
    assert_int_equal(sent_of(wrong, COUNT_OF(wrong), 30 * MIB, &count), 30 * MIB);
    assert_int_equal(sent_of(NULL, 0, 30 * MIB, &count), 30 * MIB);
}

static void of_two_that_overlap_the_first_counts(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const StoreRange ranges[] = {{0, 10 * MIB, 0}, {9 * MIB, 10 * MIB, 0}};
    StoreReuse reuse = {"object", ranges, COUNT_OF(ranges)};
    size_t count = 0;
    PartPlan *parts = parts_plan(arena, 18 * MIB, &reuse, &count);
    assert_int_equal(count, 2);
    assert_true(parts[0].source == 0 && parts[0].length == 10 * MIB);
    assert_true(parts[1].source < 0 && parts[1].length == 8 * MIB);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Any mixture of old and new: what is sent is the new, and per run of it at most what pads it. */
static void any_mixture(UNUSED void **state)
{
    uint32_t seed = 4;
    for (int round = 0; round < 300; round++) {
        _cleanup_arena_ Arena *arena = arena_create();
        size_t runs = next_random(&seed) % 60;
        int64_t largest = round % 3 == 0 ? 64 * MIB : round % 3 == 1 ? 8 * MIB : 600 * MIB;
        StoreRange *ranges = arena_array(arena, runs, sizeof(*ranges));
        StoreReuse reuse = {"object", ranges, runs};
        int64_t at = 0;
        int64_t new_bytes = 0;
        for (size_t i = 0; i < runs; i++) {
            int64_t fresh = next_random(&seed) % 3 ? (int64_t)next_random(&seed) % largest : 0;
            int64_t length = 1 + (int64_t)next_random(&seed) * 64 % largest;
            ranges[i] = (StoreRange){at + fresh, length, (int64_t)next_random(&seed)};
            at += fresh + length;
            new_bytes += fresh;
        }
        int64_t tail = 1 + (int64_t)next_random(&seed) % (20 * MIB);
        size_t count = 0;
        int64_t sent = check_plan(arena, at + tail, &reuse, &count);
        assert_true(sent >= new_bytes + tail);
        assert_true(sent <= new_bytes + tail + (int64_t)(runs + 1) * 3 * PART_MIN_BYTES);
    }
}

/* Ten thousand changes, each between runs that are just worth a part. */
static void too_many_runs_are_joined(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    size_t runs = 20000;
    StoreRange *ranges = arena_array(arena, runs, sizeof(*ranges));
    StoreReuse reuse = {"object", ranges, runs};
    for (size_t i = 0; i < runs; i++)
        ranges[i] = (StoreRange){(int64_t)i * 13 * MIB + 6 * MIB, 7 * MIB, (int64_t)i * 13 * MIB};
    size_t count = 0;
    assert_int_equal(check_plan(arena, (int64_t)runs * 13 * MIB, &reuse, &count),
                     (int64_t)runs * 13 * MIB);
    assert_true(count > PARTS_MAX / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_reuse_all_is_sent_in_equal_parts),
        cmocka_unit_test(a_small_change_costs_one_part),
        cmocka_unit_test(neighbours_give_what_they_can),
        cmocka_unit_test(short_runs_are_not_worth_a_part),
        cmocka_unit_test(ranges_that_cannot_be_are_left_out),
        cmocka_unit_test(of_two_that_overlap_the_first_counts),
        cmocka_unit_test(any_mixture),
        cmocka_unit_test(too_many_runs_are_joined),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
