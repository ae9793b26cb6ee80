#include "backup/gzip.h"

#include "base/arena.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#define CHUNK_BYTES 262144

/* A command that has run out of memory has nothing better to do than to say so. */
static void *allocate(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);
    if (!memory) {
        (void)fputs("vaxdb: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size), text, size);
}

struct GzipReader {
    int descriptor;
    char *path;
    int64_t raw_bytes;
    int64_t read_bytes; /* from the file; what the inflater has not used yet is in state.avail_in */
    bool end_of_file;
    bool in_member;
    bool done;
    int members;
    struct inflate_state state;
    uint8_t in[CHUNK_BYTES];
};

bool gzip_reader_open(const char *path, GzipReader **reader, Error *err)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    GzipReader *made = allocate(sizeof(*made));
    made->descriptor = descriptor;
    made->path = copy_text(path);
    isal_inflate_init(&made->state);
    made->state.next_in = made->in;
    *reader = made;
    return true;
}

static bool refill(GzipReader *reader, Error *err)
{
    if (reader->state.avail_in || reader->end_of_file)
        return true;
    ssize_t got = 0;
    do
        got = read(reader->descriptor, reader->in, sizeof(reader->in));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", reader->path);
    reader->end_of_file = got == 0;
    reader->read_bytes += got;
    reader->state.next_in = reader->in;
    reader->state.avail_in = (uint32_t)got;
    return true;
}

static const char *explain(int result)
{
    switch (result) {
    case ISAL_INCORRECT_CHECKSUM:
        return "checksum or length do not match the data";
    case ISAL_INVALID_WRAPPER:
        return "not a gzip header";
    case ISAL_UNSUPPORTED_METHOD:
        return "unknown compression method";
    default:
        return "invalid compressed data";
    }
}

static bool fail_at(const GzipReader *reader, const char *what, Error *err)
{
    return error_set(err, ERR_PROBLEMS, "%s: %s near byte %lld (%lld bytes inflated)", reader->path,
                     what, (long long)gzip_reader_packed_bytes(reader),
                     (long long)reader->raw_bytes);
}

/* ---- headers ----------------------------------------------------------------------------- */

#define FLAG_HEADER_CRC 2
#define FLAG_EXTRA      4
#define FLAG_NAME       8
#define FLAG_COMMENT    16
#define FLAGS_RESERVED  0xE0

static bool next_byte(GzipReader *reader, uint8_t *byte, Error *err)
{
    if (!refill(reader, err))
        return false;
    if (!reader->state.avail_in)
        return fail_at(reader, "the file ends in the middle of a header", err);
    *byte = *reader->state.next_in++;
    reader->state.avail_in--;
    return true;
}

static bool skip_bytes(GzipReader *reader, unsigned count, Error *err)
{
    uint8_t byte = 0;
    for (; count; count--) {
        if (!next_byte(reader, &byte, err))
            return false;
    }
    return true;
}

static bool skip_text(GzipReader *reader, Error *err)
{
    uint8_t byte = 1;
    while (byte) {
        if (!next_byte(reader, &byte, err))
            return false;
    }
    return true;
}

/* RFC 1952, section 2.3. ISA-L 2.30 forgets the flags of a header that two reads of the file share,
 * and then takes what lies on the stack for them; so headers are read here. */
static bool read_header(GzipReader *reader, Error *err)
{
    uint8_t fixed[10];
    uint8_t extra[2] = {0};
    for (size_t i = 0; i < sizeof(fixed); i++) {
        if (!next_byte(reader, &fixed[i], err))
            return false;
    }
    if (fixed[0] != 0x1F || fixed[1] != 0x8B || fixed[3] & FLAGS_RESERVED)
        return fail_at(reader, explain(ISAL_INVALID_WRAPPER), err);
    if (fixed[2] != 8)
        return fail_at(reader, explain(ISAL_UNSUPPORTED_METHOD), err);
    if (fixed[3] & FLAG_EXTRA &&
        (!next_byte(reader, &extra[0], err) || !next_byte(reader, &extra[1], err) ||
         !skip_bytes(reader, extra[0] | (unsigned)extra[1] << 8, err)))
        return false;
    return (!(fixed[3] & FLAG_NAME) || skip_text(reader, err)) &&
           (!(fixed[3] & FLAG_COMMENT) || skip_text(reader, err)) &&
           (!(fixed[3] & FLAG_HEADER_CRC) || skip_bytes(reader, 2, err));
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Stands at the start of a member or at the end of the file. */
static bool begin_member(GzipReader *reader, Error *err)
{
    if (!refill(reader, err))
        return false;
    if (!reader->state.avail_in) {
        if (!reader->members)
            return error_set(err, ERR_PROBLEMS, "%s is empty", reader->path);
        reader->done = true;
        return true;
    }
    if (reader->members && reader->state.next_in[0] != 0x1F)
        return fail_at(reader, "bytes after the end of the compressed data", err);
    if (!read_header(reader, err))
        return false;
    isal_inflate_reset(&reader->state);
    reader->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
    reader->in_member = true;
    reader->members++;
    return true;
}

bool gzip_read(GzipReader *reader, void *data, size_t size, size_t *got, Error *err)
{
    assert(size > 0 && size <= UINT32_MAX);
    *got = 0;
    while (!reader->done) {
        if (!reader->in_member) {
            if (!begin_member(reader, err))
                return false;
            continue;
        }
        if (!refill(reader, err))
            return false;
        reader->state.next_out = data;
        reader->state.avail_out = (uint32_t)size;
        uint32_t input_before = reader->state.avail_in;
        int result = isal_inflate(&reader->state);
        size_t made = size - reader->state.avail_out;
        if (result != ISAL_DECOMP_OK)
            return fail_at(reader, explain(result), err);
        reader->raw_bytes += (int64_t)made;
        if (reader->state.block_state == ISAL_BLOCK_FINISH)
            reader->in_member = false;
        else if (reader->end_of_file && !made && input_before == reader->state.avail_in)
            return fail_at(reader, "the file ends in the middle of the compressed data", err);
        if (made) {
            *got = made;
            return true;
        }
    }
    return true;
}

int64_t gzip_reader_raw_bytes(const GzipReader *reader)
{
    return reader->raw_bytes;
}

int64_t gzip_reader_packed_bytes(const GzipReader *reader)
{
    return reader->read_bytes - reader->state.avail_in;
}

void gzip_reader_close(GzipReader *reader)
{
    if (!reader)
        return;
    cleanup_close(&reader->descriptor);
    free(reader->path);
    free(reader);
}
