#include "unit.h"

#include "backup/backup.h"
#include "backup/roles.h"
#include "base/json.h"
#include "flows/scratch.h"

static Arena *arena;

static int make_arena(UNUSED void **state)
{
    arena = arena_create();
    return 0;
}

static int drop_arena(UNUSED void **state)
{
    arena_destroy(arena);
    return 0;
}

/* ---- manifest ---------------------------------------------------------------------------- */

static ManifestTable tables[] = {
    {.schema = "public", .name = "a", .number = 7, .rows = 10, .raw_bytes = 100, .digest = "00ff"},
    {.schema = "public", .name = "p", .partitioned = true},
    {.schema = "s\"x\n", .name = "b", .rows = INT64_MAX / 2, .digest = "0"},
    {.schema = "ext", .name = "conf", .extension = true, .rows = 3, .digest = "1"},
    {.schema = "\xE9", .name = "\"\x01\xFF", .rows = 1, .digest = "2"},
};
static ManifestIndex indexes[] = {{"public", "a_pkey", "a", true}, {"public", "bad", "a", false}};
static ManifestExtension extensions[] = {{"plpgsql", "1.0"}};
static ManifestSequence sequences[] = {{"public", "a_id_seq", INT64_MIN, true},
                                       {"s", "never", INT64_MAX, false}};

static Manifest make_manifest(void)
{
    return (Manifest){
        .file = "vaxtrace-production-20240101-120000.sql.gz",
        .name = "vaxtrace",
        .env = "production",
        .reason = "test",
        .tool_version = "1",
        .dump_version = "15.20",
        .server_version = "15.20",
        .server_version_number = 150020,
        .system_identifier = "7",
        .database = "d\xC3\xA9",
        .owner = "o",
        .encoding = "UTF8",
        .collate = "C",
        .ctype = "C",
        .locale_provider = "c",
        .database_bytes = 1234,
        .started_at = 1700000000,
        .snapshot_at = 1700000001,
        .finished_at = 1700000002,
        .snapshot_lsn = "0/1",
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .indexes = indexes,
        .index_count = COUNT_OF(indexes),
        .extensions = extensions,
        .extension_count = COUNT_OF(extensions),
        .sequences = sequences,
        .sequence_count = COUNT_OF(sequences),
        .globals = {.packed_bytes = 10, .raw_bytes = 30, .sha256 = "ab12", .passwords = true},
        .raw_bytes = 5000,
        .packed_bytes = 1000,
        .sha256 = "abc"};
}

static void a_manifest_reads_back(UNUSED void **state)
{
    Manifest written = make_manifest();
    Manifest read;
    Error err = {0};
    char *text = manifest_write(arena, &written);
    if (!manifest_parse(arena, "m", text, strlen(text), &read, &err))
        fail_msg("%s", err.message);
    assert_string_equal(read.file, written.file);
    assert_string_equal(read.database, written.database);
    assert_null(read.locale);
    assert_int_equal(read.snapshot_at, written.snapshot_at);
    assert_int_equal(read.table_count, COUNT_OF(tables));
    assert_string_equal(read.tables[2].schema, "s\"x\n");
    assert_true(read.tables[1].partitioned && read.tables[3].extension);
    assert_string_equal(read.tables[4].schema, "\xE9");
    assert_string_equal(read.tables[4].name, "\"\x01\xFF");
    assert_int_equal(read.sequences[0].last_value, INT64_MIN);
    assert_int_equal(manifest_rows(&read), 10 + INT64_MAX / 2 + 1);
    assert_int_equal(manifest_table_count(&read), 3);
    assert_false(read.indexes[1].valid);
    assert_int_equal(read.tables[0].number, 7);
    assert_string_equal(manifest_write(arena, &read), text);
}

