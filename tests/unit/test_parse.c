#include "unit.h"

#include "base/buffer.h"
#include "base/str.h"
#include "pg/parse.h"

static Statement classify(Arena *arena, const char *text)
{
    Statement statement;
    statement_classify(arena, text, strlen(text), &statement, NULL);
    return statement;
}

static void tells_kinds_apart(UNUSED void **state)
{
    static const struct {
        const char *text;
        StatementKind kind;
    } cases[] = {
        {"CREATE TABLE t (id int)", STATEMENT_ORDINARY},
        {"CREATE INDEX i ON t (a)", STATEMENT_ORDINARY},
        {"DROP INDEX i", STATEMENT_ORDINARY},
        {"ALTER TYPE e ADD VALUE 'x'", STATEMENT_ORDINARY},
        {"SELECT 1", STATEMENT_ORDINARY},
        {"REINDEX INDEX i", STATEMENT_ORDINARY},
        {"REINDEX (CONCURRENTLY false) TABLE t", STATEMENT_ORDINARY},
        {"CLUSTER t", STATEMENT_ORDINARY},
        {"ALTER TABLE a DETACH PARTITION b", STATEMENT_ORDINARY},
        {"ALTER TABLE a DETACH PARTITION b FINALIZE", STATEMENT_ORDINARY},
        {"REFRESH MATERIALIZED VIEW CONCURRENTLY v", STATEMENT_ORDINARY},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
         STATEMENT_ORDINARY},
        {"COPY t TO '/tmp/x'", STATEMENT_ORDINARY},
        {"ANALYZE t", STATEMENT_NEUTRAL},
        {"SHOW work_mem", STATEMENT_NEUTRAL},
        {"SET search_path = a", STATEMENT_SET},
        {"RESET ROLE", STATEMENT_SET},
        {"SELECT pg_catalog.set_config('search_path', '', false)", STATEMENT_SET},
        {"DISCARD TEMP", STATEMENT_SET},
        {"BEGIN", STATEMENT_BEGIN},
        {"START TRANSACTION", STATEMENT_BEGIN},
        {"BEGIN ISOLATION LEVEL SERIALIZABLE", STATEMENT_TRANSACTION},
        {"COMMIT", STATEMENT_COMMIT},
        {"END", STATEMENT_COMMIT},
        {"COMMIT AND CHAIN", STATEMENT_TRANSACTION},
        {"ROLLBACK", STATEMENT_TRANSACTION},
        {"PREPARE TRANSACTION 'x'", STATEMENT_TRANSACTION},
        {"SAVEPOINT a", STATEMENT_SAVEPOINT},
        {"COPY t TO STDOUT", STATEMENT_COPY_OUT},
        {"CALL p()", STATEMENT_CALL},
        {"DO $$ BEGIN PERFORM 1; END $$", STATEMENT_CALL},
        {"DO $$ BEGIN PERFORM 'commit;'; -- commit;\n END $$", STATEMENT_CALL},
        {"DO $$ BEGIN FOR i IN 1..3 LOOP COMMIT; END LOOP; END $$", STATEMENT_CALL_COMMITS},
        {"CREATE INDEX CONCURRENTLY i ON t (a)", STATEMENT_CREATE_INDEX_CONCURRENTLY},
        {"DROP INDEX CONCURRENTLY i", STATEMENT_DROP_INDEX_CONCURRENTLY},
        {"REINDEX INDEX CONCURRENTLY i", STATEMENT_REINDEX},
        {"REINDEX (CONCURRENTLY) TABLE t", STATEMENT_REINDEX},
        {"REINDEX SCHEMA s", STATEMENT_REINDEX},
        {"REINDEX DATABASE d", STATEMENT_REINDEX},
        {"ALTER TABLE a DETACH PARTITION b CONCURRENTLY", STATEMENT_DETACH_CONCURRENTLY},
        {"VACUUM t", STATEMENT_REPEATABLE},
        {"VACUUM (FULL) t", STATEMENT_REPEATABLE},
        {"CLUSTER", STATEMENT_REPEATABLE},
        {"ALTER SYSTEM SET a = 1", STATEMENT_REPEATABLE},
        {"DISCARD ALL", STATEMENT_REPEATABLE},
        {"ALTER DATABASE d SET TABLESPACE t", STATEMENT_REPEATABLE},
        {"ALTER SUBSCRIPTION s REFRESH PUBLICATION", STATEMENT_REPEATABLE},
        {"CREATE DATABASE d", STATEMENT_CREATE_DATABASE},
        {"DROP DATABASE IF EXISTS d", STATEMENT_DROP_DATABASE},
        {"CREATE TABLESPACE t LOCATION '/x'", STATEMENT_CREATE_TABLESPACE},
        {"DROP TABLESPACE t", STATEMENT_DROP_TABLESPACE},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", STATEMENT_CREATE_SUBSCRIPTION},
        {"DROP SUBSCRIPTION s", STATEMENT_DROP_SUBSCRIPTION},
        {"COMMIT PREPARED 'x'", STATEMENT_PREPARED_TRANSACTION},
    };
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Statement statement = classify(arena, cases[i].text);
        if (statement.kind != cases[i].kind)
            fail_msg("%s: kind %d, expected %d", cases[i].text, statement.kind, cases[i].kind);
        assert_true(statement.analysed);
        assert_int_equal(statement_needs_no_transaction(statement.kind),
                         cases[i].kind >= STATEMENT_CREATE_INDEX_CONCURRENTLY);
    }
}

