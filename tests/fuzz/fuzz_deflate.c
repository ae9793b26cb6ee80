#include "fuzz.h"

#include "backup/deflate.h"

#include <assert.h>
#include <libdeflate.h>
#include <string.h>

/* Long enough for more than one block and for more than the window. */
#define REPEATED ((size_t)100000)

static void round_trip(DeflateLevel level, const void *raw, size_t length)
{
    static Deflater *deflater; /* kept: what was packed before must not matter */
    static struct libdeflate_decompressor *inflater;
    _cleanup_buffer_ Buffer packed;
    _cleanup_buffer_ Buffer inflated;
    size_t taken = 0, made = 0;
    if (!deflater) {
        deflater = deflater_create();
        inflater = libdeflate_alloc_decompressor();
    }
    buffer_init(&packed, 2 * length + 100);
    buffer_init(&inflated, length + 1);
    char *back = buffer_reserve(&inflated, length + 1);
    if (!back || !inflater)
        abort();
    assert(deflate_rows(deflater, level, raw, length, &packed));
    assert(libdeflate_deflate_decompress_ex(inflater, packed.data, packed.length, back, length + 1,
                                            &taken, &made) == LIBDEFLATE_SUCCESS);
    assert(taken == packed.length && made == length && !memcmp(back, raw, length));
}

/* Any bytes inflate to themselves: as they are and, every eighth, repeated with one byte different
 * from turn to turn. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int level = DEFLATE_FAST; level <= DEFLATE_BALANCED; level++)
        round_trip((DeflateLevel)level, data, size);
    if (!size || data[size / 2] % 8)
        return 0;
    _cleanup_free_ uint8_t *repeated = malloc(REPEATED);
    if (!repeated)
        abort();
    for (size_t i = 0; i < REPEATED; i++)
        repeated[i] = (uint8_t)(data[i % size] + (i % size == i / size % size ? i / size : 0));
    round_trip((DeflateLevel)(size % 2), repeated, REPEATED);
    return 0;
}
