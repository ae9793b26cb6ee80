#include "unit.h"

#include "backup/archive.h"
#include "backup/backup.h"
#include "backup/dump_reader.h"
#include "base/file.h"
#include "base/process.h"

#include <fcntl.h>

static Arena *arena;
static char folder[] = "/tmp/vaxdb-unit-XXXXXX";
static const char *path;
static const char *manifest_path;
static Log quiet;

static int set_up(UNUSED void **state)
{
    arena = arena_create();
    log_init(&quiet, stderr, true);
    quiet.quiet = true;
    if (!mkdtemp(folder))
        return 1;
    path = path_join(arena, folder, "vaxtrace-production-20240101-120000.sql.gz");
    manifest_path = arena_printf(arena, "%s" MANIFEST_SUFFIX, path);
    return 0;
}

static int tear_down(UNUSED void **state)
{
    Error err = {0};
    bool removed = directory_remove(folder, &err);
    arena_destroy(arena);
    return !removed;
}

/* ---- a backup ------------------------------------------------------------------------------ */

typedef struct {
    MemberKind kind;
    uint32_t table;
    const char *text;
} Part;

#define END "--\n-- PostgreSQL database dump complete\n--\n\n"

static const Part good[] = {
    {MEMBER_TEXT, MEMBER_NO_TABLE, "SET x = 1;\nCREATE TABLE a (i int);\n"},
    {MEMBER_COPY_BEGIN, 0, "COPY public.a (i, t) FROM stdin;\n"},
    {MEMBER_ROWS, 0, "1\tone\n2\t\\\\.\n"},
    {MEMBER_ROWS, 0, "3\t\\N\n\n"},
    {MEMBER_COPY_END, 0, "\\.\n"},
    {MEMBER_COPY_BEGIN, 1, "COPY public.b (i) FROM stdin;\n"},
    {MEMBER_COPY_END, 1, "\\.\n"},
    {MEMBER_COPY_BEGIN, 3, "COPY public.root (i) FROM stdin;\n"},
    {MEMBER_ROWS, 3, "7\n"},
    {MEMBER_COPY_END, 3, "\\.\n"},
    {MEMBER_TEXT, MEMBER_NO_TABLE, "ALTER TABLE a OWNER TO keeper;\nSELECT 'in\n"},
    {MEMBER_TEXT, MEMBER_NO_TABLE, "two';\n" END},
};

static ManifestTable tables[] = {
    {.schema = "public", .name = "a", .rows = 4, .raw_bytes = 21},
    {.schema = "public", .name = "b", .number = 1},
    {.schema = "public", .name = "root", .number = 2, .partitioned = true},
    {.schema = "public", .name = "leaf", .number = 3, .rows = 1, .raw_bytes = 2},
};

/* What a lying label is made by; all zero: none. */
typedef struct {
    int64_t more_rows;
    uint64_t more_digest;
} Lie;

static ArchiveIndex write_parts(const Part *parts, size_t count, Lie lie, GzipTotals *totals)
{
    Error err = {0};
    ArchiveIndex index;
    _cleanup_close_ int descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(descriptor, path);
    _cleanup_member_packer_ MemberPacker *packer = member_packer_create(COMPRESS_BALANCED);
    for (size_t i = 0; i < count; i++) {
        _cleanup_buffer_ Buffer packed;
        DumpRows rows = {0};
        size_t length = strlen(parts[i].text);
        MemberLabel label = {
            .kind = parts[i].kind, .table = parts[i].table, .raw_bytes = (int64_t)length};
        buffer_init(&packed, BUFFER_MAX_FILE);
        dump_rows_feed(&rows, parts[i].text, length);
        if (label.kind == MEMBER_ROWS) {
            label.rows = rows.rows + lie.more_rows;
            label.digest = rows.digest + lie.more_digest;
        }
        if (!member_pack(packer, &label, parts[i].text, &packed, &err) ||
            !archive_append(writer, &label, packed.data, packed.length, &err))
            fail_msg("%s", err.message);
    }
    assert_true(archive_writer_finish(writer, arena, &index, totals, &err));
    return index;
}

static const char *digest_of(const char *rows)
{
    DumpRows counted = {0};
    dump_rows_feed(&counted, rows, strlen(rows));
    return arena_printf(arena, "%016llx", (unsigned long long)counted.digest);
}