static void names_the_object(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Statement made = classify(
        arena, "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY s.t USING gin (a)");
    assert_string_equal(made.name, "I x");
    assert_string_equal(made.table_schema, "s");
    assert_string_equal(made.table, "t");
    assert_true(made.if_exists && made.unique);
    Statement unnamed = classify(arena, "CREATE INDEX CONCURRENTLY ON t (a)");
    assert_null(unnamed.name);
    assert_null(unnamed.table_schema);
    Statement dropped = classify(arena, "DROP INDEX CONCURRENTLY IF EXISTS s.i");
    assert_string_equal(dropped.schema, "s");
    assert_string_equal(dropped.name, "i");
    assert_true(dropped.if_exists);
    Statement detached = classify(arena, "ALTER TABLE s.a DETACH PARTITION p.b CONCURRENTLY");
    assert_string_equal(detached.table, "a");
    assert_string_equal(detached.schema, "p");
    assert_string_equal(detached.name, "b");
    assert_string_equal(classify(arena, "CREATE DATABASE d").name, "d");
    assert_string_equal(classify(arena, "ROLLBACK PREPARED 'g'").name, "g");
    assert_string_equal(classify(arena, "REINDEX INDEX CONCURRENTLY s.i").name, "i");
    assert_string_equal(classify(arena, "REINDEX TABLE CONCURRENTLY s.i").table, "i");
}

static void sees_strings_turned_off(UNUSED void **state)
{
    static const char *const off[] = {
        "SET standard_conforming_strings = off", "SET STANDARD_CONFORMING_STRINGS TO 'off'",
        "SET LOCAL standard_conforming_strings = 0", "SET standard_conforming_strings = false",
        "SELECT set_config('standard_conforming_strings', 'off', false)"};
    static const char *const on[] = {
        "SET standard_conforming_strings = on", "SET standard_conforming_strings = 1",
        "RESET standard_conforming_strings",
        "SELECT set_config('standard_conforming_strings', 'on', true)"};
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(off); i++)
        assert_true(classify(arena, off[i]).strings_off);
    for (size_t i = 0; i < COUNT_OF(on); i++)
        assert_false(classify(arena, on[i]).strings_off);
    assert_true(classify(arena, "SET lock_timeout = '1s'").sets_lock_timeout);
    assert_true(classify(arena, "LOAD 'auto_explain'").loads_library);
}

static void knows_newer_syntax_by_its_words(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Statement statement;
    Error syntax = {0};
    const char *text = "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) VIRTUAL)";
    statement_classify(arena, text, strlen(text), &statement, &syntax);
    assert_false(statement.analysed);
    assert_int_equal(statement.kind, STATEMENT_ORDINARY);
    assert_int_equal(syntax.position, 54);
    assert_string_equal(syntax.sqlstate, "42601");
    Statement index = classify(arena, "CREATE INDEX CONCURRENTLY i ON t (a) FROBNICATED");
    assert_false(index.analysed);
    assert_true(statement_needs_no_transaction(index.kind));
    assert_true(statement_needs_no_transaction(classify(arena, "VACUUM (NEW_WAY x y) t").kind));
}

