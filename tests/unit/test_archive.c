#include "unit.h"

#include "backup/archive_json.h"
#include "base/file.h"
#include "base/process.h"

#include <fcntl.h>

static char path[] = "/tmp/vaxdb-unit-XXXXXX.gz"; /* gunzip wants the suffix */
static Arena *arena;

static int set_up(UNUSED void **state)
{
    arena = arena_create();
    int descriptor = mkstemps(path, 3);
    return descriptor < 0 || close(descriptor) != 0;
}

static int tear_down(UNUSED void **state)
{
    arena_destroy(arena);
    return unlink(path);
}

/* ---- an archive --------------------------------------------------------------------------- */

static uint64_t noise = 88172645463325252U;

static uint64_t next_noise(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return noise;
}

/* Rows as COPY writes them: keys, numbers, names, times. */
static void make_rows(Buffer *rows, int count)
{
    static const char *const names[] = {"BCG", "OPV", "Penta", "PCV13", "Rota", "MR", "\\N"};
    noise = 88172645463325252U;
    for (int i = 0; i < count; i++) {
        uint64_t bits = next_noise();
        assert_true(buffer_printf(
            rows,
            "%08x-%04x-4%03x\t%d\t%s\t2024-%02d-%02d %02d:%02d:00+00\t%d.%d\t"
            "facility-%04d\tt\n",
            (unsigned)bits, (unsigned)(bits >> 32) & 0xFFFF, (unsigned)(bits >> 48) & 0xFFF, i,
            names[bits % COUNT_OF(names)], 1 + i / 90000 % 12, 1 + i / 3000 % 28, i / 125 % 24,
            (int)(bits % 60), (int)(bits % 8), (int)(bits % 10), (int)((bits >> 20) % 700)));
    }
}

typedef struct {
    MemberLabel label;
    const char *text; /* NULL: rows */
} Part;

static const Part parts[] = {
    {{.kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE}, "SET x = 1;\nSELECT 'a';\n"},
    {{.kind = MEMBER_COPY_BEGIN, .table = 0}, "COPY public.t (a) FROM stdin;\n"},
    {{.kind = MEMBER_ROWS, .table = 0, .part = 0, .rows = 2, .digest = UINT64_MAX}, "1\n2\n"},
    {{.kind = MEMBER_ROWS, .table = 0, .part = 0, .rows = 1, .digest = 77}, "3\n"},
    {{.kind = MEMBER_ROWS, .table = 0, .part = 3, .rows = 40, .digest = 5}, NULL},
    {{.kind = MEMBER_COPY_END, .table = 0}, "\\.\n"},
    {{.kind = MEMBER_COPY_BEGIN, .table = 9}, "COPY public.empty (a) FROM stdin;\n"},
    {{.kind = MEMBER_COPY_END, .table = 9}, "\\.\n"},
    {{.kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE}, ""},
    {{.kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE}, "CREATE INDEX i ON t (a);\n"},
};

static void append(ArchiveWriter *writer, MemberPacker *packer, MemberLabel label, const char *raw,
                   size_t length)
{
    _cleanup_buffer_ Buffer packed;
    Error err = {0};
    buffer_init(&packed, BUFFER_MAX_FILE);
    label.raw_bytes = (int64_t)length;
    if (!member_pack(packer, &label, raw, &packed, &err) ||
        !archive_append(writer, &label, packed.data, packed.length, &err))
        fail_msg("%s", err.message);
}

/* Writes the parts, times over, and remembers what they inflate to. */
static GzipTotals write_archive(Compression compression, int times, ArchiveIndex *index,
                                Buffer *text)
{
    Error err = {0};
    GzipTotals totals;
    _cleanup_buffer_ Buffer rows;
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_TRUNC);
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(descriptor, path);
    _cleanup_member_packer_ MemberPacker *packer = member_packer_create(compression);
    buffer_init(&rows, BUFFER_MAX_FILE);
    make_rows(&rows, 40);
    for (size_t i = 0; i < COUNT_OF(parts) * (size_t)times; i++) {
        const Part *part = &parts[i % COUNT_OF(parts)];
        const char *raw = part->text ? part->text : rows.data;
        append(writer, packer, part->label, raw, strlen(raw));
        assert_true(buffer_append_str(text, raw));
    }
    if (!archive_writer_finish(writer, arena, index, &totals, &err))
        fail_msg("%s", err.message);
    return totals;
}

