#include "unit.h"

#include "base/str.h"
#include "conf/ini.h"

static bool parse(Arena *arena, const char *text, Ini *ini, Error *err)
{
    return ini_parse(arena, "x.ini", text, strlen(text), ini, err);
}

static const char *value(const Ini *ini, const char *section, const char *key)
{
    const IniEntry *entry = ini_find(ini, section, key);
    return entry ? entry->value : NULL;
}

static void values_run_to_the_end_of_their_line(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Ini ini;
    Error err = {0};
    assert_true(parse(arena,
                      "\xEF\xBB\xBF; first\r\n[databases]\r\n"
                      "app = host=/tmp port=5432 password='a;b#c' \r\n"
                      "# between\n\n[ other ]\nempty =\nlast=1",
                      &ini, &err));
    assert_int_equal(ini.count, 3);
    assert_string_equal(value(&ini, "databases", "app"), "host=/tmp port=5432 password='a;b#c'");
    assert_string_equal(value(&ini, "other", "empty"), "");
    assert_string_equal(value(&ini, "other", "last"), "1");
    assert_int_equal(ini_find(&ini, "other", "last")->line, 8);
    assert_null(ini_find(&ini, "databases", "last"));
}

static void sections_go_on_and_keys_do_not_repeat(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Ini ini;
    Error err = {0};
    assert_true(parse(arena, "[a]\nx=1\n[b]\nx=2\n[a]\ny=3\n", &ini, &err));
    assert_string_equal(value(&ini, "a", "y"), "3");
    assert_string_equal(value(&ini, "b", "x"), "2");
    assert_false(parse(arena, "[a]\nx=1\n[b]\n[a]\nx=2\n", &ini, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message, "x.ini:5: x is set twice, first on line 2");
}

static void a_wrong_line_is_named(UNUSED void **state)
{
    static const struct {
        const char *text;
        const char *start;
    } cases[] = {{"x=1\n", "x.ini:1: a key before"},    {"[a]\nx\n", "x.ini:2: neither"},
                 {"\n[a\n", "x.ini:2: a section is"},   {"[a] b\n", "x.ini:1: a section is"},
                 {"[ ]\n", "x.ini:1: a section needs"}, {"[a]\n=1\n", "x.ini:2: a value without"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        Ini ini;
        Error err = {0};
        assert_false(parse(arena, cases[i].text, &ini, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_true(str_starts(err.message, cases[i].start));
        assert_true(err.hint[0]);
    }
}

static void a_nul_byte_is_refused(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Ini ini;
    Error err = {0};
    assert_false(ini_parse(arena, "x.ini", "[a]\nx=1\0y\n", 10, &ini, &err));
    assert_string_equal(err.message, "x.ini:2: a NUL byte");
}

static void values_may_be_long(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    size_t length = 100000;
    const char *text = arena_printf(arena, "[a]\nx=%0*d", (int)length, 1);
    Ini ini;
    Error err = {0};
    assert_true(parse(arena, text, &ini, &err));
    assert_int_equal(strlen(value(&ini, "a", "x")), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_run_to_the_end_of_their_line),
        cmocka_unit_test(sections_go_on_and_keys_do_not_repeat),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(values_may_be_long),
    };
    return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
