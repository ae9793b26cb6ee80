#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "migrate/files.h"
#include "migrate/migrate.h"

#include <stdlib.h>
#include <unistd.h>

/* "one 3", "none 2: VACUUM cannot run in one", or the error's first line. */
static char *describe(Arena *arena, const char *text)
{
    Script script;
    Error err = {0};
    if (!script_parse(arena, "f.sql", text, strlen(text), &script, &err))
        return arena_strndup(arena, err.message, strcspn(err.message, "\n"));
    size_t runs = 0;
    for (size_t i = 0; i < script.count; i++)
        runs += !script.items[i].left_out;
    return arena_printf(arena, "%s %zu%s%s", script.transaction ? "one" : "none", runs,
                        script.why_none ? ": " : "", script.why_none ? script.why_none : "");
}

static void check(const char *const (*cases)[2], size_t count)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < count; i++)
        assert_string_equal(describe(arena, cases[i][0]), cases[i][1]);
}

static void infers_the_transaction(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"", "one 0"},
        {"-- nothing\n/* here */", "one 0"},
        {"CREATE TABLE a (); SELECT 1;", "one 2"},
        {"VACUUM a", "none 1: VACUUM cannot run in one"},
        {"SET lock_timeout = 0; ANALYZE a; CREATE INDEX CONCURRENTLY i ON a (b)",
         "none 3: CREATE INDEX CONCURRENTLY cannot run in one"},
        {"CREATE TABLE a ();\nVACUUM a",
         "f.sql:2:1: VACUUM cannot run in a transaction, and line 1 needs one to be safe"},
        {"ALTER TYPE e ADD VALUE 'x'", "one 1"},
        {"BEGIN; CREATE TABLE a (); COMMIT;", "one 1"},
        {"SET a = 1; START TRANSACTION; CREATE TABLE a (); END; RESET a;", "one 3"},
        {"CREATE TABLE b (); BEGIN; CREATE TABLE a (); COMMIT;",
         "f.sql:1:20: BEGIN inside a file that runs in one transaction"},
        {"CREATE TABLE a (); ROLLBACK;",
         "f.sql:1:20: ROLLBACK inside a file that runs in one transaction"},
        {"SAVEPOINT a; ROLLBACK TO a;", "one 2"},
        {"DO $$ BEGIN COMMIT; END $$", "none 1: DO cannot run in one"},
    };
    check(cases, COUNT_OF(cases));
}

static void reads_annotations(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"-- migrate:transaction none\nCREATE TABLE a (); VACUUM a", "none 2: annotated"},
        {"--migrate:transaction none\n-- more\nSELECT 1", "none 1: annotated"},
        {"-- Why.\n\n  -- MIGRATE:transaction NONE\nSELECT 1", "none 1: annotated"},
        {"/* a */ -- migrate:transaction none\nSELECT 1", "none 1: annotated"},
        {"/* -- migrate:transaction none */\nSELECT 1", "one 1"},
        {"-- migrate:up transaction:false\nSELECT 1", "none 1: annotated"},
        {"-- migrate:up\nSELECT 1", "one 1"},
        {"-- +goose NO TRANSACTION\nSELECT 1", "none 1: annotated"},
        {"-- atlas:txmode none\nSELECT 1", "none 1: annotated"},
        {"-- migrate:transaction one\nSELECT 1", "one 1"},
        {"-- migrate:transaction one\nVACUUM a", "f.sql:2:1: VACUUM cannot run in a transaction"},
        {"-- migrate:transaction nope\nSELECT 1", "f.sql:1:3: this annotation is not known"},
        {"SELECT 1;\n-- migrate:transaction none\nSELECT 2;",
         "f.sql:2:1: the annotation comes too late"},
        {"SELECT '\n-- migrate:transaction none\n';", "one 1"},
        {"SELECT 1;\n-- migrate:down\nDROP TABLE a;", "f.sql:2:3: the file holds its own down "
                                                      "section"},
    };
    check(cases, COUNT_OF(cases));
}

