#include "unit.h"

#include "backup/dump_reader.h"
#include "base/buffer.h"

/* Everything that the reader tells, one a line: "S3 text" a statement of line 3, "C text" the begin
 * of a COPY block, its data as it is, "E2 name" its end with 2 rows. */
static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    (void)err;
    assert_int_equal(strlen(sql), length);
    return buffer_printf(data, "S%d %s\n", (int)line, sql);
}

static bool on_copy_begin(void *data, const char *sql, int64_t line, Error *err)
{
    (void)err;
    return buffer_printf(data, "C%d %s\n", (int)line, sql);
}

static bool on_copy_data(void *data, const char *bytes, size_t length, Error *err)
{
    (void)err;
    return buffer_append(data, bytes, length);
}

static bool on_copy_end(void *data, const DumpTable *table, int64_t rows, Error *err)
{
    (void)err;
    return buffer_printf(data, "E%d %s.%s\n", (int)rows, table->schema, table->name);
}

static const DumpEvents events = {on_statement, on_copy_begin, on_copy_data, on_copy_end};

static bool read_dump(const char *text, size_t piece, Buffer *told, bool *complete, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_dump_reader_ DumpReader *reader = dump_reader_create(arena, &events, told);
    size_t length = strlen(text);
    for (size_t at = 0; at < length; at += piece) {
        if (!dump_reader_feed(reader, text + at, length - at < piece ? length - at : piece, err))
            return false;
    }
    if (!dump_reader_finish(reader, err))
        return false;
    *complete = dump_reader_is_complete(reader);
    return true;
}

static void check(const char *text, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        _cleanup_buffer_ Buffer told;
        Error err = {0};
        bool complete = false;
        buffer_init(&told, BUFFER_MAX_LINE);
        if (!read_dump(text, piece, &told, &complete, &err))
            fail_msg("%s", err.message);
        assert_string_equal(told.data, expected);
    }
}

static void check_fails(const char *text, const char *part)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        _cleanup_buffer_ Buffer told;
        Error err = {0};
        bool complete = false;
        buffer_init(&told, BUFFER_MAX_LINE);
        assert_false(read_dump(text, piece, &told, &complete, &err));
        assert_int_equal(err.code, ERR_PROBLEMS);
        if (!strstr(err.message, part))
            fail_msg("\"%s\" lacks \"%s\"", err.message, part);
    }
}

static void statements_end_where_psql_ends_them(UNUSED void **state)
{
    check("SELECT 1; SELECT 2;\n\n;;SELECT\n3;", "S1 SELECT 1\nS1 SELECT 2\nS3 SELECT\n3\n");
    check("SELECT ';', \"a;\"\"b\", 'it''s;';\n", "S1 SELECT ';', \"a;\"\"b\", 'it''s;'\n");
    check("SELECT E'a\\';b', 'a\\';\n", "S1 SELECT E'a\\';b', 'a\\'\n");
    check("SELECT $$;$$, $a$;$$;$b$;$a$, a$b;\n", "S1 SELECT $$;$$, $a$;$$;$b$;$a$, a$b\n");
    check("-- no; comment\n/* a /* b; */ ; */ SELECT 1 -- x;\n + 2;\n",
          "S2 SELECT 1 -- x;\n + 2\n");
    check("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);\n",
          "S1 CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)\n");
    check("CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
          "END; SELECT 2; END; BEGIN; COMMIT;\n",
          "S1 CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
          "END; SELECT 2; END\nS1 BEGIN\nS1 COMMIT\n");
    check("SET standard_conforming_strings = off;\nSELECT 'a\\';b';\n",
          "S1 SET standard_conforming_strings = off\nS2 SELECT 'a\\';b'\n");
}

static void strings_go_on_after_a_newline(UNUSED void **state)
{
    check("SELECT E'a'\n'b\\';c', 'd';\n", "S1 SELECT E'a'\n'b\\';c', 'd'\n");
    check("SELECT E'a' -- ;'\n'\\';c';\n", "S1 SELECT E'a' -- ;'\n'\\';c'\n");
    check("SELECT 'a'\n'b\\'; SELECT 1;\n", "S1 SELECT 'a'\n'b\\'\nS2 SELECT 1\n");
    check("SELECT E'a';\n'b\\';\n", "S1 SELECT E'a'\nS2 'b\\'\n");
    check("SELECT E'a'/*\n*/\n'b\\';\n", "S1 SELECT E'a'/*\n*/\n'b\\'\n");
}

static void a_tag_may_have_any_length(UNUSED void **state)
{
    char tag[300], text[1000], expected[1000];
    memset(tag, 'a', sizeof(tag));
    tag[sizeof(tag) - 1] = '\0';
    (void)snprintf(text, sizeof(text), "DO $%s$\n;$a$;\n$%s$;\n", tag, tag);
    (void)snprintf(expected, sizeof(expected), "S1 DO $%s$\n;$a$;\n$%s$\n", tag, tag);
    check(text, expected);
}

