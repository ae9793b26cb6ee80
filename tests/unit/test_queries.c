#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "pg/queries.h"

#include <string.h>

typedef struct {
    Arena *arena;
    char folder[64];
} Fixture;

static int make_folder(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    if (!fixture)
        return -1;
    fixture->arena = arena_create();
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/vaxdb-queries-XXXXXX");
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    Fixture *fixture = *state;
    Error err = {0};
    bool removed = directory_remove(fixture->folder, &err);
    arena_destroy(fixture->arena);
    free(fixture);
    return removed ? 0 : -1;
}

static void put(const Fixture *fixture, const char *name, const char *text)
{
    Error err = {0};
    const char *path = path_join(fixture->arena, fixture->folder, name);
    assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static void a_query_has_purpose_bindings_and_statement(void **state)
{
    const Fixture *fixture = *state;
    Error err = {0};
    QueryList list;
    put(fixture, "b_second.sql", "SELECT 1\n");
    put(fixture, "a_first.sql",
        "-- Screen: one,\n-- and more.\n-- bind $2: SELECT 'x'\n--bind $1:  SELECT 7;\r\n"
        "SELECT $1, $2 -- kept\nFROM t;\n");
    put(fixture, "notes.txt", "not a query");
    assert_true(queries_load(fixture->arena, fixture->folder, &list, &err));
    assert_int_equal(list.count, 2);
    const Query *query = &list.items[0];
    assert_string_equal(query->name, "a_first");
    assert_true(str_ends(query->path, "/a_first.sql"));
    assert_string_equal(query->purpose, "Screen: one, and more.");
    assert_int_equal(query->binding_count, 2);
    assert_string_equal(query->bindings[0], "SELECT 7;");
    assert_string_equal(query->bindings[1], "SELECT 'x'");
    assert_string_equal(query->sql, "SELECT $1, $2 -- kept\nFROM t;");
    assert_ptr_equal(queries_find(&list, "b_second"), &list.items[1]);
    assert_int_equal(list.items[1].binding_count, 0);
    assert_null(queries_find(&list, "c"));
}

static void wrong_files_are_named(void **state)
{
    static const char *const wrong[] = {
        "",
        "-- only a comment\n",
        "-- bind $2: SELECT 1\nSELECT $2",
        "-- bind $1: SELECT 1\n-- bind $1: SELECT 2\nSELECT $1",
        "-- bind $1:\nSELECT $1",
        "-- bind $1 SELECT 1\nSELECT $1",
        "-- bind $x: SELECT 1\nSELECT 1",
        "-- bind $99: SELECT 1\nSELECT 1",
    };
    const Fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Error err = {0};
        QueryList list;
        put(fixture, "wrong.sql", wrong[i]);
        assert_false(queries_load(fixture->arena, fixture->folder, &list, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.message, "wrong.sql"));
    }
}

static void no_queries_are_told(void **state)
{
    const Fixture *fixture = *state;
    QueryList list;
    Error err = {0};
    assert_false(queries_load(fixture->arena, fixture->folder, &list, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, fixture->folder));
    err = (Error){0};
    const char *nowhere = path_join(fixture->arena, fixture->folder, "nowhere");
    assert_false(queries_load(fixture->arena, nowhere, &list, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "nowhere"));
    assert_non_null(strstr(err.hint, "queries_dir"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_query_has_purpose_bindings_and_statement),
        TEST(wrong_files_are_named),
        TEST(no_queries_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
