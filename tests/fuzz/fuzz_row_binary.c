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

/* What is taken is what a server would write of it: of floats only that knows what it is. */
static void check_text(const ValueKind *kinds, size_t count, const Buffer *binary, const char *line,
                       size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] == VALUE_UNKNOWN || kinds[i] == VALUE_FLOAT4 || kinds[i] == VALUE_FLOAT8)
            return;
    }
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, TUPLES_MAX);
    bool written = row_text_append(kinds, count, binary->data, binary->length, &text);
    assert(written && text.length == length && memcmp(text.data, line, length) == 0);
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
    if (taken)
        check_text(kinds, count, &binary, line, length + 1);
    return 0;
}
