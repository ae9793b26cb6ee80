#include "unit.h"

#include "base/clock.h"
#include "base/interrupt.h"

#include <signal.h>

static void times_are_written_in_utc(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(clock_name_utc(arena, 1704110400), "20240101-120000");
    assert_string_equal(clock_iso_utc(arena, 1704110400), "2024-01-01T12:00:00Z");
    assert_string_equal(clock_iso_utc(arena, 0), "1970-01-01T00:00:00Z");
}

static void times_are_read_in_both_forms(UNUSED void **state)
{
    int64_t seconds = 0;
    assert_true(clock_parse_utc("2024-01-01T12:00:00Z", &seconds));
    assert_int_equal(seconds, 1704110400);
    seconds = 0;
    assert_true(clock_parse_utc("20240101-120000", &seconds));
    assert_int_equal(seconds, 1704110400);
    assert_true(clock_parse_utc("2024-02-29T23:59:59Z", &seconds));
}

static void what_is_no_time_is_refused(UNUSED void **state)
{
    static const char *const wrong[] = {
        "",
        "2024-01-01",
        "2024-01-01T12:00:00",
        "2024-01-01T12:00:00Z ",
        " 2024-01-01T12:00:00Z",
        "2024-1-1T2:0:0Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:60:00Z",
        "2024-01-01T12:00:60Z",
        "2023-02-29T12:00:00Z",
        "2024-04-31T12:00:00Z",
        "20240101-12000",
        "20240101-1200000",
        "2024010 -120000",
        "20241301-120000",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t seconds = -7;
        if (clock_parse_utc(wrong[i], &seconds))
            fail_msg("\"%s\" was taken for a time", wrong[i]);
        assert_int_equal(seconds, -7);
    }
}

static void dates_are_days(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    int32_t days = 0;
    assert_true(clock_parse_date("1970-01-02", &days));
    assert_int_equal(days, 1);
    assert_true(clock_parse_date("1969-12-31", &days));
    assert_int_equal(days, -1);
    assert_string_equal(clock_date(arena, -1), "1969-12-31");
    assert_true(clock_parse_date("2026-11-23", &days));
    assert_string_equal(clock_date(arena, days), "2026-11-23");
}

static void what_is_no_date_is_refused(UNUSED void **state)
{
    static const char *const wrong[] = {
        "",           "2026-11-2",  "2026-11-233", "2026-02-30", "2025-02-29", "2026-00-10",
        "2026-13-10", "2026-1 -10", "2026- 1- 3",  "2026/11/23", "26-11-23",   "-026-11-23",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int32_t days = -7;
        if (clock_parse_date(wrong[i], &days))
            fail_msg("\"%s\" was taken for a date", wrong[i]);
    }
}

static void sleep_ends_when_interrupted(UNUSED void **state)
{
    interrupt_install();
    assert_true(clock_sleep_ms(1));
    assert_int_equal(raise(SIGTERM), 0);
    int64_t before = clock_monotonic_ms();
    assert_false(clock_sleep_ms(60000));
    assert_true(clock_monotonic_ms() - before < 5000);
    Error err = {0};
    assert_false(interrupt_check(&err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    interrupt_clear();
    assert_true(interrupt_check(&err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(times_are_read_in_both_forms),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(dates_are_days),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(sleep_ends_when_interrupted),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
