#include "backup/archive.h"

#include "backup/archive_internal.h"
#include "backup/bytes.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <isa-l/crc.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRY_BYTES   ARCHIVE_ENTRY_BYTES
#define ENTRIES_MAX   584 /* in one index member */
#define SHA256_DIGITS (HASH_HEX_SIZE - 1)
#define PLACE_BYTES   20 /* what the locator carries */
#define LOCATOR_BYTES MEMBER_CARRIER_BYTES(PLACE_BYTES)
/* Of a database of 70 TB. */
#define TAIL_MAX_BYTES ((size_t)1 << 30)

_Static_assert(ENTRIES_MAX *ENTRY_BYTES + 4 <= MEMBER_MAX_CARRIED, "an index member is too long");

/* ---- order ------------------------------------------------------------------------------- */

/* Where in the dump the next member would stand. */
typedef struct {
    bool in_copy;
    uint32_t table;
    uint32_t part;
} Order;

/* What is wrong with label there; NULL: nothing. */
static const char *take_in_order(Order *order, const MemberLabel *label)
{
    bool rows = label->kind == MEMBER_ROWS;
    bool outside = label->kind == MEMBER_TEXT || label->kind == MEMBER_COPY_BEGIN;
    if (label->kind > MEMBER_COPY_END)
        return "a part of an unknown kind";
    if (outside == order->in_copy)
        return order->in_copy ? "a table's rows have no end" : "rows outside of a table";
    if (!outside && label->table != order->table)
        return "rows of another table";
    if (rows && label->part < order->part)
        return "rows out of order";
    if (!rows && (label->rows || label->digest))
        return "rows where none may be";
    if (label->raw_bytes < 0 || label->raw_bytes > MEMBER_MAX_RAW || label->rows < 0 ||
        label->rows > label->raw_bytes)
        return "a length that cannot be";
    if (label->kind == MEMBER_COPY_BEGIN)
        *order = (Order){.in_copy = true, .table = label->table};
    else if (label->kind == MEMBER_COPY_END)
        order->in_copy = false;
    else if (rows)
        order->part = label->part;
    return NULL;
}

bool archive_index_check(const ArchiveIndex *index, Error *err)
{
    Order order = {0};
    int64_t packed_bytes = index->begin_bytes;
    int64_t raw_bytes = 0;
    for (size_t i = 0; i < index->count; i++) {
        const Member *member = &index->members[i];
        const char *problem = take_in_order(&order, &member->label);
        if (!problem && (member->offset != packed_bytes || member->packed_bytes < MEMBER_MIN_BYTES))
            problem = "a gap or an overlap";
        if (!problem && (strlen(member->sha256) != SHA256_DIGITS ||
                         strspn(member->sha256, "0123456789abcdef") != SHA256_DIGITS))
            problem = "no SHA-256";
        if (!problem &&
            (__builtin_add_overflow(packed_bytes, member->packed_bytes, &packed_bytes) ||
             __builtin_add_overflow(raw_bytes, member->label.raw_bytes, &raw_bytes)))
            problem = "a length that cannot be";
        if (problem)
            return error_set(err, ERR_PROBLEMS, "the index of the backup is wrong: %s at part %zu",
                             problem, i + 1);
    }
    if (order.in_copy || packed_bytes != index->packed_bytes || raw_bytes != index->raw_bytes)
        return error_set(err, ERR_PROBLEMS, "the index of the backup is wrong: %s",
                         order.in_copy ? "a table's rows have no end"
                                       : "the lengths do not add up");
    return true;
}

/* ---- the index as bytes ------------------------------------------------------------------- */

void archive_encode_entry(uint8_t *at, const Member *member)
{
    const MemberLabel *label = &member->label;
    bytes_put(at, label->kind, 4);
    bytes_put(at + 4, label->table, 4);
    bytes_put(at + 8, label->part, 4);
    bytes_put(at + 12, 0, 4);
    bytes_put(at + 16, (uint64_t)member->packed_bytes, 8);
    bytes_put(at + 24, (uint64_t)label->raw_bytes, 8);
    bytes_put(at + 32, (uint64_t)label->rows, 8);
    bytes_put(at + 40, label->digest, 8);
    memcpy(at + 48, member->sha256, SHA256_DIGITS);
}