/* The statements that run up | down, with their lines, or the error's first line. */
static char *describe_section(Arena *arena, const char *text, bool down)
{
    Script script = {0};
    Error err = {0};
    if (!(down ? script_parse_down : script_parse)(arena, "f.sql", text, strlen(text), &script,
                                                   &err))
        return arena_strndup(arena, err.message, strcspn(err.message, "\n"));
    char *said = arena_strdup(arena, script.transaction ? "one" : "none");
    for (size_t i = 0; i < script.count; i++)
        said = arena_printf(arena, "%s %d:%.*s", said, script.items[i].piece.line,
                            (int)script.items[i].piece.length,
                            script.text + script.items[i].piece.start);
    return said;
}

static void reads_the_section_of_its_direction(UNUSED void **state)
{
    static const struct {
        const char *text, *up, *down;
    } cases[] = {
        {"-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n", "one 2:SELECT 1",
         "one 5:SELECT 2"},
        {"-- Why.\n-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n"
         "-- +goose Down\nSELECT 2;",
         "one 4:SELECT 1", "one 7:SELECT 2"},
        {"-- migrate:up transaction:false\nVACUUM;\n-- migrate:down\nSELECT 2", "none 2:VACUUM",
         "one 4:SELECT 2"},
        {"-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\nSELECT 2", "one 2:SELECT 1",
         "none 4:SELECT 2"},
        {"-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2",
         "none 3:SELECT 1", "none 5:SELECT 2"},
        {"-- +migrate Up notransaction\nSELECT 1;\n  --+migrate DOWN\t\nSELECT 2",
         "none 2:SELECT 1", "one 4:SELECT 2"},
        {"-- migrate:down\nSELECT 2;\n-- migrate:up\nSELECT 1", "one 4:SELECT 1", "one 2:SELECT 2"},
        {"-- migrate:up\nSELECT 1", "one 2:SELECT 1",
         "f.sql:1:1: the file has no section `-- "
         "migrate:down`"},
        {"-- migrate:down\nSELECT 2", "f.sql:1:3: the file holds its own down section",
         "one 2:SELECT 2"},
        {"-- migrate:up\nSELECT 1;\n-- migrate:down\n-- migrate:up\nSELECT 2",
         "f.sql:4:1: this marker was there already", "f.sql:4:1: this marker was there already"},
        {"SELECT 0;\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2",
         "f.sql:1:1: a statement before the first section",
         "f.sql:1:1: a statement before the first section"},
        {"-- migrate:up\nSELECT 1; -- migrate:down\nDROP TABLE a;",
         "f.sql:2:13: the file holds its own down section",
         "f.sql:1:1: the file has no section `-- migrate:down`"},
        {"-- migrate:up\nSELECT 1;\n-- migrate:downgrade\nSELECT 2",
         "f.sql:3:3: this annotation is not known",
         "f.sql:1:1: the file has no section `-- migrate:down`"},
        /* Whatever the up leaves open, the down is no part of it. */
        {"-- migrate:up\nSELECT 'it;\n-- migrate:down\nSELECT 'is'; DROP TABLE a;",
         "f.sql:2:8: unterminated quoted string", "one 4:SELECT 'is' 4:DROP TABLE a"},
        {"-- migrate:up\nSELECT $$\n-- migrate:down\n$$; DROP TABLE a;",
         "f.sql:2:8: unterminated dollar-quoted string",
         "f.sql:4:1: unterminated dollar-quoted string"},
        {"-- migrate:up\nCOPY a FROM STDIN;\n1\n-- migrate:down\n2\n\\.\nDROP TABLE a;",
         "f.sql:2:1: COPY ... FROM STDIN without the end of its data", NULL},
        {"-- +goose ENVSUB ON\n-- +goose Up\nSELECT '${A}';",
         "f.sql:1:3: variables of the environment are not put in", NULL},
    };
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(describe_section(arena, cases[i].text, false), cases[i].up);
        if (cases[i].down)
            assert_string_equal(describe_section(arena, cases[i].text, true), cases[i].down);
    }
}

static void refuses_what_cannot_run(UNUSED void **state)
{
    static const char *const cases[][2] = {
        {"SELECT 1;\n  \\connect x", "f.sql:2:3: a psql command (\\...) is not SQL"},
        {"SET standard_conforming_strings = off",
         "f.sql:1:1: the file turns standard_conforming_strings off"},
        {"COPY a TO STDOUT", "f.sql:1:1: COPY TO STDOUT has nowhere to go in a migration"},
    };
    check(cases, COUNT_OF(cases));
}

