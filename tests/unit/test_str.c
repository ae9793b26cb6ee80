#include "unit.h"

#include "base/str.h"

static void trims_both_ends(UNUSED void **state)
{
    char text[] = " \t a b \r\n";
    assert_string_equal(str_trim(text), "a b");
    char blank[] = "  ";
    assert_string_equal(str_trim(blank), "");
}

static void compares(UNUSED void **state)
{
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_true(str_starts("production", "prod"));
    assert_false(str_starts("prod", "production"));
    assert_true(str_ends("x.sql.gz", ".gz"));
    assert_false(str_ends("gz", ".gz"));
    assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
}

static void integers(UNUSED void **state)
{
    int64_t value = 0;
    assert_true(str_to_int64("-12", -100, 100, &value) && value == -12);
    assert_true(str_to_int64("9223372036854775807", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    value = 42;
    static const char *const wrong[] = {"",   "-",    "+1",  " 1",  "1 ",  "1.0",
                                        "1k", "0x10", "1e3", "--1", "- 1", "9223372036854775808"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (str_to_int64(wrong[i], INT64_MIN, INT64_MAX, &value))
            fail_msg("\"%s\" was taken for an integer", wrong[i]);
    }
    assert_false(str_to_int64("101", -100, 100, &value));
    assert_false(str_to_int64(NULL, -100, 100, &value));
    assert_int_equal(value, 42);
}

static void reals(UNUSED void **state)
{
    double value = 0;
    assert_true(str_to_double("-1.5e2", &value) && value == -150);
    assert_true(str_to_double(".5", &value) && value == 0.5);
    value = 42;
    static const char *const wrong[] = {"",   " 1", "1 ",   "nan",   "inf",      "-inf",
                                        "1x", "+1", "0x10", "1e999", "infinity", "-"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (str_to_double(wrong[i], &value))
            fail_msg("\"%s\" was taken for a number", wrong[i]);
    }
    assert_true(value == 42);
}

static void sizes(UNUSED void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } right[] = {{"0", 0},
                 {"512", 512},
                 {"512B", 512},
                 {"64k", 65536},
                 {"64kB", 65536},
                 {"64 KiB", 65536},
                 {"20M", 20971520},
                 {"1.5G", 1610612736},
                 {"2T", 2199023255552},
                 {"2tib", 2199023255552}};
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        int64_t bytes = -1;
        if (!str_to_bytes(right[i].text, &bytes) || bytes != right[i].bytes)
            fail_msg("%s: %lld", right[i].text, (long long)bytes);
    }
    static const char *const wrong[] = {"",          "k",     "-1",   "1.2.3",
                                        "12 apples", "1 kBs", "1ekB", "99999999999T",
                                        "5i",        "1 k B", "1,5k"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t bytes = 0;
        if (str_to_bytes(wrong[i], &bytes))
            fail_msg("\"%s\" was taken for a size", wrong[i]);
    }
}

static void durations(UNUSED void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } right[] = {{"0", 0},          {"250ms", 250},       {"15s", 15000},    {"15", 15000},
                 {"1.5s", 1500},    {"5min", 300000},     {"5 min", 300000}, {"24h", 86400000},
                 {"7d", 604800000}, {"7 days", 604800000}};
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        int64_t ms = -1;
        if (!str_to_duration_ms(right[i].text, &ms) || ms != right[i].ms)
            fail_msg("%s: %lld", right[i].text, (long long)ms);
    }
    static const char *const wrong[] = {"", "s", "-1s", "1 week", "1h30m", "1S", "99999999999999d"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t ms = 0;
        if (str_to_duration_ms(wrong[i], &ms))
            fail_msg("\"%s\" was taken for a duration", wrong[i]);
    }
}

static void booleans(UNUSED void **state)
{
    bool value = false;
    assert_true(str_to_bool("Yes", &value) && value);
    assert_true(str_to_bool("off", &value) && !value);
    assert_false(str_to_bool("", &value));
    assert_false(str_to_bool("2", &value));
    assert_false(str_to_bool(NULL, &value));
}

