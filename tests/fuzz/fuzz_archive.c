#include "fuzz.h"

#include "backup/archive_verify.h"
#include "backup/bytes.h"
#include "base/file.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <string.h>
#include <sys/mman.h>

static bool count_bytes(void *data, const char *bytes, size_t length, Error *err)
{
    int64_t *total = data;
    (void)err;
    assert(bytes && length > 0);
    *total += (int64_t)length;
    return true;
}

/* Whatever the index says, each member is what it says of it or an error. */
static void read_members(int descriptor, const ArchiveIndex *index)
{
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    for (size_t i = 0; i < index->count; i++) {
        int64_t total = 0;
        Error err = {0};
        if (member_read(reader, descriptor, &index->members[i], count_bytes, &total, &err))
            assert(total == index->members[i].label.raw_bytes);
        else
            assert(err.code == ERR_PROBLEMS && err.message[0]);
    }
}

static void verify(Arena *arena, const char *path, const ArchiveIndex *index)
{
    Log log;
    Error err = {0};
    Progress progress;
    StrList roles;
    ArchiveContent content;
    char sha256[HASH_HEX_SIZE];
    ArchiveVerify spec = {.path = path, .index = index, .jobs = 1};
    log_init(&log, stderr, true);
    log.quiet = true;
    str_list_init(&roles, arena);
    progress_start(&progress, &log, "", 0, PROGRESS_BYTES, "");
    assert(archive_verify(arena, &spec, &progress, &roles, sha256, &content, &err) ||
           (err.code == ERR_PROBLEMS && err.message[0]));
    assert(strlen(sha256) == HASH_HEX_SIZE - 1);
}

static void try_file(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_close_ int descriptor = memfd_create("archive", MFD_CLOEXEC);
    const char *path = arena_printf(arena, "/proc/self/fd/%d", descriptor);
    ArchiveIndex index;
    ArchiveScan scan;
    Error err = {0};
    bool found = false;
    assert(descriptor >= 0 && file_write_all(descriptor, data, size, path, &err));
    assert(archive_scan(descriptor, path, &scan, &err));
    assert(scan.bytes <= (int64_t)size && (scan.labelled || !scan.members));
    if (!archive_index_read(arena, descriptor, path, &found, &index, &err)) {
        assert(err.code == ERR_PROBLEMS && err.message[0]);
        return;
    }
    if (!found)
        return;
    assert(archive_index_check(&index, &err) && archive_check_tail(descriptor, path, &index, &err));
    read_members(descriptor, &index);
    verify(arena, path, &index);
}

/* Puts right the checksums of a header and of the length bytes that it carries. */
static void seal(uint8_t *member, size_t length)
{
    uint8_t *carried = member + MEMBER_HEADER_BYTES + 4;
    bytes_put(member + 60, crc32_gzip_refl(0, member, 60), 4);
    bytes_put(carried + length - 4, crc32_gzip_refl(0, carried, length - 4), 4);
}

/* Checksums stop nearly every mutation of the index, so it is tried with right ones too: of the
 * locator, and of an index of one member as a small file has it. */
static void put_right(uint8_t *data, size_t size)
{
    const size_t locator = MEMBER_CARRIER_BYTES(20);
    if (size < locator)
        return;
    uint8_t *place = data + size - locator;
    seal(place, 20);
    uint64_t begin = bytes_get(place + MEMBER_HEADER_BYTES + 4, 8);
    uint64_t end = size - locator;
    if (begin <= end && end - begin >= MEMBER_CARRIER_BYTES(4) && end - begin <= UINT16_MAX)
        seal(data + begin, (size_t)(end - begin) - MEMBER_CARRIER_BYTES(0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_file(data, size);
    _cleanup_free_ uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    put_right(copy, size);
    try_file(copy, size);
    return 0;
}