static void shows_the_line_with_a_caret(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *text = "SELECT 1;\n\tSELECT '\xC3\xA9', x;\n";
    Script script;
    Error err = {0};
    assert_true(script_parse(arena, "f.sql", text, strlen(text), &script, &err));
    (void)error_set(&err, ERR_FAILED, "no x");
    err.position = 13;
    assert_false(script_fail_in(&script, 1, &err));
    assert_string_equal(
        err.message, "f.sql:2:14: no x\n    2 | \tSELECT '\xC3\xA9', x;\n      | \t            ^");
}

static void long_lines_are_cut_around_the_caret(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char text[4001];
    memset(text, 'x', 4000);
    text[4000] = '\0';
    Script script = {.name = "f.sql", .text = text, .length = 4000};
    for (size_t offset = 0; offset <= 4000; offset += 50) {
        Error err = {0};
        (void)error_set(&err, ERR_FAILED, "no");
        assert_false(script_fail_at(&script, offset, &err));
        assert_true(strlen(err.message) < 300);
    }
}

static void chains_statements(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Script one, two;
    Error err = {0};
    assert_true(script_parse(arena, "f", "SELECT 1; SELECT 2;", 19, &one, &err));
    assert_true(script_parse(arena, "f", "SELECT 1;  SELECT 3;", 20, &two, &err));
    assert_string_equal(one.items[0].chain, two.items[0].chain);
    assert_string_not_equal(one.items[1].chain, two.items[1].chain);
}

static void orders_names_naturally(UNUSED void **state)
{
    static const char *const sorted[] = {
        "1_a", "01_b",  "2_a",   "9_z",     "010_a",     "10_b",  "20240101_x", "20240101000000_x",
        "V1A", "V1_10", "V1__b", "V1.1__a", "V1_1_2__a", "V2__a", "V10__a",     "a"};
    for (size_t i = 0; i < COUNT_OF(sorted); i++) {
        for (size_t k = 0; k < COUNT_OF(sorted); k++) {
            int order = migration_name_compare(sorted[i], sorted[k]);
            assert_true(i == k ? order == 0 : (i < k) == (order < 0));
        }
    }
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(migration_number(arena, "002_x"), "2");
    assert_string_equal(migration_number(arena, "000"), "0");
    assert_string_equal(migration_number(arena, "x1"), "");
}

static void write_text(Arena *arena, const char *folder, const char *name, const char *text)
{
    Error err = {0};
    assert_true(file_create(path_join(arena, folder, name), text, strlen(text), 0600, &err));
}