Member archive_decode_entry(const uint8_t *at, int64_t offset)
{
    Member member = {
        .label = {.kind = (MemberKind)at[0],
                  .table = (uint32_t)bytes_get(at + 4, 4),
                  .part = (uint32_t)bytes_get(at + 8, 4),
                  .raw_bytes = (int64_t)bytes_get(at + 24, 8),
                  .rows = (int64_t)bytes_get(at + 32, 8),
                  .digest = bytes_get(at + 40, 8)},
        .offset = offset,
        .packed_bytes = (int64_t)bytes_get(at + 16, 8),
    };
    memcpy(member.sha256, at + 48, SHA256_DIGITS);
    return member;
}

/* What an index of so many entries takes, with the locator. */
static size_t tail_bytes(size_t count)
{
    size_t chained = (count + ENTRIES_MAX - 1) / ENTRIES_MAX;
    return count * ENTRY_BYTES + chained * MEMBER_CARRIER_BYTES(4) + LOCATOR_BYTES;
}

/* Where entry i lies in it. */
static size_t entry_position(size_t i)
{
    size_t chained = i / ENTRIES_MAX;
    return i * ENTRY_BYTES + chained * MEMBER_CARRIER_BYTES(4) + MEMBER_HEADER_BYTES + 4;
}

static bool encode_part(const ArchiveIndex *index, size_t from, size_t count, Buffer *tail)
{
    uint8_t carried[ENTRIES_MAX * ENTRY_BYTES + 4];
    MemberLabel label = {.kind = MEMBER_INDEX,
                         .table = MEMBER_NO_TABLE,
                         .part = (uint32_t)(from / ENTRIES_MAX),
                         .rows = (int64_t)count};
    for (size_t i = 0; i < count; i++)
        archive_encode_entry(carried + i * ENTRY_BYTES, &index->members[from + i]);
    bytes_put(carried + count * ENTRY_BYTES, crc32_gzip_refl(0, carried, count * ENTRY_BYTES), 4);
    return member_carry(&label, carried, count * ENTRY_BYTES + 4, tail);
}

static bool encode_tail(const ArchiveIndex *index, Buffer *tail, Error *err)
{
    uint8_t place[PLACE_BYTES];
    size_t chained = 0;
    for (size_t from = 0; from < index->count; from += ENTRIES_MAX, chained++) {
        size_t left = index->count - from;
        if (!encode_part(index, from, left < ENTRIES_MAX ? left : ENTRIES_MAX, tail))
            return buffer_check(tail, "the index of the backup", err);
    }
    MemberLabel label = {.kind = MEMBER_LOCATOR,
                         .table = MEMBER_NO_TABLE,
                         .part = (uint32_t)chained,
                         .rows = (int64_t)index->count};
    bytes_put(place, (uint64_t)index->packed_bytes, 8);
    bytes_put(place + 8, (uint64_t)index->raw_bytes, 8);
    bytes_put(place + 16, crc32_gzip_refl(0, place, 16), 4);
    (void)!member_carry(&label, place, sizeof(place), tail);
    return buffer_check(tail, "the index of the backup", err);
}

/* ---- reading ----------------------------------------------------------------------------- */