static void write_manifest(const ArchiveIndex *index, const GzipTotals *totals)
{
    Error err = {0};
    tables[0].digest = digest_of("1\tone\n2\t\\\\.\n3\t\\N\n\n");
    tables[1].digest = digest_of("");
    tables[3].digest = digest_of("7\n");
    Manifest manifest = {.file = path_basename(path),
                         .name = "vaxtrace",
                         .env = "production",
                         .tool_version = "1",
                         .dump_version = "15",
                         .server_version = "15",
                         .system_identifier = "7",
                         .database = "d",
                         .owner = "o",
                         .encoding = "UTF8",
                         .locale_provider = "c",
                         .tables = tables,
                         .table_count = COUNT_OF(tables),
                         .raw_bytes = totals->raw_bytes,
                         .packed_bytes = totals->packed_bytes,
                         .sha256 = totals->sha256,
                         .index = *index};
    const char *text = manifest_write(arena, &manifest);
    assert_true(file_write_atomic(manifest_path, text, strlen(text), 0600, &err));
}

static VerifyReport verify(VerifyLevel level)
{
    VerifyReport report;
    Error err = {0};
    if (!backup_verify(arena, &quiet, NULL, path, level, &report, &err))
        fail_msg("%s", err.message);
    return report;
}

static void write_good(bool with_manifest)
{
    GzipTotals totals;
    ArchiveIndex index = write_parts(good, COUNT_OF(good), (Lie){0}, &totals);
    (void)unlink(manifest_path);
    if (with_manifest)
        write_manifest(&index, &totals);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void a_good_file_is_good(UNUSED void **state)
{
    for (int with_manifest = 0; with_manifest < 2; with_manifest++) {
        write_good(with_manifest);
        for (int level = VERIFY_MANIFEST; level <= VERIFY_CONTENT; level++) {
            VerifyReport report = verify((VerifyLevel)level);
            if (!report.ok)
                fail_msg("level %d: %s", level, report.errors.items[0]);
        }
        VerifyReport report = verify(VERIFY_CONTENT);
        assert_int_equal(report.rows, 5);
        assert_int_equal(report.tables, 3);
        assert_int_equal(report.roles.count, 1);
        assert_string_equal(report.roles.items[0], "keeper");
        char hex[HASH_HEX_SIZE];
        Error err = {0};
        assert_true(hash_file(path, hex, NULL, &err));
        assert_string_equal(report.sha256, hex);
    }
}

/* The two readers see the same in the same text. */
static void it_reads_what_the_reader_of_one_stream_reads(UNUSED void **state)
{
    Error err = {0};
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_LINE);
    write_good(false);
    VerifyReport members = verify(VERIFY_CONTENT);
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(buffer_append_str(&text, good[i].text));
    const char *plain = path_join(arena, folder, "plain.sql");
    const char *argv[] = {"sh", "-c", "gzip -nc \"$0\" > \"$1\"", plain, path, NULL};
    const ProcessSpec spec = {.argv = argv};
    assert_true(file_write_atomic(plain, text.data, text.length, 0600, &err));
    assert_true(process_check(&spec, NULL, &err));
    VerifyReport stream = verify(VERIFY_CONTENT);
    assert_true(stream.ok);
    assert_int_equal(stream.rows, members.rows);
    assert_int_equal(stream.tables, members.tables);
    assert_int_equal(stream.raw_bytes, members.raw_bytes);
}

static void check_bad(const char *part)
{
    VerifyReport report = verify(VERIFY_CONTENT);
    assert_false(report.ok);
    assert_true(report.errors.count > 0);
    if (part && !strstr(str_list_join(&report.errors, arena, "; "), part))
        fail_msg("\"%s\" lacks \"%s\"", str_list_join(&report.errors, arena, "; "), part);
}

static void labels_that_lie_are_seen(UNUSED void **state)
{
    GzipTotals totals;
    (void)unlink(manifest_path);
    (void)write_parts(good, COUNT_OF(good), (Lie){.more_rows = 1}, &totals);
    check_bad("another number of rows");
    (void)write_parts(good, COUNT_OF(good), (Lie){.more_digest = 1}, &totals);
    check_bad("not those that were dumped");
}

/* The parts of a good file but for one, which says something else. */
static void spoil(size_t at, const char *text, const char *expected)
{
    GzipTotals totals;
    Part parts[COUNT_OF(good)];
    memcpy(parts, good, sizeof(parts));
    parts[at].text = text;
    (void)unlink(manifest_path);
    (void)write_parts(parts, COUNT_OF(parts), (Lie){0}, &totals);
    check_bad(expected);
}

