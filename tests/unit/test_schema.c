#include "unit.h"

#include "pg/schema_internal.h"

#include <string.h>

static Schema schema_of(Arena *arena, const SchemaObject *objects, size_t count, const char *order)
{
    Schema schema = {.major = 15, .count = count};
    schema.items = arena_array(arena, count, sizeof(*schema.items));
    for (size_t i = 0; i < count; i++)
        schema.items[i] = objects[i];
    str_list_init(&schema.column_order, arena);
    str_split(&schema.column_order, order, ";");
    schema_finish(arena, NULL, &schema);
    return schema;
}

#define SCHEMA(order, ...)                                                                         \
    schema_of(arena, (const SchemaObject[]){__VA_ARGS__},                                          \
              sizeof((const SchemaObject[]){__VA_ARGS__}) / sizeof(SchemaObject), order)

#define TABLE_T                                                                                    \
    {                                                                                              \
        "table", "public.t", NULL, "CREATE TABLE"                                                  \
    }
#define COLUMN_A                                                                                   \
    {                                                                                              \
        "column", "public.t.a", "public.t", "integer"                                              \
    }
#define INDEX_I                                                                                    \
    {                                                                                              \
        "index", "public.i", "public.t", "CREATE INDEX i ON public.t USING btree (a)"              \
    }

static void assert_lines(Arena *arena, const Schema *before, const Schema *after, size_t max,
                         const char *expected)
{
    SchemaDiff diff;
    StrList lines;
    str_list_init(&lines, arena);
    schema_diff(arena, before, after, &diff);
    schema_diff_lines(arena, &diff, max, &lines);
    assert_string_equal(str_list_join(&lines, arena, "\n"), expected);
}

static void test_fingerprint(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema one = SCHEMA("public.t: a, b", TABLE_T, COLUMN_A);
    Schema two = SCHEMA("public.t: b, a", COLUMN_A, TABLE_T);
    Schema three = SCHEMA("public.t: a, b", TABLE_T, {"column", "public.t.a", "public.t", "text"});
    assert_string_equal(one.fingerprint, two.fingerprint); /* neither order counts */
    assert_string_not_equal(one.fingerprint, three.fingerprint);
    /* What moves from one text to the next is another schema. */
    Schema left = SCHEMA("", {"table", "ab", NULL, "c"});
    Schema right = SCHEMA("", {"table", "a", NULL, "bc"});
    assert_string_not_equal(left.fingerprint, right.fingerprint);
}

static void test_diff_lines(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema none = SCHEMA("", {"schema", "public", NULL, ""});
    Schema table = SCHEMA("", {"schema", "public", NULL, ""}, TABLE_T, COLUMN_A);
    Schema index = SCHEMA("", {"schema", "public", NULL, ""}, TABLE_T, COLUMN_A, INDEX_I);
    Schema other = SCHEMA("", {"schema", "public", NULL, ""}, TABLE_T,
                          {"column", "public.t.a", "public.t", "bigint"});
    assert_lines(arena, &table, &table, 9, "");
    assert_lines(arena, &table, &index, 9,
                 "+ index public.i: CREATE INDEX i ON public.t USING btree (a)");
    assert_lines(arena, &index, &table, 9,
                 "- index public.i: CREATE INDEX i ON public.t USING btree (a)");
    assert_lines(arena, &table, &other, 9, "~ column public.t.a: integer -> bigint");
    /* A table takes what is part of it along. */
    assert_lines(arena, &none, &index, 9, "+ table public.t: CREATE TABLE");
    assert_lines(arena, &index, &none, 9, "- table public.t: CREATE TABLE");
    assert_lines(arena, &other, &index, 1,
                 "~ column public.t.a: bigint -> integer\n... and 1 more");
}