static void copy_blocks_end_at_their_line(UNUSED void **state)
{
    check("COPY public.t (a, b) FROM stdin;\n1\t\\N\n\\N\t\\.\n\\.\nSELECT 1;\n",
          "C1 COPY public.t (a, b) FROM stdin\n1\t\\N\n\\N\t\\.\nE2 public.t\nS5 SELECT 1\n");
    check("COPY t FROM stdin;\n\\.\n", "C1 COPY t FROM stdin\nE0 .t\n");
    check("COPY \"s.x\".\"a\"\"b\" (\"from\") FROM stdin;\n\\\\.\n\\.x\n\\.\n",
          "C1 COPY \"s.x\".\"a\"\"b\" (\"from\") FROM stdin\n\\\\.\n\\.x\nE2 s.x.a\"b\n");
    check("COPY t FROM -- here:\nstdin;\n1\n\\.\n", "C1 COPY t FROM -- here:\nstdin\n1\nE1 .t\n");
    check("COPY t FROM STDIN;\r\na\r\n\\.\r\n", "C1 COPY t FROM STDIN\na\r\nE1 .t\n");
    check("COPY t TO '/x';\nCOPY t FROM 'stdin';\n", "S1 COPY t TO '/x'\nS2 COPY t FROM 'stdin'\n");
}

static void backslash_commands_are_never_obeyed(UNUSED void **state)
{
    check("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n", "S2 SELECT 1\n");
    check_fails("SELECT 1;\n\\! rm -rf /\n", "line 2: the dump holds the psql command \\!");
    check_fails("\\connect postgres\n", "\\connect");
    check_fails("SELECT 1 \\gexec\n", "\\gexec");
    check_fails("SELECT 1 \\restrict x\n", "\\restrict");
    check_fails("\\.\n", "\\.");
    check("COMMENT ON TABLE t IS '\n\\! ls\n';\n", "S1 COMMENT ON TABLE t IS '\n\\! ls\n'\n");
}

static void an_end_in_the_middle_is_an_error(UNUSED void **state)
{
    check_fails("SELECT 1", "statement of line 1");
    check_fails("SELECT 1;\nSELECT 'a;\n", "statement of line 2");
    check_fails("/* a", "in the middle");
    check_fails("COPY public.t (a) FROM stdin;\n1\n2", "data of table t");
    check_fails("COPY public.t (a) FROM stdin;\n1\n\\.", "data of table t");
    check_fails("COPY public.t FROM stdin; SELECT 1;\n", "text after COPY");
}

static void the_last_line_of_pg_dump_is_noticed(UNUSED void **state)
{
    static const struct {
        const char *text;
        bool complete;
    } cases[] = {
        {"SELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n", true},
        {"SELECT 1;\n", false},
        {"-- PostgreSQL database dump complete\nSELECT 1;\n", false},
        {"SELECT '\n-- PostgreSQL database dump complete\n';\n", false},
        {"COPY t FROM stdin;\n-- PostgreSQL database dump complete\n\\.\n", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_buffer_ Buffer told;
        Error err = {0};
        bool complete = false;
        buffer_init(&told, BUFFER_MAX_LINE);
        assert_true(read_dump(cases[i].text, 5, &told, &complete, &err));
        assert_int_equal(complete, cases[i].complete);
    }
}

static uint64_t digest_of(const char *rows, int64_t *count)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_dump_reader_ DumpReader *reader = dump_reader_create(arena, NULL, NULL);
    Error err = {0};
    size_t tables = 0;
    const char *text = arena_printf(arena, "COPY t FROM stdin;\n%s\\.\n", rows);
    assert_true(dump_reader_feed(reader, text, strlen(text), &err));
    assert_true(dump_reader_finish(reader, &err));
    const DumpTable *table = dump_reader_tables(reader, &tables);
    assert_int_equal(tables, 1);
    *count = table->rows;
    return table->digest;
}

static void the_digest_is_of_the_rows_in_any_order(UNUSED void **state)
{
    int64_t rows = 0;
    uint64_t digest = digest_of("a\tb\nc\td\n\n", &rows);
    assert_int_equal(rows, 3);
    assert_true(digest == digest_of("\nc\td\na\tb\n", &rows));
    assert_true(digest != digest_of("a\td\nc\tb\n\n", &rows));
    assert_true(digest != digest_of("a\tb\nc\td\n", &rows));
    assert_true(digest_of("x\nx\n", &rows) != digest_of("x\n", &rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_where_psql_ends_them),
        cmocka_unit_test(strings_go_on_after_a_newline),
        cmocka_unit_test(a_tag_may_have_any_length),
        cmocka_unit_test(copy_blocks_end_at_their_line),
        cmocka_unit_test(backslash_commands_are_never_obeyed),
        cmocka_unit_test(an_end_in_the_middle_is_an_error),
        cmocka_unit_test(the_last_line_of_pg_dump_is_noticed),
        cmocka_unit_test(the_digest_is_of_the_rows_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
