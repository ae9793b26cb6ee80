#include "unit.h"

#include "store/parts.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

/* Are the bytes of a run that is copied those of the ranges? */
static void check_copied(const PartRun *run, const StoreReuse *reuse)
{
    int64_t copied = 0;
    for (size_t i = 0; reuse && i < reuse->count; i++) {
        const StoreRange *range = &reuse->ranges[i];
        int64_t begin = range->offset > run->offset ? range->offset : run->offset;
        int64_t end = range->offset + range->length;
        end = end < run->offset + run->length ? end : run->offset + run->length;
        if (begin >= end)
            continue;
        copied += end - begin;
        assert_int_equal(run->source - run->offset, range->source - range->offset);
    }
    assert_int_equal(copied, run->length);
}

/* Returns what is sent of a part. */
static int64_t check_part(const PartPlan *part, bool is_last, const StoreReuse *reuse)
{
    int64_t at = part->offset;
    int64_t sent = 0;
    assert_true(part->run_count >= 1 && part->run_count <= PART_RUNS_MAX + 1);
    assert_true(part->runs[0].length >= PART_MIN_BYTES || (is_last && part->run_count == 1));
    assert_true(part->run_count == 1 || part->length <= 5 * GIB);
    for (size_t i = 0; i < part->run_count; i++) {
        const PartRun *run = &part->runs[i];
        assert_int_equal(run->offset, at);
        assert_true(run->length > 0);
        at += run->length;
        if (run->source < 0)
            sent += run->length;
        else
            check_copied(run, reuse);
    }
    assert_int_equal(at - part->offset, part->length);
    return sent;
}

/* Whole, in order, no part too small, and what is copied is what the ranges say. Returns the bytes
 * that are sent. */
static int64_t check_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count)
{
    PartPlan *parts = parts_plan(arena, size, reuse, count);
    int64_t at = 0;
    int64_t sent = 0;
    assert_true(*count >= 1 && *count <= PARTS_MAX);
    for (size_t i = 0; i < *count; i++) {
        assert_int_equal(parts[i].offset, at);
        sent += check_part(&parts[i], i + 1 == *count, reuse);
        at += parts[i].length;
    }
    assert_int_equal(at, size);
    return sent;
}

static int64_t sent_of(const StoreRange *ranges, size_t count, int64_t size, size_t *parts)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StoreReuse reuse = {.object = "object", .ranges = ranges, .count = count};
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

static void of_a_small_change_nothing_else_is_sent(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange middle[] = {{0, 100 * MIB, 0}, {100 * MIB + 100, 100 * MIB, 100 * MIB + 50}};
    assert_int_equal(sent_of(middle, 2, 200 * MIB + 100, &count), 100);
    assert_int_equal(count, 3); /* before, 5 MiB with the change, behind */
    const StoreRange end[] = {{0, 100 * MIB, 0}};
    assert_int_equal(sent_of(end, 1, 100 * MIB + 100, &count), 100);
    assert_int_equal(count, 2);
    const StoreRange all[] = {{0, 100 * MIB, 7}};
    assert_int_equal(sent_of(all, 1, 100 * MIB, &count), 0);
    assert_int_equal(count, 1);
}

/* Nothing is before it that it could be put behind. */
static void a_change_at_the_begin_takes_what_a_part_wants(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange begin[] = {{100, 100 * MIB, 50}};
    assert_int_equal(sent_of(begin, 1, 100 * MIB + 100, &count), PART_MIN_BYTES);
    assert_int_equal(count, 2);
    const StoreRange next[] = {{100, 4 * MIB, 50}, {4 * MIB + 200, 100 * MIB, 4 * MIB + 50}};
    assert_int_equal(sent_of(next, 2, 104 * MIB + 200, &count), PART_MIN_BYTES);
}

/* However short what is there between them, and from wherever. */
static void changes_in_a_row_are_joined(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange ranges[] = {{0, 6 * MIB, 0},
                                 {6 * MIB + 10, MIB, 6 * MIB},
                                 {7 * MIB + 10, MIB, 9 * MIB},
                                 {8 * MIB + 30, 20 * MIB, 10 * MIB}};
    assert_int_equal(sent_of(ranges, 4, 30 * MIB, &count), 10 + 20 + 2 * MIB - 30);
    assert_int_equal(count, 3);
}