static bool collect(void *data, const char *bytes, size_t length, UNUSED Error *err)
{
    return !data || buffer_append(data, bytes, length);
}

/* By the index at its end, with nothing else known. index and text may be NULL. */
static bool read_archive(ArchiveIndex *index, Buffer *text, Error *err)
{
    _cleanup_arena_ Arena *own = arena_create();
    _cleanup_close_ int descriptor = open(path, O_RDONLY);
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    bool found = false;
    ArchiveIndex read;
    if (!archive_index_read(index ? arena : own, descriptor, path, &found, &read, err))
        return false;
    if (!found)
        return error_set(err, ERR_PROBLEMS, "no index");
    if (index)
        *index = read;
    for (size_t i = 0; i < read.count; i++) {
        if (!member_read(reader, descriptor, &read.members[i], collect, text, err))
            return false;
    }
    return true;
}

static void check_same(const ArchiveIndex *a, const ArchiveIndex *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->packed_bytes, b->packed_bytes);
    assert_int_equal(a->raw_bytes, b->raw_bytes);
    for (size_t i = 0; i < a->count; i++) {
        const Member *first = &a->members[i];
        const Member *second = &b->members[i];
        assert_int_equal(first->label.kind, second->label.kind);
        assert_int_equal(first->label.table, second->label.table);
        assert_int_equal(first->label.part, second->label.part);
        assert_int_equal(first->label.rows, second->label.rows);
        assert_true(first->label.digest == second->label.digest);
        assert_int_equal(first->label.raw_bytes, second->label.raw_bytes);
        assert_int_equal(first->offset, second->offset);
        assert_int_equal(first->packed_bytes, second->packed_bytes);
        assert_string_equal(first->sha256, second->sha256);
    }
}

static void an_archive_reads_back(UNUSED void **state)
{
    static const Compression compressions[] = {COMPRESS_FAST, COMPRESS_BALANCED, COMPRESS_SMALL};
    for (size_t i = 0; i < COUNT_OF(compressions); i++) {
        _cleanup_buffer_ Buffer text;
        _cleanup_buffer_ Buffer again;
        Error err = {0};
        ArchiveIndex written;
        ArchiveIndex read;
        char hex[HASH_HEX_SIZE];
        int64_t size = 0;
        buffer_init(&text, BUFFER_MAX_FILE);
        buffer_init(&again, BUFFER_MAX_FILE);
        GzipTotals totals = write_archive(compressions[i], 1, &written, &text);
        if (!read_archive(&read, &again, &err))
            fail_msg("%s", err.message);
        assert_string_equal(again.data, text.data);
        assert_int_equal(totals.raw_bytes, text.length);
        assert_true(hash_file(path, hex, &size, &err));
        assert_string_equal(totals.sha256, hex);
        assert_int_equal(totals.packed_bytes, size);
        assert_int_equal(read.count, COUNT_OF(parts));
        check_same(&read, &written);
        assert_int_equal(read.members[3].label.digest, 77);
        assert_int_equal(read.members[4].label.part, 3);
    }
}

static void an_index_goes_over_many_members(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    _cleanup_buffer_ Buffer again;
    Error err = {0};
    ArchiveIndex written;
    ArchiveIndex read;
    buffer_init(&text, BUFFER_MAX_FILE);
    buffer_init(&again, BUFFER_MAX_FILE);
    (void)write_archive(COMPRESS_FAST, 150, &written, &text);
    assert_int_equal(written.count, 1500);
    if (!read_archive(&read, &again, &err))
        fail_msg("%s", err.message);
    assert_string_equal(again.data, text.data);
    check_same(&read, &written);
}

