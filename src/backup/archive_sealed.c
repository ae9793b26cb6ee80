/* The header and the index of an encrypted backup; the format is in seal.h. */
#include "backup/archive_internal.h"
#include "backup/bytes.h"
#include "base/file.h"

#include <assert.h>
#include <string.h>

#define ENTRY_BYTES   (ARCHIVE_ENTRY_BYTES + SEAL_SEED_BYTES)
#define LOCATOR_BYTES 32
/* Of a database of 50 TB. */
#define INDEX_MAX_BYTES ((size_t)1 << 30)

static const uint8_t magic[8] = {'V', 'X', 'S', 'E', 'A', 'L', 'I', 'X'};

_Static_assert(SEAL_BOUND_BYTES == SEAL_MAC_BYTES + LOCATOR_BYTES, "what the index is bound to");

static bool damaged(const char *path, const char *what, Error *err)
{
    return error_set(err, ERR_PROBLEMS, "%s is damaged or was cut off: the %s is not right",
                     path_basename(path), what);
}

/* ---- header ------------------------------------------------------------------------------ */

bool archive_read_header(Arena *arena, int descriptor, const char *path, bool *found,
                         SealHeader *header, Error *err)
{
    uint8_t first[SEAL_HEADER_MIN];
    int64_t size = 0;
    *found = false;
    if (!archive_file_bytes(descriptor, path, &size, err))
        return false;
    if (size < (int64_t)sizeof(first))
        return true;
    if (!archive_read_at(descriptor, path, 0, first, sizeof(first), err))
        return false;
    size_t length = seal_header_length(first);
    if (!length)
        return true;
    if ((int64_t)length > size)
        return damaged(path, "header of the encryption", err);
    uint8_t *bytes = arena_alloc(arena, length);
    if (!archive_read_at(descriptor, path, 0, bytes, length, err))
        return false;
    *found = seal_header_parse(bytes, length, header);
    return *found || damaged(path, "header of the encryption", err);
}

/* ---- index ------------------------------------------------------------------------------- */

static void encode_locator(uint8_t *at, int64_t offset, int64_t sealed_bytes, size_t count)
{
    bytes_put(at, (uint64_t)offset, 8);
    bytes_put(at + 8, (uint64_t)sealed_bytes, 8);
    bytes_put(at + 16, count, 8);
    memcpy(at + 24, magic, sizeof(magic));
}

/* To this header and this locator: an index of another file does not open. */
static void bind(uint8_t bound[SEAL_BOUND_BYTES], const SealHeader *header, const uint8_t *locator)
{
    const uint8_t *mac = header->bytes + header->length - 4 - SEAL_MAC_BYTES;
    memcpy(bound, mac, SEAL_MAC_BYTES);
    memcpy(bound + SEAL_MAC_BYTES, locator, LOCATOR_BYTES);
}

bool archive_seal_tail(const ArchiveIndex *index, const SealHeader *header, Buffer *tail,
                       Error *err)
{
    uint8_t locator[LOCATOR_BYTES];
    uint8_t bound[SEAL_BOUND_BYTES];
    _cleanup_buffer_ Buffer plain;
    buffer_init(&plain, INDEX_MAX_BYTES);
    size_t length = index->count * ENTRY_BYTES;
    uint8_t *at = (uint8_t *)buffer_reserve(&plain, length);
    if (!at)
        return buffer_check(&plain, "the index of the backup", err);
    for (size_t i = 0; i < index->count; i++, at += ENTRY_BYTES) {
        archive_encode_entry(at, &index->members[i]);
        memcpy(at + ARCHIVE_ENTRY_BYTES, index->members[i].seed, SEAL_SEED_BYTES);
    }
    buffer_commit(&plain, length);
    encode_locator(locator, index->packed_bytes, seal_length((int64_t)length), index->count);
    bind(bound, header, locator);
    _cleanup_seal_cipher_ SealCipher *cipher = seal_cipher_create(index->key);
    (void)(seal_piece(cipher, SEAL_INDEX, bound, plain.data, plain.length, tail) &&
           buffer_append(tail, locator, sizeof(locator)));
    return buffer_check(tail, "the index of the backup", err);
}

