#include "unit.h"

#include "base/str.h"
#include "base/table.h"

static char *print(Arena *arena, const Table *table, size_t width)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    table_print(table, out, width);
    assert_int_equal(fclose(out), 0);
    char *copy = arena_strndup(arena, text, length);
    free(text);
    return copy;
}

static size_t widest_line(Arena *arena, const char *text)
{
    StrList lines;
    str_list_init(&lines, arena);
    size_t widest = 0;
    str_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        if (str_width(lines.items[i]) > widest)
            widest = str_width(lines.items[i]);
    }
    return widest;
}

static void columns_line_up(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Table *table = table_create(arena);
    table_column(table, "Index", TABLE_LEFT);
    table_column(table, "Size", TABLE_RIGHT);
    table_row(table, (const char *[]){"idx_a", "8.0 KiB"});
    table_row(table, (const char *[]){NULL, "1 B"});
    assert_int_equal(table_rows(table), 2);
    assert_string_equal(print(arena, table, 80), "Index     Size\n"
                                                 "-----  -------\n"
                                                 "idx_a  8.0 KiB\n"
                                                 "-          1 B\n");
}

static void control_bytes_print_as_spaces(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Table *table = table_create(arena);
    table_column(table, "Query", TABLE_LEFT);
    table_row(table, (const char *[]){"SELECT 1\n\x1B[31m"});
    assert_string_equal(print(arena, table, 0), "Query\n"
                                                "--------------\n"
                                                "SELECT 1  [31m\n");
}

static void wide_tables_are_cut_to_the_terminal(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Table *table = table_create(arena);
    table_column(table, "Name", TABLE_LEFT);
    table_column(table, "Query", TABLE_LEFT);
    table_column(table, "Calls", TABLE_RIGHT);
    char query[301];
    for (size_t i = 0; i + 3 < sizeof(query); i += 3)
        memcpy(query + i, "\xE2\x82\xA6", 4);
    table_row(table, (const char *[]){"short", query, "1,000"});
    char *text = print(arena, table, 80);
    assert_int_equal(widest_line(arena, text), 80);
    assert_non_null(strstr(text, "\xE2\x82\xA6\xE2\x80\xA6  1,000")); /* whole naira sign, then … */
    assert_non_null(strstr(text, "short  "));
    assert_int_equal(widest_line(arena, print(arena, table, 0)), 5 + 2 + 100 + 2 + 5);
}

static void figures_are_never_cut(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Table *table = table_create(arena);
    table_column(table, "Name", TABLE_LEFT);
    table_column(table, "Rows", TABLE_RIGHT);
    table_row(table, (const char *[]){"a_rather_long_name", "1,000,000,000,000"});
    char *text = print(arena, table, 10);
    assert_non_null(strstr(text, "1,000,000,000,000"));
    assert_non_null(strstr(text, "a_rathe\xE2\x80\xA6"));
}

static void a_table_without_rows_has_its_heading(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Table *table = table_create(arena);
    table_column(table, "Name", TABLE_LEFT);
    assert_int_equal(table_rows(table), 0);
    assert_string_equal(print(arena, table, 80), "Name\n----\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(control_bytes_print_as_spaces),
        cmocka_unit_test(wide_tables_are_cut_to_the_terminal),
        cmocka_unit_test(figures_are_never_cut),
        cmocka_unit_test(a_table_without_rows_has_its_heading),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