static void every_tool_inflates_it(UNUSED void **state)
{
    static const char python[] = "import gzip, sys; sys.stdout.buffer.write("
                                 "gzip.decompress(open(sys.argv[1], 'rb').read()))";
    const char *const tools[][5] = {
        {"gunzip", "-c", path}, {"zcat", path}, {"python3", "-c", python, path}};
    _cleanup_buffer_ Buffer text;
    ArchiveIndex index;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)write_archive(COMPRESS_BALANCED, 150, &index, &text);
    for (size_t i = 0; i < COUNT_OF(tools); i++) {
        _cleanup_buffer_ Buffer out;
        Error err = {0};
        ProcessSpec spec = {.argv = tools[i]};
        buffer_init(&out, BUFFER_MAX_FILE);
        if (!process_check(&spec, &out, &err))
            fail_msg("%s: %s", tools[i][0], err.message);
        assert_int_equal(out.length, text.length);
        assert_memory_equal(out.data, text.data, text.length);
    }
    _cleanup_gzip_reader_ GzipReader *reader = NULL;
    Error err = {0};
    char chunk[4096];
    size_t at = 0;
    assert_true(gzip_reader_open(path, &reader, &err));
    for (size_t got = 1; got; at += got) {
        assert_true(gzip_read(reader, chunk, sizeof(chunk), &got, &err));
        assert_memory_equal(chunk, text.data + at, got);
    }
    assert_int_equal(at, text.length);
}

/* The line with another word, with one word less, or with one more. */
static const char *spoil_word(const char *line, size_t word, size_t way)
{
    const char *at = line;
    for (size_t i = 0; i < word; i++)
        at = strchr(at, ' ') + 1;
    size_t length = strcspn(at, " ");
    const char *rest = at + length;
    if (way == 0)
        return arena_printf(arena, "%.*sx%s", (int)(at - line), line, rest);
    if (way == 1)
        return arena_printf(arena, "%.*s%s", (int)(at - line), line, rest + (*rest == ' '));
    return arena_printf(arena, "%.*s7 %s", (int)(at - line), line, at);
}

static void an_index_goes_through_json(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    ArchiveIndex index;
    ArchiveIndex read;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)write_archive(COMPRESS_FAST, 3, &index, &text);
    _cleanup_json_ json_t *list = archive_index_json(&index);
    assert_true(archive_index_from_json(arena, list, false, &read));
    check_same(&read, &index);
    const char *line = json_string_value(json_array_get(list, 2));
    for (size_t word = 0; word < 9; word++) {
        for (size_t way = 0; way < 3; way++) {
            _cleanup_json_ json_t *spoiled = json_deep_copy(list);
            (void)json_array_set_new(spoiled, 2, json_text(spoil_word(line, word, way)));
            assert_false(archive_index_from_json(arena, spoiled, false, &read));
        }
    }
    static const char *const no_lines[] = {"", "-", "0 1", "         "};
    for (size_t i = 0; i < COUNT_OF(no_lines); i++) {
        (void)json_array_set_new(list, 2, json_text(no_lines[i]));
        assert_false(archive_index_from_json(arena, list, false, &read));
    }
    (void)json_array_set_new(list, 2, json_null());
    assert_false(archive_index_from_json(arena, list, false, &read));
}

/* ---- damage ------------------------------------------------------------------------------- */

