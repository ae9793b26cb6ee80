#include "backup/member.h"

#include "backup/bytes.h"
#include "backup/deflate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <string.h>

#define LABEL_VERSION 1
#define LABEL_BYTES   48
#define EXTRA_BYTES   (4 + LABEL_BYTES) /* FEXTRA of a member without a second subfield */
#define TRAILER_BYTES 8
#define SMALL_LEVEL   7      /* of libdeflate */
#define CHUNK_BYTES   262144 /* inflated at a time: it is still in the cache when it is looked at */
/* What a packer keeps of a long member's memory for the next. */
#define KEPT_BYTES ((size_t)16 << 20)

static void *allocate(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);
    if (!memory) {
        (void)fputs("vaxdb: out of memory\n", stderr);
        abort();
    }
    return memory;
}

/* ---- headers ----------------------------------------------------------------------------- */

static void encode_header(uint8_t *at, const MemberLabel *label, int64_t packed_bytes,
                          size_t extra_bytes)
{
    static const uint8_t fixed[] = {0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255};
    memcpy(at, fixed, sizeof(fixed));
    bytes_put(at + 10, extra_bytes, 2);
    at[12] = 'V';
    at[13] = 'X';
    bytes_put(at + 14, LABEL_BYTES, 2);
    at[16] = LABEL_VERSION;
    at[17] = (uint8_t)label->kind;
    bytes_put(at + 18, 0, 2);
    bytes_put(at + 20, label->table, 4);
    bytes_put(at + 24, label->part, 4);
    bytes_put(at + 28, (uint64_t)packed_bytes, 8);
    bytes_put(at + 36, (uint64_t)label->raw_bytes, 8);
    bytes_put(at + 44, (uint64_t)label->rows, 8);
    bytes_put(at + 52, label->digest, 8);
    bytes_put(at + 60, crc32_gzip_refl(0, at, 60), 4);
}

bool member_parse(const void *header, MemberLabel *label, int64_t *packed_bytes)
{
    const uint8_t *at = header;
    uint8_t again[MEMBER_HEADER_BYTES];
    size_t extra_bytes = (size_t)bytes_get(at + 10, 2);
    MemberLabel parsed = {
        .kind = (MemberKind)at[17],
        .table = (uint32_t)bytes_get(at + 20, 4),
        .part = (uint32_t)bytes_get(at + 24, 4),
        .raw_bytes = (int64_t)bytes_get(at + 36, 8),
        .rows = (int64_t)bytes_get(at + 44, 8),
        .digest = bytes_get(at + 52, 8),
    };
    int64_t packed = (int64_t)bytes_get(at + 28, 8);
    bool carries = parsed.kind >= MEMBER_INDEX;
    if (parsed.kind > MEMBER_LOCATOR || carries != (extra_bytes > EXTRA_BYTES))
        return false;
    encode_header(again, &parsed, packed, extra_bytes);
    if (memcmp(again, at, sizeof(again)) != 0)
        return false;
    *label = parsed;
    *packed_bytes = packed;
    return true;
}

bool member_carry(const MemberLabel *label, const void *data, size_t length, Buffer *packed)
{
    assert(label->kind >= MEMBER_INDEX && length <= MEMBER_MAX_CARRIED);
    uint8_t header[MEMBER_HEADER_BYTES + 4];
    /* One last block of fixed codes that ends at once; CRC-32 and length of nothing. */
    static const uint8_t rest[2 + TRAILER_BYTES] = {3};
    encode_header(header, label, (int64_t)MEMBER_CARRIER_BYTES(length), EXTRA_BYTES + 4 + length);
    header[64] = 'V';
    header[65] = 'I';
    bytes_put(header + 66, length, 2);
    return buffer_append(packed, header, sizeof(header)) && buffer_append(packed, data, length) &&
           buffer_append(packed, rest, sizeof(rest));
}

/* ---- packing ----------------------------------------------------------------------------- */