static void what_is_very_short_is_sent(UNUSED void **state)
{
    size_t count = 0;
    const StoreRange ranges[] = {{0, 6 * MIB, 0}, {6 * MIB + 10, PART_WORTH_BYTES - 1, 6 * MIB}};
    assert_int_equal(sent_of(ranges, 2, 7 * MIB, &count), MIB);
    const StoreRange worth[] = {{0, 6 * MIB, 0}, {6 * MIB + 10, PART_WORTH_BYTES, 6 * MIB}};
    assert_int_equal(sent_of(worth, 2, 7 * MIB, &count), MIB - PART_WORTH_BYTES);
}

/* What is long is sent as it is: nothing is put together for it. */
static void long_runs_are_parts(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const StoreRange ranges[] = {{6 * MIB, 6 * MIB, 0}, {18 * MIB, 6 * MIB, 9 * MIB}};
    StoreReuse reuse = {.object = "object", .ranges = ranges, .count = COUNT_OF(ranges)};
    size_t count = 0;
    PartPlan *parts = parts_plan(arena, 24 * MIB, &reuse, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(parts[i].run_count, 1);
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
    StoreReuse reuse = {.object = "object", .ranges = ranges, .count = COUNT_OF(ranges)};
    size_t count = 0;
    PartPlan *parts = parts_plan(arena, 18 * MIB, &reuse, &count);
    assert_int_equal(count, 2);
    assert_true(parts[0].runs->source == 0 && parts[0].length == 10 * MIB);
    assert_true(parts[1].runs->source < 0 && parts[1].length == 8 * MIB);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Any mixture of old and new: what is sent is the new, what is too short for a copy, and what a
 * part wants: at the begin, and where a part is full. */
static void any_mixture(UNUSED void **state)
{
    uint32_t seed = 4;
    for (int round = 0; round < 300; round++) {
        _cleanup_arena_ Arena *arena = arena_create();
        size_t runs = next_random(&seed) % 300;
        int64_t largest = round % 3 == 0 ? 64 * MIB : round % 3 == 1 ? 2 * MIB : 600 * MIB;
        StoreRange *ranges = arena_array(arena, runs, sizeof(*ranges));
        StoreReuse reuse = {.object = "object", .ranges = ranges, .count = runs};
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
        int64_t parts_wanted =
            1 + (int64_t)runs / (PART_RUNS_MAX / 2) + (at + tail) / PART_COPY_BYTES;
        assert_true(sent <= new_bytes + tail + (int64_t)runs * PART_WORTH_BYTES +
                                parts_wanted * 2 * PART_MIN_BYTES);
    }
}

/* Ten thousand changes, each between runs that are just worth a part. */
static void too_many_runs_are_joined(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    size_t runs = 20000;
    StoreRange *ranges = arena_array(arena, runs, sizeof(*ranges));
    StoreReuse reuse = {.object = "object", .ranges = ranges, .count = runs};
    for (size_t i = 0; i < runs; i++)
        ranges[i] = (StoreRange){(int64_t)i * 13 * MIB + 6 * MIB, 7 * MIB, (int64_t)i * 13 * MIB};
    size_t count = 0;
    int64_t sent = check_plan(arena, (int64_t)runs * 13 * MIB, &reuse, &count);
    assert_true(sent >= (int64_t)runs * 6 * MIB && sent < (int64_t)runs * 9 * MIB);
    assert_true(count > 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_reuse_all_is_sent_in_equal_parts),
        cmocka_unit_test(of_a_small_change_nothing_else_is_sent),
        cmocka_unit_test(a_change_at_the_begin_takes_what_a_part_wants),
        cmocka_unit_test(changes_in_a_row_are_joined),
        cmocka_unit_test(what_is_very_short_is_sent),
        cmocka_unit_test(long_runs_are_parts),
        cmocka_unit_test(ranges_that_cannot_be_are_left_out),
        cmocka_unit_test(of_two_that_overlap_the_first_counts),
        cmocka_unit_test(any_mixture),
        cmocka_unit_test(too_many_runs_are_joined),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
