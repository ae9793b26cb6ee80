#include "unit.h"

#include "base/buffer.h"
#include "base/str.h"
#include "pg/split.h"

/* The statements of a text, joined by "|"; a COPY's data follows it in {}. */
static char *split_text(Arena *arena, const char *text)
{
    SqlPieces pieces;
    Error err = {0};
    if (!sql_split(arena, text, strlen(text), &pieces, &err))
        return arena_printf(arena, "error at %zu: %s", pieces.problem, err.message);
    StrList list;
    str_list_init(&list, arena);
    for (size_t i = 0; i < pieces.count; i++) {
        const SqlPiece *piece = &pieces.items[i];
        str_list_add(&list, arena_strndup(arena, text + piece->start, piece->length));
        if (piece->copy)
            list.items[i] = arena_printf(arena, "%s{%.*s}", list.items[i], (int)piece->data_length,
                                         text + piece->data);
    }
    return str_list_join(&list, arena, "|");
}

static void check(const char *const (*cases)[2], size_t count)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < count; i++)
        assert_string_equal(split_text(arena, cases[i][0]), cases[i][1]);
}

static void splits_plain_statements(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \n\t ", ""},
        {"-- only a comment", ""},
        {"/* a /* nested */ one; */ -- and; this\n", ""},
        {";;;", ""},
        {"SELECT 1", "SELECT 1"},
        {"SELECT 1;", "SELECT 1"},
        {"a;b ; c", "a|b|c"},
        {"-- head\nSELECT 1 -- tail;\n; -- end", "SELECT 1"},
        {"SELECT 1 /* ; */ + 2; x", "SELECT 1 /* ; */ + 2|x"},
        {"SELECT 1+--2;\n3; x", "SELECT 1+--2;\n3|x"},
        {"SELECT $1; x", "SELECT $1|x"},
        {"SELECT a$b$c; x$b$", "SELECT a$b$c|x$b$"},
        {"SELECT '\xC3\xA9;' AS \xC3\xA9t\xC3\xA9; x", "SELECT '\xC3\xA9;' AS \xC3\xA9t\xC3\xA9|x"},
    };
    check(cases, COUNT_OF(cases));
}

static void keeps_quotes_whole(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"SELECT 'a;b'; x", "SELECT 'a;b'|x"},
        {"SELECT 'it''s;'; x", "SELECT 'it''s;'|x"},
        {"SELECT 'back\\'; x", "SELECT 'back\\'|x"},
        {"SELECT E'quote\\';'; x", "SELECT E'quote\\';'|x"},
        {"SELECT e'\\\\'; x", "SELECT e'\\\\'|x"},
        {"SELECT E'a'\n  'b\\';'; x", "SELECT E'a'\n  'b\\';'|x"},
        {"SELECT E'a' -- why\n 'b\\';'; x", "SELECT E'a' -- why\n 'b\\';'|x"},
        {"SELECT note'\\'; x", "SELECT note'\\'|x"},
        {"SELECT date'2024-01-01;'; x", "SELECT date'2024-01-01;'|x"},
        {"SELECT U&'\\'; x", "SELECT U&'\\'|x"},
        {"SELECT U&\"d;\\0061\"; x", "SELECT U&\"d;\\0061\"|x"},
        {"SELECT \"a;\"\"b;\"; x", "SELECT \"a;\"\"b;\"|x"},
        {"SELECT '-- not; a comment'; x", "SELECT '-- not; a comment'|x"},
        {"SELECT '/* nor; this'; x", "SELECT '/* nor; this'|x"},
        {"SELECT $$a;b$$; x", "SELECT $$a;b$$|x"},
        {"SELECT $f$a;$$;$g$;$f$; x", "SELECT $f$a;$$;$g$;$f$|x"},
        {"SELECT $f$ $f $f$; x", "SELECT $f$ $f $f$|x"},
        {"SELECT $\xC3\xA9$;$\xC3\xA9$; x", "SELECT $\xC3\xA9$;$\xC3\xA9$|x"},
        {"DO $$ BEGIN x; END $$; y", "DO $$ BEGIN x; END $$|y"},
        {"CREATE RULE r AS ON INSERT TO t DO (a; b); x",
         "CREATE RULE r AS ON INSERT TO t DO (a; b)|x"},
    };
    check(cases, COUNT_OF(cases));
}

static void keeps_sql_bodies_whole(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; x",
         "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END|x"},
        {"create or replace procedure p() begin /* c */ atomic insert into t values (1); end; x",
         "create or replace procedure p() begin /* c */ atomic insert into t values (1); end|x"},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 ELSE CASE b WHEN "
         "2 "
         "THEN 3 END END; END; x",
         "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 ELSE CASE b WHEN "
         "2 "
         "THEN 3 END END; END|x"},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT (CASE WHEN a THEN 1 END); END; x",
         "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT (CASE WHEN a THEN 1 END); END|x"},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end, t.case FROM t; END; x",
         "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end, t.case FROM t; END|x"},
        {"CREATE FUNCTION begin() RETURNS int RETURN 1; x",
         "CREATE FUNCTION begin() RETURNS int RETURN 1|x"},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;'; x",
         "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;'|x"},
        {"BEGIN; CREATE TABLE t (); END; x", "BEGIN|CREATE TABLE t ()|END|x"},
        {"CREATE TABLE begin_atomic (a int); x", "CREATE TABLE begin_atomic (a int)|x"},
    };
    check(cases, COUNT_OF(cases));
}

