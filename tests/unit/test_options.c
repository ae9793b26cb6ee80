#include "unit.h"

#include "conf/options.h"

static const OptionSpec table[] = {
    {.name = "env",
     .letter = 'e',
     .kind = OPTION_TEXT,
     .argument = "NAME",
     .fallback = "test",
     .help = "environment"},
    {.name = "rows", .kind = OPTION_INT, .argument = "N", .min = 1, .max = 100, .help = "rows"},
    {.name = "wait",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .fallback = "10min",
     .help = "wait"},
    {.name = "dir", .kind = OPTION_PATH, .argument = "DIR", .key = "backup_dir", .help = "folder"},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .help = "quiet"},
    {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "verbose"},
    {.name = "table",
     .letter = 't',
     .kind = OPTION_TEXT,
     .argument = "T",
     .repeats = true,
     .help = "table"},
    {.name = "format", .kind = OPTION_TEXT, .argument = "text|json", .help = "format"},
    OPTION_END,
};

static bool parse(Arena *arena, const char *const *argv, Options **options, Error *err)
{
    const OptionSpec *const tables[] = {table};
    return options_parse(arena, tables, 1, argv, options, err);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void flags_stand_anywhere_in_every_form(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Options *options = NULL;
    Error err = {0};
    assert_true(parse(arena,
                      ARGV("one", "--rows=7", "-qv", "-eproduction", "two", "-t", "a", "-tb"),
                      &options, &err));
    assert_int_equal(options_arguments(options)->count, 2);
    assert_string_equal(options_arguments(options)->items[1], "two");
    assert_int_equal(options_int(options, "rows"), 7);
    assert_string_equal(options_text(options, "env"), "production");
    assert_true(options_flag(options, "quiet") && options_flag(options, "verbose"));
    assert_int_equal(options_list(options, "table")->count, 2);
    assert_string_equal(options_list(options, "table")->items[1], "b");
}

static void what_was_not_given_has_its_fallback(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Options *options = NULL;
    Error err = {0};
    const char *flag = NULL;
    assert_true(parse(arena, ARGV("-"), &options, &err)); /* "-" is an argument */
    assert_int_equal(options_arguments(options)->count, 1);
    assert_string_equal(options_text(options, "env"), "test");
    assert_false(options_given(options, "env"));
    assert_int_equal(options_int(options, "wait"), 600000);
    assert_int_equal(options_int(options, "rows"), 0);
    assert_null(options_text(options, "dir"));
    assert_null(options_for_setting(options, "backup_dir", &flag));
    assert_int_equal(options_list(options, "table")->count, 0);
}

static void two_dashes_end_the_flags(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Options *options = NULL;
    Error err = {0};
    const char *flag = NULL;
    assert_true(parse(arena, ARGV("--dir", "/x", "--", "--rows", "-q"), &options, &err));
    assert_int_equal(options_arguments(options)->count, 2);
    assert_false(options_flag(options, "quiet"));
    assert_string_equal(options_for_setting(options, "backup_dir", &flag), "/x");
    assert_string_equal(flag, "dir");
}

static void wrong_words_are_usage_errors(UNUSED void **state)
{
    static const struct {
        const char *argv[4];
        const char *message;
    } cases[] = {
        {{"--row=1"}, "unknown flag --row=1"},
        {{"-x"}, "unknown flag -x"},
        {{"--rows"}, "--rows needs a value: --rows N"},
        {{"--rows", "101"}, "--rows: \"101\" is not valid"},
        {{"--rows", "+1"}, "--rows: \"+1\" is not valid"},
        {{"--rows", "1", "--rows=1"}, "--rows was given twice"},
        {{"--quiet=yes"}, "--quiet takes no value"},
        {{"--wait", "soon"}, "--wait: \"soon\" is not valid"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        Options *options = NULL;
        Error err = {0};
        assert_false(parse(arena, cases[i].argv, &options, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void an_argument_named_by_its_words_takes_no_other(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Options *options = NULL;
    Error err = {0};
    assert_true(parse(arena, ARGV("--format", "json"), &options, &err));
    assert_string_equal(options_text(options, "format"), "json");
    assert_false(parse(arena, ARGV("--format=yaml"), &options, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "--format: \"yaml\""));
    assert_non_null(strstr(err.hint, "text, json"));
}

static void only_small_words_between_bars_are_choices(UNUSED void **state)
{
    static const char *const others[] = {"DIR", "0-2", "|", "FILE|DIR", "json", ""};
    _cleanup_arena_ Arena *arena = arena_create();
    StrList choices;
    str_list_init(&choices, arena);
    assert_true(option_choices("done|again", &choices));
    assert_int_equal(choices.count, 2);
    assert_string_equal(choices.items[1], "again");
    assert_false(option_choices(NULL, &choices));
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        Error err = {0};
        StrList none;
        str_list_init(&none, arena);
        assert_false(option_choices(others[i], &none));
        assert_true(option_check_choice(others[i], "here", "anything", &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_stand_anywhere_in_every_form),
        cmocka_unit_test(an_argument_named_by_its_words_takes_no_other),
        cmocka_unit_test(only_small_words_between_bars_are_choices),
        cmocka_unit_test(what_was_not_given_has_its_fallback),
        cmocka_unit_test(two_dashes_end_the_flags),
        cmocka_unit_test(wrong_words_are_usage_errors),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
