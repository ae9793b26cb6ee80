#include "unit.h"

#include "backup/load_statement.h"

static LoadStatement read_one(Arena *arena, const char *sql)
{
    LoadStatement statement;
    load_statement_read(arena, sql, &statement);
    return statement;
}

static void test_kinds(UNUSED void **state)
{
    static const struct {
        const char *sql;
        LoadKind kind;
    } cases[] = {
        {"SET statement_timeout = 0", LOAD_SETTING},
        {"SET client_encoding = 'UTF8'", LOAD_SETTING},
        {"set a.b to 'c'", LOAD_SETTING},
        {"SELECT pg_catalog.set_config('search_path', '', false)", LOAD_SETTING},
        {"SET SESSION AUTHORIZATION ann", LOAD_SESSION},
        {"SET LOCAL x = 1", LOAD_SESSION},
        {"SET ROLE ann", LOAD_SESSION},
        {"RESET ALL", LOAD_SESSION},
        {"CREATE TEMP TABLE t ()", LOAD_SESSION},
        {"BEGIN ISOLATION LEVEL SERIALIZABLE", LOAD_SESSION},
        {"ROLLBACK", LOAD_SESSION},
        {"SELECT pg_catalog.setval('public.s', 5, true)", LOAD_DATA},
        {"SELECT pg_catalog.lo_create('4711')", LOAD_DATA},
        {"SELECT pg_catalog.lowrite(0, '\\x00')", LOAD_DATA},
        {"BEGIN", LOAD_DATA},
        {"COMMIT", LOAD_DATA},
        {"SELECT setval('s', 5)", LOAD_OTHER},
        {"SELECT pg_catalog.now()", LOAD_OTHER},
        {"CREATE INDEX i ON public.t USING btree (a)", LOAD_INDEX},
        {"CREATE UNIQUE INDEX \"i 1\" ON ONLY public.\"T\"\"t\" USING btree (a)", LOAD_INDEX},
        {"CREATE INDEXES", LOAD_OTHER},
        {"CREATE STATISTICS public.s (mcv) ON a, b FROM public.t", LOAD_OTHER},
        {"ALTER TABLE ONLY public.t\n    ADD CONSTRAINT p PRIMARY KEY (a)", LOAD_KEY},
        {"ALTER TABLE public.t ADD CONSTRAINT u UNIQUE (a)", LOAD_KEY},
        {"ALTER TABLE ONLY t ADD CONSTRAINT x EXCLUDE USING gist (a WITH &&)", LOAD_EXCLUSION},
        {"ALTER TABLE ONLY a.t ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES b.u(y)", LOAD_REFERENCE},
        {"ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID", LOAD_OTHER},
        {"ALTER TABLE ONLY public.t REPLICA IDENTITY FULL", LOAD_OTHER},
        {"ALTER INDEX a.i ATTACH PARTITION a.j", LOAD_OTHER},
        {"COMMENT ON INDEX a.i IS 'x'", LOAD_COMMENT},
        {"", LOAD_OTHER},
        {"'", LOAD_OTHER},
    };
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        LoadStatement statement = read_one(arena, cases[i].sql);
        if (statement.kind != cases[i].kind)
            fail_msg("%s: %d", cases[i].sql, (int)statement.kind);
    }
}

static void test_names(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LoadStatement index =
        read_one(arena, "CREATE INDEX i ON ONLY Public.\"Ta.b\"\"le\ntwo\" USING btree (a)");
    assert_string_equal(index.schema, "public");
    assert_string_equal(index.name, "Ta.b\"le\ntwo");
    LoadStatement reference = read_one(arena, "ALTER TABLE ONLY a.t ADD CONSTRAINT f FOREIGN KEY "
                                              "(x, \"y z\") REFERENCES \"B\".u(y, z)");
    assert_string_equal(reference.schema, "a");
    assert_string_equal(reference.name, "t");
    assert_string_equal(reference.to_schema, "B");
    assert_string_equal(reference.to_name, "u");
    assert_string_equal(read_one(arena, "SET a.b = 1").setting, "a.b");
    assert_string_equal(
        read_one(arena, "SELECT pg_catalog.set_config('search_path', '', false)").setting,
        "search_path");
    assert_true(read_one(arena, "BEGIN").opens);
    assert_true(read_one(arena, "COMMIT").closes);
}

static void check_split(const char *definition, const char *index, const char *constraint)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LoadStatement statement = read_one(
        arena, arena_printf(arena, "ALTER TABLE ONLY public.\"T\"\n    ADD CONSTRAINT \"k 1\" %s",
                            definition));
    assert_int_equal(statement.kind, LOAD_KEY);
    if (!index) {
        assert_null(statement.index_sql);
        return;
    }
    assert_string_equal(
        statement.index_sql,
        arena_printf(arena, "CREATE UNIQUE INDEX \"k 1\" ON public.\"T\" USING btree %s", index));
    assert_string_equal(
        statement.attach_sql,
        arena_printf(arena, "ALTER TABLE ONLY public.\"T\" ADD CONSTRAINT \"k 1\" %s", constraint));
}

static void test_keys_in_two_statements(UNUSED void **state)
{
    check_split("PRIMARY KEY (a)", "(a)", "PRIMARY KEY USING INDEX \"k 1\" ");
    check_split("PRIMARY KEY (a, \"b c\") INCLUDE (d) WITH (fillfactor='70')",
                "(a, \"b c\") INCLUDE (d) WITH (fillfactor='70')",
                "PRIMARY KEY USING INDEX \"k 1\" ");
    check_split("UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b)", "(a) INCLUDE (b) NULLS NOT DISTINCT",
                "UNIQUE USING INDEX \"k 1\" ");
    check_split("UNIQUE (a) DEFERRABLE INITIALLY DEFERRED", "(a)",
                "UNIQUE USING INDEX \"k 1\" DEFERRABLE INITIALLY DEFERRED");
    check_split("PRIMARY KEY (a, b WITHOUT OVERLAPS)", NULL, NULL);
    check_split("UNIQUE (a) USING INDEX TABLESPACE x", NULL, NULL);
    check_split("UNIQUE USING INDEX x", NULL, NULL);
    check_split("PRIMARY KEY (a", NULL, NULL);
    check_split("PRIMARY KEY (a) DEFERRABLE NOT VALID", NULL, NULL);
    check_split("PRIMARY", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys_in_two_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