bool archive_read_at(int descriptor, const char *path, int64_t offset, void *bytes, size_t length,
                     Error *err)
{
    for (size_t have = 0; have < length;) {
        ssize_t got =
            pread(descriptor, (char *)bytes + have, length - have, offset + (int64_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
        if (got == 0)
            return error_set(err, ERR_PROBLEMS, "%s was cut off while it was read", path);
        have += (size_t)got;
    }
    return true;
}

bool archive_file_bytes(int descriptor, const char *path, int64_t *bytes, Error *err)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    *bytes = status.st_size;
    return true;
}

static bool damaged(const char *path, Error *err)
{
    return error_set(err, ERR_PROBLEMS,
                     "%s is damaged or was cut off: the index at its end is not right",
                     path_basename(path));
}

bool archive_check_tail(int descriptor, const char *path, const ArchiveIndex *index, Error *err)
{
    _cleanup_buffer_ Buffer expected;
    _cleanup_buffer_ Buffer found;
    buffer_init(&expected, TAIL_MAX_BYTES);
    buffer_init(&found, TAIL_MAX_BYTES);
    int64_t size = 0;
    if (!archive_file_bytes(descriptor, path, &size, err) || !encode_tail(index, &expected, err))
        return false;
    if (index->packed_bytes > size || size - index->packed_bytes != (int64_t)expected.length)
        return damaged(path, err);
    char *bytes = buffer_reserve(&found, expected.length);
    if (!bytes)
        return buffer_check(&found, "the index of the backup", err);
    if (!archive_read_at(descriptor, path, index->packed_bytes, bytes, expected.length, err))
        return false;
    return memcmp(bytes, expected.data, expected.length) == 0 || damaged(path, err);
}

/* Takes the entries as they are: whoever calls compares the bytes and checks what they mean. */
static bool read_entries(Arena *arena, int descriptor, const char *path, size_t count,
                         ArchiveIndex *index, Error *err)
{
    _cleanup_buffer_ Buffer tail;
    buffer_init(&tail, TAIL_MAX_BYTES);
    char *bytes = buffer_reserve(&tail, tail_bytes(count));
    if (!bytes)
        return buffer_check(&tail, "the index of the backup", err);
    if (!archive_read_at(descriptor, path, index->packed_bytes, bytes, tail_bytes(count), err))
        return false;
    index->members = arena_array(arena, count, sizeof(*index->members));
    index->count = count;
    int64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        Member *member = &index->members[i];
        *member = archive_decode_entry((const uint8_t *)bytes + entry_position(i), offset);
        if (member->packed_bytes < 0 ||
            __builtin_add_overflow(offset, member->packed_bytes, &offset))
            return damaged(path, err);
    }
    return true;
}

bool archive_index_read(Arena *arena, int descriptor, const char *path, bool *found,
                        ArchiveIndex *index, Error *err)
{
    uint8_t locator[LOCATOR_BYTES];
    const uint8_t *place = locator + MEMBER_HEADER_BYTES + 4;
    MemberLabel label;
    int64_t size = 0;
    int64_t packed_bytes = 0;
    *found = false;
    if (!archive_file_bytes(descriptor, path, &size, err))
        return false;
    if (size < (int64_t)sizeof(locator))
        return true;
    if (!archive_read_at(descriptor, path, size - (int64_t)sizeof(locator), locator,
                         sizeof(locator), err))
        return false;
    if (!member_parse(locator, &label, &packed_bytes) || label.kind != MEMBER_LOCATOR)
        return true;
    *found = true;
    *index = (ArchiveIndex){.packed_bytes = (int64_t)bytes_get(place, 8),
                            .raw_bytes = (int64_t)bytes_get(place + 8, 8)};
    /* Before anything is allocated: entries that the file has room for, and where they must be. */
    if (label.rows < 0 || label.rows > size / ENTRY_BYTES || index->packed_bytes < 0 ||
        index->packed_bytes != size - (int64_t)tail_bytes((size_t)label.rows))
        return damaged(path, err);
    return read_entries(arena, descriptor, path, (size_t)label.rows, index, err) &&
           archive_check_tail(descriptor, path, index, err) && archive_index_check(index, err);
}

bool archive_scan(int descriptor, const char *path, ArchiveScan *scan, Error *err)
{
    uint8_t header[MEMBER_HEADER_BYTES];
    int64_t size = 0;
    *scan = (ArchiveScan){0};
    if (!archive_file_bytes(descriptor, path, &size, err))
        return false;
    while (size - scan->bytes >= (int64_t)sizeof(header)) {
        MemberLabel label;
        int64_t packed_bytes = 0;
        if (!archive_read_at(descriptor, path, scan->bytes, header, sizeof(header), err))
            return false;
        if (!member_parse(header, &label, &packed_bytes))
            return true;
        scan->labelled = true;
        if (label.kind >= MEMBER_INDEX || packed_bytes < MEMBER_MIN_BYTES ||
            packed_bytes > size - scan->bytes)
            return true;
        scan->bytes += packed_bytes;
        scan->members++;
    }
    return true;
}