static void every_flipped_bit_is_found(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    ArchiveIndex index;
    buffer_init(&text, BUFFER_MAX_FILE);
    GzipTotals totals = write_archive(COMPRESS_BALANCED, 1, &index, &text);
    _cleanup_close_ int descriptor = open(path, O_RDWR);
    for (int64_t at = 0; at < totals.packed_bytes; at++) {
        uint8_t byte = 0;
        assert_int_equal(pread(descriptor, &byte, 1, at), 1);
        for (int bit = 0; bit < 8; bit++) {
            Error err = {0};
            uint8_t flipped = (uint8_t)(byte ^ (1 << bit));
            assert_int_equal(pwrite(descriptor, &flipped, 1, at), 1);
            if (read_archive(NULL, NULL, &err))
                fail_msg("bit %d of byte %d was missed", bit, (int)at);
            assert_int_equal(err.code, ERR_PROBLEMS);
        }
        assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
    }
    Error err = {0};
    assert_true(read_archive(NULL, NULL, &err));
}

static void every_truncation_is_found(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    ArchiveIndex index;
    buffer_init(&text, BUFFER_MAX_FILE);
    GzipTotals totals = write_archive(COMPRESS_FAST, 1, &index, &text);
    _cleanup_close_ int descriptor = open(path, O_RDWR);
    for (int64_t length = totals.packed_bytes - 1; length >= 0; length--) {
        Error err = {0};
        assert_int_equal(ftruncate(descriptor, length), 0);
        assert_false(read_archive(NULL, NULL, &err));
        assert_int_equal(err.code, ERR_PROBLEMS);
    }
}