struct MemberPacker {
    struct libdeflate_compressor *compressor; /* of COMPRESS_SMALL, else NULL */
    Deflater *deflater;                       /* of the others */
    DeflateLevel level;
    SealCipher *cipher; /* NULL: not encrypted */
    Buffer plain;       /* the member before it is encrypted */
};

MemberPacker *member_packer_create(Compression compression)
{
    MemberPacker *packer = allocate(sizeof(*packer));
    if (compression == COMPRESS_SMALL) {
        packer->compressor = libdeflate_alloc_compressor(SMALL_LEVEL);
        if (!packer->compressor)
            abort(); /* no memory: the level is right */
        return packer;
    }
    packer->deflater = deflater_create();
    packer->level = compression == COMPRESS_FAST ? DEFLATE_FAST : DEFLATE_BALANCED;
    return packer;
}

void member_packer_set_key(MemberPacker *packer, const SealKey *key)
{
    seal_cipher_destroy(packer->cipher);
    packer->cipher = key ? seal_cipher_create(key) : NULL;
}

void member_packer_destroy(MemberPacker *packer)
{
    if (!packer)
        return;
    seal_cipher_destroy(packer->cipher);
    buffer_free(&packer->plain);
    libdeflate_free_compressor(packer->compressor);
    deflater_destroy(packer->deflater);
    free(packer);
}

static bool deflate(MemberPacker *packer, const void *raw, size_t length, Buffer *packed)
{
    if (!packer->compressor)
        return deflate_rows(packer->deflater, packer->level, raw, length, packed);
    size_t bound = libdeflate_deflate_compress_bound(packer->compressor, length);
    char *out = buffer_reserve(packed, bound);
    if (!out)
        return false;
    size_t made = libdeflate_deflate_compress(packer->compressor, raw, length, out, bound);
    assert(made > 0);
    buffer_commit(packed, made);
    return true;
}

/* Into packed, which is empty. */
static bool pack(MemberPacker *packer, const MemberLabel *label, const void *raw, Buffer *packed)
{
    uint8_t header[MEMBER_HEADER_BYTES] = {0};
    uint8_t trailer[TRAILER_BYTES];
    size_t length = (size_t)label->raw_bytes;
    bytes_put(trailer, crc32_gzip_refl(0, raw, length), 4);
    bytes_put(trailer + 4, length, 4);
    if (!buffer_append(packed, header, sizeof(header)) || !deflate(packer, raw, length, packed) ||
        !buffer_append(packed, trailer, sizeof(trailer)))
        return false;
    encode_header((uint8_t *)packed->data, label, (int64_t)packed->length, EXTRA_BYTES);
    return true;
}

static bool pack_and_seal(MemberPacker *packer, const MemberLabel *label, const void *raw,
                          Buffer *packed)
{
    Buffer *plain = &packer->plain;
    if (plain->capacity > KEPT_BYTES || plain->max != packed->max) {
        buffer_free(plain);
        buffer_init(plain, packed->max);
    }
    buffer_clear(plain);
    packed->overflow = !pack(packer, label, raw, plain) ||
                       !seal_piece(packer->cipher, SEAL_MEMBER, (const uint8_t *)plain->data,
                                   plain->data, plain->length, packed);
    return !packed->overflow;
}