static void carves_out_copy_data(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"COPY t FROM STDIN;\n1\ta;b\n2\t'\n\\.\nSELECT 1;",
         "COPY t FROM STDIN{1\ta;b\n2\t'\n}|SELECT 1"},
        {"copy t (a, \"from\") from stdin with (format csv);  -- rows\n\"x\ny\"\n\\.\n",
         "copy t (a, \"from\") from stdin with (format csv){\"x\ny\"\n}"},
        {"COPY t FROM STDIN;\n\\.\nx", "COPY t FROM STDIN{}|x"},
        {"COPY t FROM STDIN;\n\\.\r\nx", "COPY t FROM STDIN{}|x"},
        {"COPY t FROM STDIN;\n\\.", "COPY t FROM STDIN{}"},
        {"COPY t FROM STDIN;\n\\.x\n \\.\n\\.\nx", "COPY t FROM STDIN{\\.x\n \\.\n}|x"},
        {"COPY t FROM STDIN WHERE a IS DISTINCT FROM b;\n1\n\\.\n",
         "COPY t FROM STDIN WHERE a IS DISTINCT FROM b{1\n}"},
        {"COPY t FROM 'stdin'; x", "COPY t FROM 'stdin'|x"},
        {"COPY t FROM PROGRAM 'stdin'; x", "COPY t FROM PROGRAM 'stdin'|x"},
        {"COPY (SELECT * FROM stdin) TO '/tmp/x'; y", "COPY (SELECT * FROM stdin) TO '/tmp/x'|y"},
        {"SELECT copy FROM stdin; x", "SELECT copy FROM stdin|x"},
    };
    check(cases, COUNT_OF(cases));
}

static void tells_what_is_not_sql(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"x;\n\\i other.sql\n", "error at 3: a psql command (\\...) is not SQL"},
        {"SELECT 1 \\gexec", "error at 9: a psql command (\\...) is not SQL"},
        {"x; SELECT 'a", "error at 10: unterminated quoted string"},
        {"x; SELECT E'a\\'", "error at 10: unterminated quoted string"},
        {"SELECT \"a", "error at 7: unterminated quoted identifier"},
        {"SELECT $a$ $b$", "error at 7: unterminated dollar-quoted string"},
        {"x; /* /* */", "error at 3: unterminated comment"},
        {"COPY t FROM STDIN;\n1\n", "error at 0: COPY ... FROM STDIN without the end of its data"},
        {"COPY t FROM STDIN", "error at 0: COPY ... FROM STDIN without the end of its data"},
        {"COPY t FROM STDIN; SELECT 1;\n1\n\\.\n",
         "error at 19: text after the ';' of COPY ... FROM STDIN"},
    };
    check(cases, COUNT_OF(cases));
}

static void refuses_nul_bytes(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    SqlPieces pieces;
    Error err = {0};
    assert_false(sql_split(arena, "SELECT 1\0;", 10, &pieces, &err));
    assert_int_equal(pieces.problem, 8);
}

static void counts_lines(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *text = "-- one\n\nSELECT\n'a\nb';\nCOPY t FROM STDIN;\n1\n2\n\\.\n  SELECT 2;";
    SqlPieces pieces;
    Error err = {0};
    assert_true(sql_split(arena, text, strlen(text), &pieces, &err));
    assert_int_equal(pieces.count, 3);
    assert_int_equal(pieces.items[0].line, 3);
    assert_int_equal(pieces.items[1].line, 6);
    assert_int_equal(pieces.items[2].line, 10);
}

static void maps_positions_to_places(UNUSED void **state)
{
    const char *text = "a\n\xC3\xA9\xE2\x82\xACz\n";
    SqlPlace place = sql_place(text, strlen(text), 7);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 3);
    assert_int_equal(sql_offset_of_character(text, strlen(text), 1), 0);
    assert_int_equal(sql_offset_of_character(text, strlen(text), 5), 7);
    assert_int_equal(sql_offset_of_character(text, strlen(text), 99), strlen(text));
}

/* A hundred thousand statements and one of ten megabytes: quadratic work would meet
 * the test's time limit. */
static void is_linear(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    for (int i = 0; i < 100000; i++)
        assert_true(buffer_append_str(&text, "INSERT INTO t VALUES ($$;$$, E'\\';'); -- c\n"));
    assert_true(buffer_append_str(&text, "INSERT INTO t VALUES ('"));
    for (int i = 0; i < 1000000; i++)
        assert_true(buffer_append_str(&text, "0123;''--$$"));
    assert_true(buffer_append_str(&text, "');"));
    SqlPieces pieces;
    Error err = {0};
    assert_true(sql_split(arena, text.data, text.length, &pieces, &err));
    assert_int_equal(pieces.count, 100001);
    assert_int_equal(pieces.items[100000].line, 100001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_plain_statements),
        cmocka_unit_test(keeps_quotes_whole),
        cmocka_unit_test(keeps_sql_bodies_whole),
        cmocka_unit_test(carves_out_copy_data),
        cmocka_unit_test(tells_what_is_not_sql),
        cmocka_unit_test(refuses_nul_bytes),
        cmocka_unit_test(counts_lines),
        cmocka_unit_test(maps_positions_to_places),
        cmocka_unit_test(is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