/* A file put together of good members, in a way that makes another dump. */
static void an_index_must_agree_with_its_file(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    Error err = {0};
    ArchiveIndex index;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)write_archive(COMPRESS_FAST, 1, &index, &text);
    _cleanup_close_ int descriptor = open(path, O_RDWR);
    assert_true(archive_check_tail(descriptor, path, &index, &err));
    index.members[2].label.digest++;
    assert_false(archive_check_tail(descriptor, path, &index, &err));
    index.members[2].label.digest--;
    index.packed_bytes--;
    assert_false(archive_check_tail(descriptor, path, &index, &err));
    index.packed_bytes++;
    assert_int_equal(pwrite(descriptor, "x", 1, lseek(descriptor, 0, SEEK_END)), 1);
    assert_false(archive_check_tail(descriptor, path, &index, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
}

static void spoil_and_check(const ArchiveIndex *good, size_t at, void (*spoil)(Member *),
                            const char *part)
{
    Error err = {0};
    ArchiveIndex index = *good;
    index.members = arena_array(arena, good->count, sizeof(Member));
    memcpy(index.members, good->members, good->count * sizeof(Member));
    assert_true(archive_index_check(&index, &err));
    spoil(&index.members[at]);
    assert_false(archive_index_check(&index, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" lacks \"%s\"", err.message, part);
}

static void become_text(Member *member)
{
    member->label = (MemberLabel){.kind = MEMBER_TEXT, .raw_bytes = member->label.raw_bytes};
}

static void become_other_table(Member *member)
{
    member->label.table++;
}

static void go_back(Member *member)
{
    member->label.part = 4;
}

static void leave_a_gap(Member *member)
{
    member->offset++;
}

static void be_short(Member *member)
{
    member->packed_bytes--;
}

static void be_negative(Member *member)
{
    member->label.raw_bytes = -1;
}

static void have_too_many_rows(Member *member)
{
    member->label.rows = member->label.raw_bytes + 1;
}

static void be_an_index(Member *member)
{
    member->label.kind = MEMBER_INDEX;
}

static void lose_its_hash(Member *member)
{
    member->sha256[63] = '\0';
}

static void an_index_that_makes_no_dump_is_refused(UNUSED void **state)
{
    _cleanup_buffer_ Buffer text;
    ArchiveIndex index;
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)write_archive(COMPRESS_FAST, 1, &index, &text);
    spoil_and_check(&index, 1, become_text, "rows outside of a table");
    spoil_and_check(&index, 5, become_text, "no end");
    spoil_and_check(&index, 3, become_other_table, "another table");
    spoil_and_check(&index, 5, become_other_table, "another table");
    spoil_and_check(&index, 2, go_back, "out of order");
    spoil_and_check(&index, 4, leave_a_gap, "a gap");
    spoil_and_check(&index, 4, be_short, "a gap");
    spoil_and_check(&index, 9, be_short, "add up");
    spoil_and_check(&index, 2, be_negative, "cannot be");
    spoil_and_check(&index, 2, have_too_many_rows, "cannot be");
    spoil_and_check(&index, 0, have_too_many_rows, "where none may be");
    spoil_and_check(&index, 0, be_an_index, "unknown kind");
    spoil_and_check(&index, 0, lose_its_hash, "SHA-256");
}

static void a_writer_takes_members_in_order_only(UNUSED void **state)
{
    Error err = {0};
    GzipTotals totals;
    ArchiveIndex index;
    _cleanup_close_ int descriptor = open("/dev/null", O_WRONLY);
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(descriptor, "x");
    assert_false(archive_append(writer, &parts[2].label, "", 0, &err));
    assert_true(archive_append(writer, &parts[1].label, "", 0, &err));
    assert_false(archive_append(writer, &parts[0].label, "", 0, &err));
    assert_false(archive_append(writer, &parts[7].label, "", 0, &err));
    assert_false(archive_writer_finish(writer, arena, &index, &totals, &err));
    assert_int_equal(err.code, ERR_FAILED);
}

static void a_full_disk_is_an_error(UNUSED void **state)
{
    Error err = {0};
    _cleanup_close_ int full = open("/dev/full", O_WRONLY);
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(full, "/dev/full");
    assert_false(archive_append(writer, &parts[0].label, "abc", 3, &err));
    assert_non_null(strstr(err.message, "No space left"));
}

/* ---- packing ------------------------------------------------------------------------------ */

static size_t pack_size(MemberPacker *packer, const Buffer *rows, Buffer *packed)
{
    Error err = {0};
    MemberLabel label = {
        .kind = MEMBER_ROWS, .rows = 1, .digest = 3, .raw_bytes = (int64_t)rows->length};
    if (!member_pack(packer, &label, rows->data, packed, &err))
        fail_msg("%s", err.message);
    return packed->length;
}

/* Whatever the packer did before. */
static void packing_is_deterministic(UNUSED void **state)
{
    _cleanup_buffer_ Buffer rows;
    _cleanup_buffer_ Buffer other;
    _cleanup_buffer_ Buffer first;
    _cleanup_buffer_ Buffer again;
    buffer_init(&rows, BUFFER_MAX_FILE);
    buffer_init(&other, BUFFER_MAX_FILE);
    buffer_init(&first, BUFFER_MAX_FILE);
    buffer_init(&again, BUFFER_MAX_FILE);
    make_rows(&rows, 20000);
    make_rows(&other, 7000);
    buffer_consume(&other, 131);
    for (int compression = COMPRESS_FAST; compression <= COMPRESS_SMALL; compression++) {
        _cleanup_member_packer_ MemberPacker *used = member_packer_create((Compression)compression);
        _cleanup_member_packer_ MemberPacker *new = member_packer_create((Compression)compression);
        (void)pack_size(used, &other, &first);
        (void)pack_size(used, &rows, &first);
        (void)pack_size(new, &rows, &again);
        assert_int_equal(first.length, again.length);
        assert_memory_equal(first.data, again.data, again.length);
    }
}

/* Beside gzip's own size; of rows with as much noise in them as these. */
static void each_level_is_as_small_as_it_says(UNUSED void **state)
{
    static const double most[] = {1.07, 0.98, 0.94};
    const char *const argv[] = {"gzip", "-6", "-c", path, NULL};
    ProcessSpec spec = {.argv = argv};
    Error err = {0};
    _cleanup_buffer_ Buffer rows;
    _cleanup_buffer_ Buffer packed;
    buffer_init(&rows, BUFFER_MAX_FILE);
    buffer_init(&packed, BUFFER_MAX_FILE);
    make_rows(&rows, 60000);
    assert_true(file_write_atomic(path, rows.data, rows.length, 0600, &err));
    if (!process_check(&spec, &packed, &err))
        fail_msg("%s", err.message);
    double gzip = (double)packed.length;
    for (int compression = COMPRESS_FAST; compression <= COMPRESS_SMALL; compression++) {
        _cleanup_member_packer_ MemberPacker *packer =
            member_packer_create((Compression)compression);
        double ratio = (double)pack_size(packer, &rows, &packed) / gzip;
        if (ratio > most[compression])
            fail_msg("level %d packs to %.3f of what gzip -6 makes", compression, ratio);
    }
}

/* What cannot be packed only grows a little. */
static void bytes_of_any_kind_and_length_come_back(UNUSED void **state)
{
    static const size_t lengths[] = {0, 1, 70000, 3000003};
    _cleanup_buffer_ Buffer packed;
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    buffer_init(&packed, BUFFER_MAX_FILE);
    for (int compression = COMPRESS_FAST; compression <= COMPRESS_SMALL; compression++) {
        _cleanup_member_packer_ MemberPacker *packer =
            member_packer_create((Compression)compression);
        for (size_t i = 0; i < COUNT_OF(lengths) * 2; i++) {
            Error err = {0};
            _cleanup_buffer_ Buffer raw;
            _cleanup_buffer_ Buffer back;
            buffer_init(&raw, BUFFER_MAX_FILE);
            buffer_init(&back, BUFFER_MAX_FILE);
            while (raw.length < lengths[i / 2])
                assert_true(buffer_append_char(&raw, i % 2 ? (char)next_noise() : 'a'));
            size_t size = pack_size(packer, &raw, &packed);
            assert_true(size <= raw.length + raw.length / 1000 + 200);
            Member member = {.packed_bytes = (int64_t)size};
            assert_true(member_parse(packed.data, &member.label, &member.packed_bytes));
            hash_bytes(packed.data, size, member.sha256);
            _cleanup_close_ int descriptor = open(path, O_RDWR | O_TRUNC);
            assert_true(file_write_all(descriptor, packed.data, size, path, &err));
            if (!member_read(reader, descriptor, &member, collect, &back, &err))
                fail_msg("%s", err.message);
            assert_int_equal(back.length, raw.length);
            assert_memory_equal(back.data, raw.data, raw.length);
        }
    }
}

static void a_member_larger_than_its_buffer_is_an_error(UNUSED void **state)
{
    _cleanup_buffer_ Buffer rows;
    _cleanup_buffer_ Buffer packed;
    buffer_init(&rows, BUFFER_MAX_FILE);
    buffer_init(&packed, 1000);
    make_rows(&rows, 1000);
    for (int compression = COMPRESS_FAST; compression <= COMPRESS_SMALL; compression++) {
        Error err = {0};
        MemberLabel label = {.raw_bytes = (int64_t)rows.length};
        _cleanup_member_packer_ MemberPacker *packer =
            member_packer_create((Compression)compression);
        assert_false(member_pack(packer, &label, rows.data, &packed, &err));
        label.raw_bytes = MEMBER_MAX_RAW + 1;
        assert_false(member_pack(packer, &label, rows.data, &packed, &err));
        assert_non_null(strstr(err.message, "4 GiB"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_reads_back),
        cmocka_unit_test(an_index_goes_over_many_members),
        cmocka_unit_test(an_index_goes_through_json),
        cmocka_unit_test(every_tool_inflates_it),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(an_index_must_agree_with_its_file),
        cmocka_unit_test(an_index_that_makes_no_dump_is_refused),
        cmocka_unit_test(a_writer_takes_members_in_order_only),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(packing_is_deterministic),
        cmocka_unit_test(each_level_is_as_small_as_it_says),
        cmocka_unit_test(bytes_of_any_kind_and_length_come_back),
        cmocka_unit_test(a_member_larger_than_its_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