bool member_pack(MemberPacker *packer, const MemberLabel *label, const void *raw, Buffer *packed,
                 Error *err)
{
    assert(label->kind < MEMBER_INDEX && label->raw_bytes >= 0);
    if (label->raw_bytes > MEMBER_MAX_RAW)
        return error_set(err, ERR_FAILED,
                         "a single row of %" PRId64 " bytes: a backup holds none above 4 GiB",
                         label->raw_bytes);
    buffer_clear(packed);
    if (packer->cipher)
        (void)pack_and_seal(packer, label, raw, packed);
    else
        (void)pack(packer, label, raw, packed);
    return buffer_check(packed, "a packed part of the backup", err);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct MemberReader {
    bool leaves_out_sha256;
    SealCipher *cipher; /* NULL: not encrypted */
    struct inflate_state state;
    uint8_t in[CHUNK_BYTES + SEAL_TAG_BYTES];
    uint8_t out[CHUNK_BYTES];
};

_Static_assert(CHUNK_BYTES == SEAL_CHUNK_BYTES, "a chunk is decrypted where it is inflated from");

MemberReader *member_reader_create(void)
{
    return allocate(sizeof(MemberReader));
}

void member_reader_leave_out_sha256(MemberReader *reader)
{
    reader->leaves_out_sha256 = true;
}

void member_reader_set_key(MemberReader *reader, const SealKey *key)
{
    seal_cipher_destroy(reader->cipher);
    reader->cipher = key ? seal_cipher_create(key) : NULL;
}

void member_reader_destroy(MemberReader *reader)
{
    if (!reader)
        return;
    seal_cipher_destroy(reader->cipher);
    free(reader);
}

/* One member on its way. */
typedef struct {
    struct inflate_state *state;
    SealCipher *cipher;
    uint8_t *in;
    int descriptor;
    const Member *member;
    HashStream *hash; /* NULL: left out */
    int64_t taken;    /* bytes read from the file */
    int64_t raw_bytes;
} Reading;

static bool bad(const Reading *reading, const char *what, Error *err)
{
    return error_set(err, ERR_PROBLEMS, "%s in the part from byte %" PRId64 " to %" PRId64, what,
                     reading->member->offset,
                     reading->member->offset + reading->member->packed_bytes);
}

/* The next bytes of the member as they are in the file. */
static bool read_file(Reading *reading, size_t wanted, Error *err)
{
    for (size_t have = 0; have < wanted;) {
        ssize_t got = pread(reading->descriptor, reading->in + have, wanted - have,
                            reading->member->offset + reading->taken + (int64_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read the backup");
        if (got == 0)
            return bad(reading, "the file ends", err);
        have += (size_t)got;
    }
    if (reading->hash)
        hash_update(reading->hash, reading->in, wanted);
    reading->taken += (int64_t)wanted;
    return true;
}

/* The next packed bytes; none at the end of the member. */
static bool read_packed(Reading *reading, size_t *length, Error *err)
{
    int64_t most = CHUNK_BYTES + (reading->cipher ? SEAL_TAG_BYTES : 0);
    int64_t left = reading->member->packed_bytes - reading->taken;
    *length = (size_t)(left < most ? left : most);
    if (!*length)
        return true;
    if (!read_file(reading, *length, err))
        return false;
    if (!reading->cipher)
        return true;
    if (!seal_open_chunk(reading->cipher, reading->in, *length, left <= most))
        return bad(reading, "what is not what was encrypted", err);
    *length -= SEAL_TAG_BYTES;
    return true;
}

/* The next packed bytes, once the inflater has used up the last. */
static bool refill(Reading *reading, Error *err)
{
    size_t length = 0;
    if (reading->state->avail_in)
        return true;
    if (!read_packed(reading, &length, err))
        return false;
    reading->state->next_in = reading->in;
    reading->state->avail_in = (uint32_t)length;
    return true;
}

/* An encrypted member is bound to its label; its seed is the one that the index wants. */
static bool begin_sealed(Reading *reading, const uint8_t *header, Error *err)
{
    if (!read_file(reading, SEAL_SEED_BYTES, err))
        return false;
    if (memcmp(reading->in, reading->member->seed, SEAL_SEED_BYTES) != 0)
        return bad(reading, "another part than the index says", err);
    seal_open_begin(reading->cipher, SEAL_MEMBER, reading->in, header);
    return true;
}

_Static_assert(MEMBER_HEADER_BYTES == SEAL_BOUND_BYTES, "a member is bound to its header");

/* Reads the first chunk, and checks the header in it. */
static bool begin(Reading *reading, size_t *length, Error *err)
{
    uint8_t expected[MEMBER_HEADER_BYTES];
    const Member *member = reading->member;
    int64_t packed_bytes =
        reading->cipher ? seal_plain_length(member->packed_bytes) : member->packed_bytes;
    if (packed_bytes < MEMBER_MIN_BYTES)
        return bad(reading, "a length that cannot be", err);
    encode_header(expected, &member->label, packed_bytes, EXTRA_BYTES);
    if ((reading->cipher && !begin_sealed(reading, expected, err)) ||
        !read_packed(reading, length, err))
        return false;
    return memcmp(expected, reading->in, sizeof(expected)) == 0 ||
           bad(reading, "the label does not agree with the index", err);
}

static bool begin_inflating(Reading *reading, Error *err)
{
    size_t length = 0;
    isal_inflate_init(reading->state);
    /* After the header, which is ours to check; the trailer is ISA-L's. */
    reading->state->crc_flag = ISAL_GZIP_NO_HDR_VER;
    if (!begin(reading, &length, err))
        return false;
    reading->state->next_in = reading->in + MEMBER_HEADER_BYTES;
    reading->state->avail_in = (uint32_t)(length - MEMBER_HEADER_BYTES);
    return true;
}

static bool check_hash(const Reading *reading, Error *err)
{
    char sha256[HASH_HEX_SIZE];
    if (!reading->hash)
        return true;
    hash_finish(reading->hash, sha256);
    return strcmp(sha256, reading->member->sha256) == 0 ||
           bad(reading, "another SHA-256 than the index says", err);
}

static bool finish(const Reading *reading, Error *err)
{
    if (reading->taken != reading->member->packed_bytes || reading->state->avail_in)
        return bad(reading, "bytes behind the compressed data", err);
    if (reading->raw_bytes != reading->member->label.raw_bytes)
        return bad(reading, "less data than the index says", err);
    return check_hash(reading, err);
}

/* The next inflated bytes, in out. */
static bool inflate(Reading *reading, uint8_t *out, size_t *made, Error *err)
{
    struct inflate_state *state = reading->state;
    if (!refill(reading, err))
        return false;
    uint32_t input_before = state->avail_in;
    state->next_out = out;
    state->avail_out = CHUNK_BYTES;
    int result = isal_inflate(state);
    *made = CHUNK_BYTES - state->avail_out;
    reading->raw_bytes += (int64_t)*made;
    if (result == ISAL_INCORRECT_CHECKSUM)
        return bad(reading, "checksum or length do not match the data", err);
    if (result != ISAL_DECOMP_OK)
        return bad(reading, "invalid compressed data", err);
    if (reading->raw_bytes > reading->member->label.raw_bytes)
        return bad(reading, "more data than the index says", err);
    if (state->block_state != ISAL_BLOCK_FINISH && !*made && input_before == state->avail_in)
        return bad(reading, "compressed data without an end", err);
    return true;
}

static Reading start(MemberReader *reader, int descriptor, const Member *member, HashStream *hash)
{
    return (Reading){.state = &reader->state,
                     .cipher = reader->cipher,
                     .in = reader->in,
                     .descriptor = descriptor,
                     .member = member,
                     .hash = hash};
}

bool member_read(MemberReader *reader, int descriptor, const Member *member, MemberSink sink,
                 void *data, Error *err)
{
    _cleanup_hash_ HashStream *hash = reader->leaves_out_sha256 ? NULL : hash_create();
    Reading reading = start(reader, descriptor, member, hash);
    if (!begin_inflating(&reading, err))
        return false;
    while (reader->state.block_state != ISAL_BLOCK_FINISH) {
        size_t made = 0;
        if (!inflate(&reading, reader->out, &made, err) ||
            (made && !sink(data, (const char *)reader->out, made, err)))
            return false;
    }
    return finish(&reading, err);
}

bool member_read_packed(MemberReader *reader, int descriptor, const Member *member, Buffer *packed,
                        Error *err)
{
    _cleanup_hash_ HashStream *hash = reader->leaves_out_sha256 ? NULL : hash_create();
    Reading reading = start(reader, descriptor, member, hash);
    size_t length = 0;
    buffer_clear(packed);
    if (!begin(&reading, &length, err))
        return false;
    while (length) {
        (void)buffer_append(packed, reading.in, length);
        if (!buffer_check(packed, "a part of the backup", err) ||
            !read_packed(&reading, &length, err))
            return false;
    }
    return check_hash(&reading, err);
}
