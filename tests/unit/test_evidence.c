#include "unit.h"

#include "base/file.h"
#include "state/evidence.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Arena *arena;
    char *directories[2];
    State *states[2]; /* two hosts that cannot see each other */
} Hosts;

static int make_hosts(void **state)
{
    Hosts *hosts = calloc(1, sizeof(*hosts));
    hosts->arena = arena_create();
    for (int i = 0; i < 2; i++) {
        Error err = {0};
        hosts->directories[i] = strdup("/tmp/vaxdb-evidence-XXXXXX");
        assert_non_null(mkdtemp(hosts->directories[i]));
        assert_true(state_open(hosts->directories[i], &hosts->states[i], &err));
    }
    *state = hosts;
    return 0;
}

static int drop_hosts(void **state)
{
    Hosts *hosts = *state;
    for (int i = 0; i < 2; i++) {
        Error err = {0};
        state_close(hosts->states[i]);
        assert_true(directory_remove(hosts->directories[i], &err));
        free(hosts->directories[i]);
    }
    arena_destroy(hosts->arena);
    free(hosts);
    return 0;
}

static void add(Hosts *hosts, int host, const char *name, int64_t at)
{
    Error err = {0};
    Evidence evidence = {.name = name,
                         .up_checksum = "aa",
                         .down_checksum = "bb",
                         .server_major = 15,
                         .fingerprint_before = "f0",
                         .fingerprint_after = "f1",
                         .roundtrip = "passed",
                         .roundtrip_detail = "",
                         .lint_errors = 0,
                         .lint_warnings = -1,
                         .duration_ms = 12,
                         .env = "staging",
                         .kind = "up",
                         .system_identifier = "7",
                         .database = "d\xC3\xA9",
                         .recorded_at = at};
    assert_true(state_evidence_add(hosts->states[host], hosts->arena, &evidence, &err));
}

static char *export(Hosts *hosts, int host, size_t expected)
{
    Error err = {0};
    _cleanup_buffer_ Buffer lines;
    size_t count = 0;
    buffer_init(&lines, BUFFER_MAX_FILE);
    assert_true(state_evidence_export(hosts->states[host], hosts->arena, &lines, &count, &err));
    assert_int_equal(count, expected);
    return arena_strdup(hosts->arena, lines.data);
}

static size_t count(Hosts *hosts, int host)
{
    Error err = {0};
    Evidence *items = NULL;
    size_t number = 0;
    assert_true(
        state_evidence_list(hosts->states[host], hosts->arena, NULL, &items, &number, &err));
    return number;
}

static void import(Hosts *hosts, int host, const char *text, size_t new, size_t old)
{
    Error err = {0};
    size_t added = 0, known = 0;
    if (!state_evidence_import(hosts->states[host], hosts->arena, text, strlen(text), "file",
                               &added, &known, &err))
        fail_msg("%s", err.message);
    assert_int_equal(added, new);
    assert_int_equal(known, old);
}