/* ---- writing ----------------------------------------------------------------------------- */

struct ArchiveWriter {
    Arena *arena;
    int descriptor;
    const char *path;
    HashStream *hash;
    Order order;
    ArchiveIndex index;
    size_t capacity;
    SealHeader header; /* of an encrypted file */
};

ArchiveWriter *archive_writer_create(int descriptor, const char *path)
{
    Arena *arena = arena_create();
    ArchiveWriter *writer = arena_alloc(arena, sizeof(*writer));
    *writer = (ArchiveWriter){.arena = arena,
                              .descriptor = descriptor,
                              .path = arena_strdup(arena, path),
                              .hash = hash_create()};
    return writer;
}

void archive_writer_destroy(ArchiveWriter *writer)
{
    if (!writer)
        return;
    hash_destroy(writer->hash);
    arena_destroy(writer->arena);
}

static bool put(const ArchiveWriter *writer, const void *bytes, size_t length, Error *err)
{
    hash_update(writer->hash, bytes, length);
    return file_write_all(writer->descriptor, bytes, length, writer->path, err);
}

bool archive_writer_seal(ArchiveWriter *writer, const SealKey *key, const void *header,
                         size_t header_length, Error *err)
{
    ArchiveIndex *index = &writer->index;
    const void *bytes = memcpy(arena_alloc(writer->arena, header_length), header, header_length);
    bool parsed = seal_header_parse(bytes, header_length, &writer->header);
    assert(parsed && !index->count);
    index->begin_bytes = index->packed_bytes = (int64_t)header_length;
    index->key = key;
    return put(writer, header, header_length, err);
}

bool archive_append(ArchiveWriter *writer, const MemberLabel *label, const void *packed,
                    size_t length, Error *err)
{
    ArchiveIndex *index = &writer->index;
    const char *problem = take_in_order(&writer->order, label);
    if (problem) /* a mistake of ours, which must not become a backup */
        return error_set(err, ERR_FAILED, "the backup was put together wrongly: %s at part %zu",
                         problem, index->count + 1);
    Member member = {
        .label = *label, .offset = index->packed_bytes, .packed_bytes = (int64_t)length};
    hash_bytes(packed, length, member.sha256);
    if (index->key)
        memcpy(member.seed, packed, SEAL_SEED_BYTES);
    if (!put(writer, packed, length, err))
        return false;
    ARENA_PUSH(writer->arena, index->members, index->count, writer->capacity, member);
    index->packed_bytes += member.packed_bytes;
    index->raw_bytes += label->raw_bytes;
    return true;
}

bool archive_writer_finish(ArchiveWriter *writer, Arena *arena, ArchiveIndex *index,
                           GzipTotals *totals, Error *err)
{
    _cleanup_buffer_ Buffer tail;
    buffer_init(&tail, TAIL_MAX_BYTES);
    if (writer->order.in_copy)
        return error_set(err, ERR_FAILED, "the backup ends in the middle of a table");
    bool encoded = writer->index.key
                       ? archive_seal_tail(&writer->index, &writer->header, &tail, err)
                       : encode_tail(&writer->index, &tail, err);
    if (!encoded || !put(writer, tail.data, tail.length, err))
        return false;
    *index = writer->index;
    index->members = arena_array(arena, index->count, sizeof(*index->members));
    if (index->count)
        memcpy(index->members, writer->index.members, index->count * sizeof(*index->members));
    *totals = (GzipTotals){.raw_bytes = index->raw_bytes,
                           .packed_bytes = index->packed_bytes + (int64_t)tail.length};
    hash_finish(writer->hash, totals->sha256);
    return true;
}