static void every_changed_byte_of_a_manifest_is_seen(UNUSED void **state)
{
    Manifest manifest = make_manifest();
    char *text = manifest_write(arena, &manifest);
    size_t length = strlen(text);
    for (size_t at = 0; at < length; at++) {
        Error err = {0};
        Manifest read;
        text[at] = (char)(text[at] ^ (1 << (at % 8)));
        assert_false(manifest_parse(arena, "m", text, length, &read, &err));
        assert_int_equal(err.code, ERR_PROBLEMS);
        text[at] = (char)(text[at] ^ (1 << (at % 8)));
    }
    for (size_t cut = 0; cut < length - 1; cut++) {
        Error err = {0};
        Manifest read;
        assert_false(manifest_parse(arena, "m", text, cut, &read, &err));
    }
}

/* Tables t45155 and t53074 have the same number by their names, 1872236086. */
static void a_table_keeps_its_number(UNUSED void **state)
{
    ManifestTable all[] = {{.schema = "public", .name = "a"},
                           {.schema = "publi", .name = "ca"},
                           {.schema = "public", .name = "t53074"},
                           {.schema = "public", .name = "t45155"}};
    Manifest manifest = {.tables = all, .table_count = COUNT_OF(all)};
    manifest_number_tables(&manifest);
    assert_int_equal(all[0].number, 683192217);
    assert_int_not_equal(all[1].number, 683192217);
    assert_int_equal(all[2].number, 1872236087);
    assert_int_equal(all[3].number, 1872236086);
    assert_ptr_equal(manifest_find_number(&manifest, 1872236087), &all[2]);
    assert_null(manifest_find_number(&manifest, 0));
    manifest.table_count = 1;
    manifest_number_tables(&manifest);
    assert_int_equal(all[0].number, 683192217);
}

/* Backups of before tables had numbers: labels had the position. */
static void a_manifest_without_numbers_has_positions(UNUSED void **state)
{
    Manifest written = make_manifest();
    Manifest read;
    Error err = {0};
    char hash[HASH_HEX_SIZE];
    json_t *root = json_loads(manifest_write(arena, &written), 0, NULL);
    for (size_t i = 0; i < written.table_count; i++) {
        json_t *table = json_array_get(json_object_get(root, "tables"), i);
        assert_int_equal(json_object_del(table, "number"), 0);
    }
    (void)json_object_del(root, "manifest_sha256");
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    hash_bytes(text, strlen(text), hash);
    free(text);
    (void)json_object_set_new(root, "manifest_sha256", json_string(hash));
    text = json_dumps(root, 0);
    if (!manifest_parse(arena, "m", text, strlen(text), &read, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < read.table_count; i++)
        assert_int_equal(read.tables[i].number, i);
    free(text);
    json_decref(root);
}

/* ---- retention --------------------------------------------------------------------------- */

#define DAY 86400
#define NOW 1700000000

/* One letter a backup, newest first, with its age in days: 'v' verified, 'u' not, 'd' verified and
 * drilled last, 'x' verified but damaged since, 'o' verified of another environment, 'h' verified
 * and held, 'e' verified, its hold is over, 'a' verified and adopted. */
static const char *decide(const char *letters, const int *ages, const RetentionPolicy *policy)
{
    size_t count = strlen(letters);
    PruneRow *rows = arena_array(arena, count, sizeof(*rows));
    BackupEntry *entries = arena_array(arena, count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        entries[i].manifest = make_manifest();
        entries[i].manifest.env = letters[i] == 'o' ? "staging" : "production";
        entries[i].manifest.adopted = letters[i] == 'a';
        entries[i].manifest.finished_at = NOW - (int64_t)ages[i] * DAY;
        entries[i].problem = letters[i] == 'x' ? "gone" : NULL;
        rows[i] = (PruneRow){.entry = &entries[i],
                             .verified = letters[i] != 'u',
                             .last_drilled = letters[i] == 'd',
                             .keep_until = letters[i] == 'h'   ? NOW + DAY
                                           : letters[i] == 'e' ? NOW
                                                               : 0,
                             .keep_reason = "made before migrate rollback"};
    }
    backup_prune_decide(arena, rows, count, NOW, policy);
    char *decided = arena_alloc(arena, count + 1);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(rows[i].reason);
        decided[i] = rows[i].remove ? '-' : '+';
    }
    return decided;
}