static void parts_that_are_not_what_they_are_labelled_are_seen(UNUSED void **state)
{
    spoil(0, "COPY public.x (i) FROM stdin;\n1\n\\.\n", "the begin of a table in a part");
    spoil(1, "COPY public.a (i) FROM stdin;\n9\n", "rows in a part");
    spoil(1, "SELECT 1;\n", "a statement in a part");
    spoil(1, "-- nothing\n", "not what its label says");
    spoil(1, "COPY public.a (i) FROM stdin;\n\\", "not what its label says");
    spoil(2, "1\n2", "no end");
    spoil(2, "1\n\\.\n", "would end the table");
    spoil(2, "\\.\r\n", "would end the table");
    spoil(4, "1\n\\.\n", "rows in a part");
    spoil(4, "\\.\n\n", "not what its label says");
    spoil(4, "\\.\nSELECT 1;\n", "a statement in a part");
    spoil(4, "\n", "rows in a part");
    spoil(10, "\\! ls\n", "\\!");
    spoil(10, "SELECT 'in\n1;'", "in the middle");
    spoil(11, "two';\n", "PostgreSQL database dump complete");
}

static void lines_of_messages_are_those_of_the_dump(UNUSED void **state)
{
    spoil(10, "\\! ls\n", "line 14:");
}

static void a_manifest_that_disagrees_is_seen(UNUSED void **state)
{
    GzipTotals totals;
    ArchiveIndex index = write_parts(good, COUNT_OF(good), (Lie){0}, &totals);
    index.members[2].sha256[0] ^= 1;
    write_manifest(&index, &totals);
    check_bad("index");
    index.members[2].sha256[0] ^= 1;
    tables[0].rows++;
    write_manifest(&index, &totals);
    tables[0].rows--;
    check_bad("the dump holds 4 rows, the manifest says 5");
    tables[1].name = "c";
    write_manifest(&index, &totals);
    tables[1].name = "b";
    check_bad("labelled as those of public.c");
    tables[2].partitioned = false;
    write_manifest(&index, &totals);
    tables[2].partitioned = true;
    check_bad("are for public.root");
    index.count = 0; /* a manifest without an index: the file's own counts */
    write_manifest(&index, &totals);
    assert_true(verify(VERIFY_CONTENT).ok);
}

static void a_lost_index_is_told(UNUSED void **state)
{
    GzipTotals totals;
    ArchiveIndex index = write_parts(good, COUNT_OF(good), (Lie){0}, &totals);
    (void)unlink(manifest_path);
    assert_int_equal(truncate(path, index.packed_bytes), 0);
    check_bad("its first 12 parts");
    assert_int_equal(truncate(path, index.members[11].offset), 0);
    check_bad("its first 11 parts");
    assert_int_equal(truncate(path, index.members[11].offset - 1), 0);
    check_bad("its first 10 parts");
    assert_int_equal(truncate(path, 64), 0);
    check_bad("its first 0 parts");
}

static void damage(bool with_manifest)
{
    write_good(with_manifest);
    int64_t size = verify(VERIFY_CONTENT).packed_bytes;
    _cleanup_close_ int descriptor = open(path, O_RDWR);
    for (int64_t at = 0; at < size; at++) {
        uint8_t byte = 0;
        assert_int_equal(pread(descriptor, &byte, 1, at), 1);
        uint8_t flipped = (uint8_t)(byte ^ (1 << (at % 8)));
        assert_int_equal(pwrite(descriptor, &flipped, 1, at), 1);
        check_bad(NULL);
        assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
    }
    assert_true(verify(VERIFY_CONTENT).ok);
    for (int64_t length = size - 1; length >= 0; length--) {
        assert_int_equal(ftruncate(descriptor, length), 0);
        check_bad(NULL);
    }
}

static void damage_is_seen_with_a_manifest_and_without(UNUSED void **state)
{
    damage(false);
    damage(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_good),
        cmocka_unit_test(it_reads_what_the_reader_of_one_stream_reads),
        cmocka_unit_test(labels_that_lie_are_seen),
        cmocka_unit_test(parts_that_are_not_what_they_are_labelled_are_seen),
        cmocka_unit_test(lines_of_messages_are_those_of_the_dump),
        cmocka_unit_test(a_manifest_that_disagrees_is_seen),
        cmocka_unit_test(a_lost_index_is_told),
        cmocka_unit_test(damage_is_seen_with_a_manifest_and_without),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