/* Where the index is, once the locator fits the file and the header. */
static bool read_locator(int descriptor, const char *path, const SealHeader *header,
                         uint8_t locator[LOCATOR_BYTES], ArchiveIndex *index, Error *err)
{
    uint8_t again[LOCATOR_BYTES];
    int64_t size = 0;
    if (!archive_file_bytes(descriptor, path, &size, err))
        return false;
    int64_t room = size - LOCATOR_BYTES - (int64_t)header->length;
    if (room < 0)
        return damaged(path, "index at its end", err);
    if (!archive_read_at(descriptor, path, size - LOCATOR_BYTES, locator, LOCATOR_BYTES, err))
        return false;
    uint64_t count = bytes_get(locator + 16, 8);
    if (count > (uint64_t)room / ENTRY_BYTES || count > INDEX_MAX_BYTES / ENTRY_BYTES)
        return damaged(path, "index at its end", err);
    int64_t sealed_bytes = seal_length((int64_t)count * ENTRY_BYTES);
    *index = (ArchiveIndex){.count = (size_t)count,
                            .begin_bytes = (int64_t)header->length,
                            .packed_bytes = size - LOCATOR_BYTES - sealed_bytes};
    encode_locator(again, index->packed_bytes, sealed_bytes, index->count);
    return (sealed_bytes <= room && memcmp(again, locator, sizeof(again)) == 0) ||
           damaged(path, "index at its end", err);
}

/* Decrypts the index, chunk by chunk in place; plain is what is left of it. */
static bool open_index(const SealKey *key, const uint8_t bound[SEAL_BOUND_BYTES], uint8_t *sealed,
                       size_t length, uint8_t *plain)
{
    _cleanup_seal_cipher_ SealCipher *cipher = seal_cipher_create(key);
    seal_open_begin(cipher, SEAL_INDEX, sealed, bound);
    sealed += SEAL_SEED_BYTES;
    length -= SEAL_SEED_BYTES;
    while (length) {
        const size_t most = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
        size_t some = length < most ? length : most;
        if (!seal_open_chunk(cipher, sealed, some, some == length))
            return false;
        memcpy(plain, sealed, some - SEAL_TAG_BYTES);
        plain += some - SEAL_TAG_BYTES;
        sealed += some;
        length -= some;
    }
    return true;
}

static bool decode(Arena *arena, const uint8_t *plain, ArchiveIndex *index)
{
    int64_t offset = index->begin_bytes;
    index->members = arena_array(arena, index->count, sizeof(*index->members));
    for (size_t i = 0; i < index->count; i++, plain += ENTRY_BYTES) {
        Member *member = &index->members[i];
        *member = archive_decode_entry(plain, offset);
        memcpy(member->seed, plain + ARCHIVE_ENTRY_BYTES, SEAL_SEED_BYTES);
        if (member->packed_bytes < 0 || member->label.raw_bytes < 0 ||
            __builtin_add_overflow(offset, member->packed_bytes, &offset) ||
            __builtin_add_overflow(index->raw_bytes, member->label.raw_bytes, &index->raw_bytes))
            return false;
    }
    return offset == index->packed_bytes;
}

bool archive_unseal_index(Arena *arena, int descriptor, const char *path, const SealHeader *header,
                          const SealKey *key, ArchiveIndex *index, Error *err)
{
    uint8_t locator[LOCATOR_BYTES];
    uint8_t bound[SEAL_BOUND_BYTES];
    _cleanup_buffer_ Buffer sealed;
    _cleanup_buffer_ Buffer plain;
    buffer_init(&sealed, INDEX_MAX_BYTES * 2);
    buffer_init(&plain, INDEX_MAX_BYTES);
    if (!read_locator(descriptor, path, header, locator, index, err))
        return false;
    size_t plain_length = index->count * ENTRY_BYTES;
    size_t length = (size_t)seal_length((int64_t)plain_length);
    uint8_t *from = (uint8_t *)buffer_reserve(&sealed, length);
    uint8_t *into = (uint8_t *)buffer_reserve(&plain, plain_length);
    if (!from || !into)
        return buffer_check(from ? &plain : &sealed, "the index of the backup", err);
    if (!archive_read_at(descriptor, path, index->packed_bytes, from, length, err))
        return false;
    bind(bound, header, locator);
    if (!open_index(key, bound, from, length, into) || !decode(arena, into, index))
        return damaged(path, "index at its end", err);
    index->key = key;
    return archive_index_check(index, err);
}
