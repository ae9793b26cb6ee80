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

static void items_are_read_as_pgbouncer_does(UNUSED void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF; x\n\t[ a ] k=1\r\n'q k' =\n%include  f g \nk = = \"x\n"
        "%includes = 1\n[b\nk\nk l=1\n\"\"=1\n=1\n\"x=1\n%include \nz=";
    static const struct {
        IniStep step;
        IniItemKind kind;
        const char *name, *value;
        int line;
    } expected[] = {
        {INI_ITEM, INI_SECTION, "a", NULL, 2},
        {INI_ITEM, INI_VALUE, "k", "1", 2},
        {INI_ITEM, INI_VALUE, "q k", "", 3},
        {INI_ITEM, INI_INCLUDE, "f g", NULL, 4},
        {INI_ITEM, INI_VALUE, "k", "= \"x", 5},
        {INI_WRONG, 0, "a key with characters other", NULL, 6},
        {INI_WRONG, 0, "a section is written [name]", NULL, 7},
        {INI_WRONG, 0, "neither a section nor", NULL, 8},
        {INI_WRONG, 0, "a key with characters other", NULL, 9},
        {INI_WRONG, 0, "a value without a key", NULL, 10},
        {INI_WRONG, 0, "a value without a key", NULL, 11},
        {INI_WRONG, 0, "a quote that is not closed", NULL, 12},
        {INI_WRONG, 0, "%include without a file", NULL, 13},
        {INI_ITEM, INI_VALUE, "z", "", 14},
        {INI_END, 0, NULL, NULL, 0},
    };
    _cleanup_arena_ Arena *arena = arena_create();
    IniReader reader;
    ini_reader_init(&reader, "x.ini", text, sizeof(text) - 1);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        IniItem item = {0};
        Error err = {0};
        assert_int_equal(ini_reader_next(&reader, arena, &item, &err), expected[i].step);
        if (expected[i].step == INI_ITEM) {
            assert_int_equal(item.kind, expected[i].kind);
            assert_string_equal(item.name, expected[i].name);
            assert_true(str_equal(item.value, expected[i].value));
            assert_int_equal(item.line, expected[i].line);
        } else if (expected[i].step == INI_WRONG) {
            const char *start =
                arena_printf(arena, "x.ini:%d: %s", expected[i].line, expected[i].name);
            assert_true(str_starts(err.message, start));
        }
    }
    IniItem item = {0};
    Error err = {0};
    ini_reader_init(&reader, "x.ini", "a=\0b\nc=1", 8);
    assert_int_equal(ini_reader_next(&reader, arena, &item, &err), INI_WRONG);
    assert_string_equal(err.message, "x.ini:1: a NUL byte");
    assert_int_equal(ini_reader_next(&reader, arena, &item, &err), INI_ITEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_run_to_the_end_of_their_line),
        cmocka_unit_test(sections_go_on_and_keys_do_not_repeat),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(values_may_be_long),
        cmocka_unit_test(items_are_read_as_pgbouncer_does),
    };
    return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