static void refuse(Hosts *hosts, int host, const char *text, const char *why)
{
    Error err = {0};
    size_t added = 0, known = 0, before = count(hosts, host);
    assert_false(state_evidence_import(hosts->states[host], hosts->arena, text, strlen(text),
                                       "file", &added, &known, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" is not in \"%s\"", why, err.message);
    assert_int_equal(count(hosts, host), before);
}

/* Text with the first occurrence of from replaced; of the same length or not. */
static char *replaced(Hosts *hosts, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return arena_printf(hosts->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static char *line_of(Hosts *hosts, const char *text, int number)
{
    for (; number > 1; number--)
        text = strchr(text, '\n') + 1;
    return arena_printf(hosts->arena, "%.*s\n", (int)strcspn(text, "\n"), text);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void keeps_what_was_added(void **state)
{
    Hosts *hosts = *state;
    Error err = {0};
    Evidence *items = NULL;
    size_t number = 0;
    add(hosts, 0, "001.sql", 100);
    add(hosts, 0, "002.sql", 100);
    assert_true(
        state_evidence_list(hosts->states[0], hosts->arena, "002.sql", &items, &number, &err));
    assert_int_equal(number, 1);
    assert_string_equal(items[0].name, "002.sql");
    assert_string_equal(items[0].up_checksum, "aa");
    assert_string_equal(items[0].database, "d\xC3\xA9");
    assert_int_equal(items[0].server_major, 15);
    assert_int_equal(items[0].lint_warnings, -1);
    assert_int_equal(items[0].sequence, 2);
    assert_int_equal(strlen(items[0].origin), 32);
    assert_true(state_evidence_list(hosts->states[0], hosts->arena, NULL, &items, &number, &err));
    assert_int_equal(number, 2);
    assert_string_equal(items[0].name, "002.sql"); /* the newest first */
    assert_string_equal(items[0].previous, items[1].hash);
    assert_string_equal(items[1].previous, "");
}

static const Evidence *begun(Hosts *hosts, const char *database)
{
    Error err = {0};
    Evidence *evidence = NULL;
    assert_true(
        state_evidence_begun(hosts->states[0], hosts->arena, "7", database, &evidence, &err));
    return evidence;
}

static void keeps_what_was_begun(void **state)
{
    Hosts *hosts = *state;
    Error err = {0};
    Evidence evidence = {.name = "001.sql",
                         .up_checksum = "aa",
                         .fingerprint_before = "f0",
                         .roundtrip = "passed",
                         .lint_warnings = 3,
                         .system_identifier = "7",
                         .database = "other"};
    assert_null(begun(hosts, "other"));
    assert_true(state_evidence_begin(hosts->states[0], hosts->arena, &evidence, &err));
    evidence.name = "002.sql"; /* one at a time */
    assert_true(state_evidence_begin(hosts->states[0], hosts->arena, &evidence, &err));
    evidence.database = "d\xC3\xA9";
    assert_true(state_evidence_begin(hosts->states[0], hosts->arena, &evidence, &err));
    const Evidence *found = begun(hosts, "other");
    assert_string_equal(found->name, "002.sql");
    assert_string_equal(found->fingerprint_before, "f0");
    assert_string_equal(found->fingerprint_after, "");
    assert_int_equal(found->lint_warnings, 3);
    assert_int_equal(count(hosts, 0), 0); /* it proves nothing yet */
    add(hosts, 0, "002.sql", 5);
    assert_null(begun(hosts, "d\xC3\xA9"));
    assert_non_null(begun(hosts, "other"));
    assert_true(state_evidence_end(hosts->states[0], "7", "other", &err));
    assert_null(begun(hosts, "other"));
}

static void travels(void **state)
{
    Hosts *hosts = *state;
    add(hosts, 0, "001.sql", 100);
    add(hosts, 0, "002.sql", 101);
    import(hosts, 1, export(hosts, 0, 2), 2, 0);
    add(hosts, 0, "003.sql", 102);
    import(hosts, 1, export(hosts, 0, 3), 1, 2);
    import(hosts, 1, export(hosts, 0, 3), 0, 3);
    /* And back, with what was recorded there: two origins in one file. */
    add(hosts, 1, "001.sql", 103);
    import(hosts, 0, export(hosts, 1, 4), 1, 3);
    assert_int_equal(count(hosts, 0), 4);
}

static void finds_edits(void **state)
{
    Hosts *hosts = *state;
    add(hosts, 0, "001.sql", 100);
    add(hosts, 0, "002.sql", 101);
    add(hosts, 0, "003.sql", 102);
    const char *whole = export(hosts, 0, 3);
    const char *first = line_of(hosts, whole, 1);
    const char *second = line_of(hosts, whole, 2);
    const char *third = line_of(hosts, whole, 3);
    refuse(hosts, 1, replaced(hosts, whole, "passed", "failed"), "line 1: the evidence of 001.sql");
    refuse(hosts, 1,
           arena_printf(hosts->arena, "%s%s%s", first, replaced(hosts, second, "\"bb\"", "\"cc\""),
                        third),
           "line 2: the evidence of 002.sql was changed");
    refuse(hosts, 1, arena_printf(hosts->arena, "%s%s", first, third), "line 2: this is record 3");
    refuse(hosts, 1, arena_printf(hosts->arena, "%s%s", second, third), "line 1: this is record 2");
    refuse(hosts, 1, arena_printf(hosts->arena, "%s%s%s", second, first, third), "line 1");
    refuse(hosts, 1, arena_printf(hosts->arena, "%s%s%s", first, first, second), "line 2");
    refuse(hosts, 1, replaced(hosts, whole, "\"kind\":\"up\",", ""), "no kind");
    refuse(hosts, 1, replaced(hosts, whole, "}", ""), "line 1");
    refuse(hosts, 1, "", "no evidence");
    refuse(hosts, 1, "[]\n", "no evidence");
    refuse(hosts, 1, "{\"record\": {}}\n", "no hash");
    import(hosts, 1, whole, 3, 0);
}

/* Two histories under one origin: a copied state directory. */
static void finds_contradictions(void **state)
{
    Hosts *hosts = *state;
    add(hosts, 0, "001.sql", 100);
    import(hosts, 1, export(hosts, 0, 1), 1, 0);
    char *path = arena_printf(hosts->arena, "%s/vaxdb.sqlite", hosts->directories[1]);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "INSERT INTO evidence_origin SELECT 1, min(origin) FROM evidence",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close(db);
    add(hosts, 1, "002.sql", 101);
    add(hosts, 0, "002.sql", 102);
    refuse(hosts, 1, export(hosts, 0, 2), "line 2: the evidence of 002.sql contradicts");
}

static void finds_an_edited_state_file(void **state)
{
    Hosts *hosts = *state;
    Error err = {0};
    Evidence *items = NULL;
    size_t number = 0;
    sqlite3 *db = NULL;
    add(hosts, 0, "001.sql", 100);
    char *path = arena_printf(hosts->arena, "%s/vaxdb.sqlite", hosts->directories[0]);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE evidence SET record = replace(record, 'passed', 'failed')", NULL,
                     NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_close(db);
    assert_false(state_evidence_list(hosts->states[0], hosts->arena, NULL, &items, &number, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    assert_non_null(strstr(err.message, "evidence of 001.sql was changed"));
}

static void carries_snapshots(void **state)
{
    Hosts *hosts = *state;
    Error err = {0};
    const char *json = NULL;
    add(hosts, 0, "001.sql", 100);
    assert_true(state_schema_remember(hosts->states[0], "f1", "{\"b\": 1, \"a\": 2}", &err));
    assert_true(state_schema_remember(hosts->states[0], "unrelated", "{}", &err));
    const char *whole = export(hosts, 0, 1);
    refuse(hosts, 1, replaced(hosts, whole, "\"b\":1", "\"b\":3"), "line 2: the snapshot");
    import(hosts, 1, whole, 1, 0);
    assert_true(state_schema_recall(hosts->states[1], hosts->arena, "f1", &json, &err));
    assert_string_equal(json, "{\"a\":2,\"b\":1}");
    assert_true(state_schema_recall(hosts->states[1], hosts->arena, "unrelated", &json, &err));
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_what_was_added, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(keeps_what_was_begun, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(travels, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(finds_edits, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(finds_contradictions, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(finds_an_edited_state_file, make_hosts, drop_hosts),
        cmocka_unit_test_setup_teardown(carries_snapshots, make_hosts, drop_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