static void positions_are_characters(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Statement statement;
    Error syntax = {0};
    const char *text = "SELECT \xC3\xA9\xC3\xA9 FROM FROM";
    statement_classify(arena, text, strlen(text), &statement, &syntax);
    assert_int_equal(syntax.position, 16);
}

static void large_data_is_not_parsed(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)buffer_append_str(&text, "INSERT INTO t VALUES (0)");
    for (int i = 0; i < 500000; i++)
        (void)buffer_append_str(&text, ", (1)");
    Statement statement;
    statement_classify(arena, text.data, text.length, &statement, NULL);
    assert_int_equal(statement.kind, STATEMENT_ORDINARY);
    assert_true(statement.analysed);
}

/* What the grammar takes to any depth, and what only looks deep. Each is a statement of a length at
 * which a tree of one level for each repetition does not fit the stack. */
static void no_depth_is_too_deep(UNUSED void **state)
{
    static const struct {
        const char *head, *repeated, *tail;
        int times;
        bool analysed;
    } cases[] = {
        {"SELECT 1", "+1", "", 500000, false},
        {"SELECT 1", "::a", "", 350000, false},
        {"SELECT a", " COLLATE b", "", 100000, false},
        {"SELECT * FROM t", " JOIN t USING (a, b)", "", 100000, false},
        {"SELECT 1, 2", " UNION SELECT 1, 2", "", 100000, false},
        {"SELECT ", "(", "1", 500000, false},
        {"SELECT ", "f(1, ", "1", 200000, false},
        {"SELECT ", "NOT ", "true", 250000, false},
        {"CREATE INDEX CONCURRENTLY i ON t ((1", "+1", "))", 100000, false},
        {"SELECT 1", " + f(1, 2, 3, 4)", "", 100, true},
        {"SELECT 1 WHERE a IN (1", ", 1", ")", 100000, true},
        {"CREATE TABLE t (a int", ", b text CHECK (b <> 'x' AND length(b) < 9)", ")", 5000, true},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC", " SELECT 1;", " END", 20000, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        _cleanup_buffer_ Buffer text;
        buffer_init(&text, BUFFER_MAX_FILE);
        (void)buffer_append_str(&text, cases[i].head);
        for (int n = 0; n < cases[i].times; n++)
            (void)buffer_append_str(&text, cases[i].repeated);
        (void)buffer_append_str(&text, cases[i].tail);
        Statement statement;
        Error why = {0};
        _cleanup_json_ json_t *tree = NULL;
        statement_read(arena, text.data, text.length, &statement, &tree, &why);
        assert_int_equal(statement.analysed, cases[i].analysed);
        assert_int_equal(tree != NULL, cases[i].analysed);
        assert_int_equal(why.position > 0, !cases[i].analysed);
        bool index = statement_needs_no_transaction(statement.kind);
        assert_int_equal(index, strstr(cases[i].head, "CONCURRENTLY") != NULL);
    }
}

/* Deeper than JSON is read, and not too deep for the grammar. */
static void a_tree_that_cannot_be_read_is_not_analysed(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)buffer_append_str(&text, "DELETE FROM t WHERE 1");
    for (int n = 0; n < 3000; n++)
        (void)buffer_append_str(&text, "+1");
    Statement statement;
    Error why = {0};
    _cleanup_json_ json_t *tree = NULL;
    statement_read(arena, text.data, text.length, &statement, &tree, &why);
    assert_false(statement.analysed);
    assert_null(tree);
    assert_string_equal(why.message, "the statement is nested too deeply to be analysed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_kinds_apart),
        cmocka_unit_test(names_the_object),
        cmocka_unit_test(sees_strings_turned_off),
        cmocka_unit_test(knows_newer_syntax_by_its_words),
        cmocka_unit_test(positions_are_characters),
        cmocka_unit_test(large_data_is_not_parsed),
        cmocka_unit_test(no_depth_is_too_deep),
        cmocka_unit_test(a_tree_that_cannot_be_read_is_not_analysed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