static void pairs_files(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char folder[] = "/tmp/vaxdb-unit-XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const char *const names[] = {"10_j.sql",   "2_b.sql",      "2_b.down.sql",
                                        "3_c.up.sql", "3_c.down.sql", "4_d.down.sql",
                                        ".5_e.sql",   "6.sql.orig",   "README"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        write_text(arena, folder, names[i], "SELECT 1;\n");
    MigrationFiles files;
    Error err = {0};
    assert_true(migration_files_scan(arena, folder, &files, &err));
    assert_int_equal(files.count, 3);
    assert_string_equal(files.items[0].name, "2_b.sql");
    assert_string_equal(files.items[0].down_name, "2_b.down.sql");
    assert_string_equal(files.items[1].name, "3_c.up.sql");
    assert_string_equal(files.items[1].down_name, "3_c.down.sql");
    assert_string_equal(files.items[2].name, "10_j.sql");
    assert_null(files.items[2].down_name);
    assert_int_equal(files.orphans.count, 1);
    assert_string_equal(files.orphans.items[0], "4_d.down.sql");
    write_text(arena, folder, "11_k.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n");
    write_text(arena, folder, "12_l.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- none\n");
    assert_true(migration_files_scan(arena, folder, &files, &err));
    assert_int_equal(files.count, 5);
    assert_string_equal(files.items[3].down_name, "11_k.sql");
    assert_string_equal(files.items[3].down_path, files.items[3].path);
    assert_null(files.items[4].down_name);
    assert_int_equal(files.problems.count, 0);
    write_text(arena, folder, "11_k.down.sql", "SELECT 3;\n");
    assert_true(migration_files_scan(arena, folder, &files, &err));
    assert_int_equal(files.problems.count, 1);
    assert_string_equal(files.problems.items[0],
                        "11_k.sql has a down section and 11_k.down.sql is there too");
    assert_int_equal(unlink(path_join(arena, folder, "11_k.down.sql")), 0);
    write_text(arena, folder, "2_b.up.sql", "");
    assert_true(migration_files_scan(arena, folder, &files, &err));
    assert_int_equal(files.problems.count, 1);
    assert_true(directory_remove(folder, &err));
    assert_false(migration_files_scan(arena, folder, &files, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

/* U2 is the down of V2 by its version, and never runs as an up. */
static void pairs_files_of_flyway(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char folder[] = "/tmp/vaxdb-unit-XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const char *const names[] = {"V1__a.sql",    "V1.2__b.sql",  "U1.2__undo_b.sql",
                                        "V1.20__c.sql", "U3__none.sql", "R__view.sql",
                                        "V2__d.sql",    "U2__d.sql",    "U__x.sql"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        write_text(arena, folder, names[i], "SELECT 1;\n");
    MigrationFiles files;
    Error err = {0};
    assert_true(migration_files_scan(arena, folder, &files, &err));
    static const char *const ups[][2] = {
        {"R__view.sql", NULL},  {"U__x.sql", NULL},
        {"V1__a.sql", NULL},    {"V1.2__b.sql", "U1.2__undo_b.sql"},
        {"V1.20__c.sql", NULL}, {"V2__d.sql", "U2__d.sql"}};
    assert_int_equal(files.count, COUNT_OF(ups));
    for (size_t i = 0; i < COUNT_OF(ups); i++) {
        assert_string_equal(files.items[i].name, ups[i][0]);
        assert_true(str_equal(files.items[i].down_name, ups[i][1]));
    }
    assert_int_equal(files.orphans.count, 1);
    assert_string_equal(files.orphans.items[0], "U3__none.sql");
    assert_true(directory_remove(folder, &err));
}

static void checksums_ignore_line_ends(UNUSED void **state)
{
    static const char *const same[] = {"a\nb\n", "a\r\nb\r\n",
                                       "\xEF\xBB\xBF"
                                       "a\nb\n"};
    _cleanup_arena_ Arena *arena = arena_create();
    char folder[] = "/tmp/vaxdb-unit-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char first[HASH_HEX_SIZE] = "";
    Error err = {0};
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        const char *name = arena_printf(arena, "%zu.sql", i);
        char *text = NULL, checksum[HASH_HEX_SIZE];
        size_t length = 0;
        write_text(arena, folder, name, same[i]);
        assert_true(migration_text_read(arena, path_join(arena, folder, name), &text, &length,
                                        checksum, NULL, &err));
        assert_string_equal(text, "a\nb\n");
        assert_int_equal(length, 4);
        if (i == 0)
            memcpy(first, checksum, sizeof(first));
        assert_string_equal(checksum, first);
    }
    static const char *const bad[] = {"a\n\xC3(", "\xFF\xFE", "x\xC3", "\xE2\x82"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *name = arena_printf(arena, "bad%zu.sql", i);
        char *text = NULL, checksum[HASH_HEX_SIZE];
        size_t length = 0;
        write_text(arena, folder, name, bad[i]);
        assert_false(migration_text_read(arena, path_join(arena, folder, name), &text, &length,
                                         checksum, NULL, &err));
    }
    assert_true(directory_remove(folder, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infers_the_transaction),
        cmocka_unit_test(reads_annotations),
        cmocka_unit_test(reads_the_section_of_its_direction),
        cmocka_unit_test(refuses_what_cannot_run),
        cmocka_unit_test(shows_the_line_with_a_caret),
        cmocka_unit_test(long_lines_are_cut_around_the_caret),
        cmocka_unit_test(chains_statements),
        cmocka_unit_test(orders_names_naturally),
        cmocka_unit_test(pairs_files),
        cmocka_unit_test(pairs_files_of_flyway),
        cmocka_unit_test(checksums_ignore_line_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
