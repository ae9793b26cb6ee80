#include "fuzz.h"

#include "backup/row_values.h"

#include <assert.h>
#include <string.h>

#define TUPLES_MAX ((size_t)1 << 20)

/* Is it a tuple of count fields, to its last byte? */
static bool is_tuple(const uint8_t *bytes, size_t length, size_t count)
{
    if (length < 2 || (size_t)(bytes[0] << 8 | bytes[1]) != count)
        return false;
    size_t at = 2;
    for (size_t i = 0; i < count; i++) {
        if (length - at < 4)
            return false;
        uint32_t field = (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
                         (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
        at += 4;
        if (field == UINT32_MAX)
            continue;
        if (field > length - at)
            return false;
        at += field;
    }
    return at == length;
}

/* The first byte is how many columns there are, theirs follow, then comes the line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ValueKind kinds[16];
    size_t count = size ? data[0] % (COUNT_OF(kinds) + 1) : 0;
    if (size < 1 + count)
        return 0;
    for (size_t i = 0; i < count; i++)
        kinds[i] = data[1 + i] % (VALUE_JSONB + 1);
    size_t length = size - 1 - count;
    /* Of its own size, so that a byte read behind it is seen. */
    _cleanup_free_ char *line = malloc(length + 1);
    assert(line);
    memcpy(line, data + 1 + count, length);
    line[length] = '\n';
    _cleanup_buffer_ Buffer binary;
    buffer_init(&binary, TUPLES_MAX);
    bool taken = row_binary_append(kinds, count, line, length + 1, &binary);
    assert(taken ? is_tuple((const uint8_t *)binary.data, binary.length, count) : !binary.length);
    return 0;
}