static void retention(UNUSED void **state)
{
    static const struct {
        const char *letters;
        int ages[8];
        int days, keep_min;
        const char *expected;
    } table[] = {
        {"vvvv", {1, 29, 31, 90}, 30, 1, "++--"},
        {"vvvv", {1, 29, 31, 90}, 30, 3, "+++-"},
        {"vvvv", {1, 29, 31, 90}, 30, 4, "++++"},
        {"v", {400}, 30, 1, "+"},                  /* the only one */
        {"uuuu", {40, 50, 60, 70}, 30, 1, "++++"}, /* none is known to be good */
        {"uuuv", {1, 2, 40, 50}, 30, 1, "++++"},  /* the newest verified stays, and what is newer */
        {"uvuv", {1, 40, 50, 60}, 30, 1, "++--"}, /* an unverified one counts for nothing */
        {"vvdv", {1, 2, 300, 400}, 30, 1, "+++-"}, /* the last drilled stays */
        {"vhev", {1, 2, 3, 3}, 1, 1, "++--"},      /* a hold counts above the retention */
        {"xvvv", {1, 40, 50, 60}, 30, 1, "++--"},  /* a damaged one is no verified one */
        {"xxxv", {1, 2, 3, 60}, 30, 1, "++++"},    /* the nightly job that broke */
        {"ooov", {1, 2, 3, 60}, 30, 1, "++++"},    /* another environment's do not count */
        {"ovov", {1, 2, 60, 60}, 30, 1, "++--"},
        {"aaav", {1, 2, 40, 60}, 30, 1, "++-+"},  /* an adopted one makes none of ours go */
        {"vaav", {1, 40, 50, 60}, 30, 1, "+---"}, /* one of ours does */
        {"vv", {1, 30}, 30, 1, "++"},             /* to the day */
        {"", {0}, 30, 1, ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        RetentionPolicy policy = {.days = table[i].days, .keep_min = table[i].keep_min};
        assert_string_equal(decide(table[i].letters, table[i].ages, &policy), table[i].expected);
    }
}

/* NOW is Tuesday, 2023-11-14: 1 day ago was Monday, 14 days ago the last of October, 317 days ago
 * the first of January. */
static void retention_by_period(UNUSED void **state)
{
    static const struct {
        const char *letters;
        int ages[8];
        RetentionPolicy policy;
        const char *expected;
    } table[] = {
        {"vvvvvv", {0, 317, 318, 400, 683, 1048}, {1, 1, 0, 0, 0, 2}, "+-+-+-"},
        {"vvvvvv", {0, 317, 318, 400, 683, 1048}, {1, 1, 0, 0, 0, 7}, "+-+-++"},
        {"vvvvvv", {0, 317, 318, 400, 683, 1048}, {1, 1, 0, 0, 0, 0}, "+-----"},
        /* 7 years: what was finished at the end of 2016 stays until 2023 is over */
        {"vvvvvvvv", {0, 318, 683, 1049, 1414, 1779, 2144, 2510}, {1, 1, 0, 0, 0, 7}, "++++++++"},
        {"vvvvvvvv", {0, 318, 683, 1049, 1414, 1779, 2144, 2510}, {1, 1, 0, 0, 0, 6}, "+++++++-"},
        {"vuv", {0, 318, 320}, {1, 1, 0, 0, 0, 1}, "+-+"},  /* the unverified one is no last one */
        {"vxv", {0, 318, 320}, {1, 1, 0, 0, 0, 1}, "+-+"},  /* nor is the damaged one */
        {"vvv", {-400, 0, 318}, {1, 1, 0, 0, 0, 1}, "+++"}, /* a clock that ran ahead */
        {"vovo", {0, 318, 319, 320}, {1, 1, 0, 0, 0, 1}, "+++-"},
        {"vvvvv", {0, 2, 3, 4, 5}, {1, 1, 2, 0, 0, 0}, "+++--"},
        {"vvvv", {0, 100, 200, 300}, {1, 1, 2, 0, 0, 0}, "+++-"}, /* only days with one count */
        {"vvvvv", {0, 2, 8, 9, 16}, {1, 1, 0, 1, 0, 0}, "++---"},
        {"vvvvv", {0, 2, 8, 9, 16}, {1, 1, 0, 2, 0, 0}, "++-+-"},
        {"vvvv", {0, 14, 15, 45}, {1, 1, 0, 0, 1, 0}, "++--"},
        {"vvvv", {0, 14, 15, 45}, {1, 1, 0, 0, 2, 0}, "++-+"},
        {"vvvv", {0, 14, 15, 45}, {1, 1, 0, 0, 1, 1}, "++--"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(decide(table[i].letters, table[i].ages, &table[i].policy),
                            table[i].expected);
}

/* An order of the list that is not that of the ends: by the end it counts. */
static void retention_counts_by_the_end(UNUSED void **state)
{
    const RetentionPolicy policy = {.days = 1, .keep_min = 1};
    const int ages[] = {50, 40, 60};
    assert_string_equal(decide("vvv", ages, &policy), "-+-");
}

/* ---- roles ------------------------------------------------------------------------------- */

static void check_roles(const char *sql, const char *expected)
{
    StrList roles;
    str_list_init(&roles, arena);
    roles_of_statement(sql, &roles);
    assert_string_equal(str_list_join(&roles, arena, ","), expected);
}

static void roles_are_found_in_statements(UNUSED void **state)
{
    check_roles("ALTER TABLE public.t OWNER TO app_owner", "app_owner");
    check_roles("ALTER FUNCTION public.f(\"owner to x\" text) OWNER TO \"Odd \"\"one\"",
                "Odd \"one");
    check_roles("GRANT SELECT,INSERT ON TABLE public.t TO App", "app");
    check_roles("GRANT ALL ON SCHEMA public TO PUBLIC", "");
    check_roles("GRANT SELECT(a) ON TABLE t TO a, \"B\" WITH GRANT OPTION", "a,B");
    check_roles("REVOKE ALL ON TABLE t FROM x", "x");
    check_roles("ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES TO b",
                "a,b");
    check_roles("CREATE POLICY p ON t FOR SELECT TO x, y USING ((a = 'to z'))", "x,y");
    check_roles("SET SESSION AUTHORIZATION 'Who'", "Who");
    check_roles("SET SESSION AUTHORIZATION DEFAULT", "");
    check_roles("CREATE FUNCTION f() AS $$ GRANT x TO y $$", "");
    check_roles("ALTER TABLE t ADD CONSTRAINT c CHECK (owner > 0)", "");
    StrList some;
    str_list_init(&some, arena);
    str_list_add(&some, "x");
    assert_true(roles_mentioned("REVOKE ALL ON TABLE t FROM x", &some));
    assert_false(roles_mentioned("REVOKE ALL ON TABLE x FROM y", &some));
    assert_false(roles_mentioned("REVOKE ALL ON TABLE t FROM x", NULL));
}

static void only_our_own_scratch_databases_are_ours(UNUSED void **state)
{
    assert_false(scratch_is_ours("vaxdb_drill_20240101_120000_deadbeef_0123456789", "7"));
    assert_false(scratch_is_ours("vaxdb_drill", "7"));
    assert_false(scratch_is_ours("vaxtrace_production", "7"));
    assert_false(scratch_is_ours("", "7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_reads_back),
        cmocka_unit_test(every_changed_byte_of_a_manifest_is_seen),
        cmocka_unit_test(a_table_keeps_its_number),
        cmocka_unit_test(a_manifest_without_numbers_has_positions),
        cmocka_unit_test(retention),
        cmocka_unit_test(retention_by_period),
        cmocka_unit_test(retention_counts_by_the_end),
        cmocka_unit_test(roles_are_found_in_statements),
        cmocka_unit_test(only_our_own_scratch_databases_are_ours),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