static void distances(UNUSED void **state)
{
    assert_int_equal(str_distance("", ""), 0);
    assert_int_equal(str_distance("status", "status"), 0);
    assert_int_equal(str_distance("", "abc"), 3);
    assert_int_equal(str_distance("statsu", "status"), 1);
    assert_int_equal(str_distance("sttus", "status"), 1);
    assert_int_equal(str_distance("kitten", "sitting"), 3);
    char text[200];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(str_distance(text, "x"), 64);
}

static void nearest_words(UNUSED void **state)
{
    static const char *const words[] = {"backup", "migrate", "monitor", "restore"};
    assert_string_equal(str_nearest("bakcup", words, COUNT_OF(words)), "backup");
    assert_string_equal(str_nearest("migr", words, COUNT_OF(words)), "migrate");
    assert_string_equal(str_nearest("restroe", words, COUNT_OF(words)), "restore");
    assert_null(str_nearest("zebra", words, COUNT_OF(words)));
    assert_null(str_nearest("x", words, 0));
}

static void numbers_for_people(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(str_bytes(arena, 0), "0 B");
    assert_string_equal(str_bytes(arena, 1023), "1023 B");
    assert_string_equal(str_bytes(arena, 18140365), "17.3 MiB");
    assert_string_equal(str_bytes(arena, -2048), "-2.0 KiB");
    assert_string_equal(str_count(arena, 0), "0");
    assert_string_equal(str_count(arena, 999), "999");
    assert_string_equal(str_count(arena, 1000), "1,000");
    assert_string_equal(str_count(arena, -1234567), "-1,234,567");
    assert_string_equal(str_count(arena, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(str_duration(arena, 0.031), "0.031 ms");
    assert_string_equal(str_duration(arena, 12.54), "12.5 ms");
    assert_string_equal(str_duration(arena, 3200), "3.20 s");
    assert_string_equal(str_duration(arena, 245000), "4 min 5 s");
    assert_string_equal(str_duration(arena, 7380000), "2 h 3 min");
    assert_string_equal(str_duration(arena, 432000000), "5 days");
}

/* A rounded figure goes over to the next unit, not to "60.00 s" or "1024.0 KiB". */
static void rounding_reaches_the_next_unit(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(str_duration(arena, 999.97), "1.00 s");
    assert_string_equal(str_duration(arena, 59999), "1 min 0 s");
    assert_string_equal(str_bytes(arena, 1048575), "1.0 MiB");
}

static void lists(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StrList list;
    str_list_init(&list, arena);
    assert_string_equal(str_list_join(&list, arena, ", "), "");
    str_split(&list, " a, b ;;c,", ",;");
    assert_int_equal(list.count, 3);
    str_list_addf(&list, "d%d", 4);
    assert_string_equal(str_list_join(&list, arena, ", "), "a, b, c, d4");
    assert_true(str_list_has(&list, "b"));
    assert_false(str_list_has(&list, "d"));
}

static void widths(UNUSED void **state)
{
    assert_int_equal(str_width(""), 0);
    assert_int_equal(str_width("abc"), 3);
    assert_int_equal(str_width("\xE2\x82\xA6"
                               "5"),
                     2);
}

static void one_line(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(str_one_line(arena, "  SELECT 1,\n\t 2\r\n ", 80), "SELECT 1, 2");
    assert_string_equal(str_one_line(arena, "abcdef", 3), "abc...");
    assert_string_equal(str_one_line(arena, "ab\xC3\xA9", 3), "ab\xC3\xA9");
    assert_string_equal(str_one_line(arena, "", 3), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_both_ends),
        cmocka_unit_test(one_line),
        cmocka_unit_test(compares),
        cmocka_unit_test(integers),
        cmocka_unit_test(reals),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(booleans),
        cmocka_unit_test(distances),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(numbers_for_people),
        cmocka_unit_test(rounding_reaches_the_next_unit),
        cmocka_unit_test(lists),
        cmocka_unit_test(widths),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
