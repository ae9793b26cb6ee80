#include "fuzz.h"

#include "backup/archive_open.h"
#include "backup/bytes.h"
#include "base/file.h"
#include "base/hash.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <string.h>
#include <sys/mman.h>

/* The seeds are of this data key. */
static SealKey known_key(void)
{
    uint8_t data[SEAL_KEY_BYTES];
    SealKey key;
    memset(data, 3, sizeof(data));
    seal_key_derive(&key, data);
    return key;
}

static bool count_bytes(void *data, const char *bytes, size_t length, Error *err)
{
    int64_t *total = data;
    (void)err;
    assert(bytes && length > 0);
    *total += (int64_t)length;
    return true;
}

/* Whatever the file says, it is an error or what was encrypted. */
static void try_file(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_close_ int descriptor = memfd_create("sealed", MFD_CLOEXEC);
    const char *path = arena_printf(arena, "/proc/self/fd/%d", descriptor);
    const SealKey key = known_key();
    ArchiveIndex index;
    SealHeader header;
    bool found = false;
    Error err = {0};
    assert(descriptor >= 0 && file_write_all(descriptor, data, size, path, &err));
    if (!archive_read_header(arena, descriptor, path, &found, &header, &err)) {
        assert(err.code == ERR_PROBLEMS && err.message[0]);
        return;
    }
    if (!found)
        return;
    assert(header.slot_count && header.slot_count <= SEAL_SLOTS_MAX);
    (void)!seal_header_check(&header, &key);
    if (!archive_unseal_index(arena, descriptor, path, &header, &key, &index, &err)) {
        assert(err.code == ERR_PROBLEMS && err.message[0]);
        return;
    }
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, index.key);
    for (size_t i = 0; i < index.count; i++) {
        int64_t total = 0;
        if (member_read(reader, descriptor, &index.members[i], count_bytes, &total, &err))
            assert(total == index.members[i].label.raw_bytes);
        else
            assert(err.code == ERR_PROBLEMS && err.message[0]);
    }
}

/* Its CRC-32 stops nearly every mutation of a header, so it is tried with a right one too. */
static void put_right(uint8_t *data, size_t size)
{
    size_t length = size >= SEAL_HEADER_MIN ? seal_header_length(data) : 0;
    if (length && length <= size)
        bytes_put(data + length - 4, crc32_gzip_refl(0, data, length - 4), 4);
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