static void test_long_definitions_show_what_differs(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema one = SCHEMA("", {"function", "public.f()", NULL, "CREATE\n  SELECT 1;\nend"});
    Schema two = SCHEMA("", {"function", "public.f()", NULL, "CREATE\n  SELECT 10;\nend"});
    Schema more = SCHEMA("", {"function", "public.f()", NULL, "CREATE\n  SELECT 1;\nend\nof"});
    assert_lines(arena, &one, &two, 9, "~ function public.f(): line 2: SELECT 1; -> SELECT 10;");
    assert_lines(arena, &one, &more, 9, "~ function public.f(): line 3: end -> end");
}

static void test_reordered(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema one = SCHEMA("public.t: a, b, c;public.t2: x;public.u: a", TABLE_T);
    Schema two = SCHEMA("public.t: a, c, b;public.t2: y, x;public.v: a", TABLE_T);
    SchemaDiff diff;
    schema_diff(arena, &one, &two, &diff);
    assert_int_equal(diff.count, 0);
    assert_int_equal(diff.reordered.count, 1); /* y is new: x has not moved */
    assert_string_equal(diff.reordered.items[0], "public.t");
}

static void test_ignored(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    static const struct {
        const char *pattern;
        size_t left;
    } cases[] = {{"public.i", 2},
                 {"index public.*", 2},
                 {"table public.t", 0},
                 {"public.t", 0},
                 {"public.t.a", 2},
                 {"nothing", 3},
                 {"*", 0},
                 {"index", 3},
                 {"*.t.*", 2},
                 {"public.t*x", 3},
                 {"index i", 2},
                 {"t.a", 2},
                 {"table t", 0},
                 {"i*", 2},
                 {"j*", 3},
                 {"", 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        Schema schema = SCHEMA("", TABLE_T, COLUMN_A, INDEX_I);
        StrList ignore;
        str_list_init(&ignore, arena);
        str_list_add(&ignore, cases[i].pattern);
        schema_finish(arena, &ignore, &schema);
        assert_int_equal(schema.count, cases[i].left);
    }
}

static void test_json(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema schema = SCHEMA("public.t: a, \"b, c\"", TABLE_T, COLUMN_A, INDEX_I), again;
    Error err = {0};
    _cleanup_json_ json_t *json = schema_to_json(&schema);
    assert_true(schema_from_json(arena, json, &again, &err));
    assert_string_equal(again.fingerprint, schema.fingerprint);
    assert_int_equal(again.count, 3);
    assert_int_equal(again.major, 15);
    assert_null(again.items[2].part_of);
    assert_string_equal(again.items[0].part_of, "public.t");
    assert_lines(arena, &schema, &again, 9, "");
    assert_string_equal(again.column_order.items[0], schema.column_order.items[0]);
}

static void test_damaged_json(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema schema = SCHEMA("", TABLE_T, COLUMN_A), again;
    Error err = {0};
    _cleanup_json_ json_t *json = schema_to_json(&schema);
    json_t *first = json_array_get(json_object_get(json, "objects"), 0);
    json_object_set_new(first, "definition", json_string("bigint"));
    assert_false(schema_from_json(arena, json, &again, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    assert_non_null(strstr(err.message, "fingerprint does not match"));
    json_object_del(first, "name");
    assert_false(schema_from_json(arena, json, &again, &err));
    assert_non_null(strstr(err.message, "lacks its kind, name or definition"));
    json_object_del(json, "major");
    assert_false(schema_from_json(arena, json, &again, &err));
    assert_false(schema_from_json(arena, NULL, &again, &err));
}

static void test_diff_json(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    Schema one = SCHEMA("", TABLE_T), two = SCHEMA("", TABLE_T, INDEX_I);
    SchemaDiff diff;
    schema_diff(arena, &one, &two, &diff);
    _cleanup_json_ json_t *json = schema_diff_json(&diff);
    const json_t *change = json_array_get(json_object_get(json, "changes"), 0);
    assert_string_equal(json_get_text(change, "change", ""), "added");
    assert_string_equal(json_get_text(change, "name", ""), "public.i");
    assert_true(json_is_null(json_object_get(change, "before")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_diff_lines),
        cmocka_unit_test(test_long_definitions_show_what_differs),
        cmocka_unit_test(test_reordered),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_damaged_json),
        cmocka_unit_test(test_diff_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
