#include "fuzz.h"

#include "backup/row_values.h"

#include <assert.h>
#include <string.h>

#define COLUMNS_MAX 16

/* Kinds, one a byte and as many as the first byte says, and what a server might send as such a row:
 * if it is one, its text is one line of as many fields, and begins where the buffer ended. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ValueKind kinds[COLUMNS_MAX];
    if (!size)
        return 0;
    size_t count = data[0] % COLUMNS_MAX;
    if (size < 1 + count)
        return 0;
    for (size_t i = 0; i < count; i++)
        kinds[i] = data[1 + i] % (VALUE_JSONB + 1);
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, (size_t)8 << 20);
    assert(buffer_append_str(&text, "before"));
    if (!row_text_append(kinds, count, data + 1 + count, size - 1 - count, &text))
        return 0;
    assert(memcmp(text.data, "before", 6) == 0);
    size_t tabs = 0;
    for (const char *at = text.data + 6; *at != '\n'; at++) {
        assert(at < text.data + text.length);
        tabs += *at == '\t';
    }
    assert(text.data[text.length - 1] == '\n' && tabs == (count ? count - 1 : 0));
    return 0;
}
