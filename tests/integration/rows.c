/* rows TYPE...: makes of a COPY in binary on stdin the COPY in text, on stdout. Each TYPE is the
 * OID of a column's type, or `enum`. */
#include "backup/row_values.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 19
#define COLUMNS_MAX  64

static _Noreturn void give_up(const char *why)
{
    (void)fprintf(stderr, "rows: %s\n", why);
    exit(1);
}

static void read_all(Buffer *input)
{
    for (;;) {
        char *at = buffer_reserve(input, (size_t)1 << 20);
        size_t got = at ? fread(at, 1, (size_t)1 << 20, stdin) : 0;
        if (!got)
            return;
        buffer_commit(input, got);
    }
}

static uint32_t read_number(const uint8_t *at, size_t width)
{
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

/* How long is the tuple that begins here? */
static size_t tuple_length(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *field = at + 2;
    for (uint32_t i = read_number(at, 2); i > 0; i--) {
        if (end - field < 4)
            give_up("the last row is cut off");
        uint32_t length = read_number(field, 4);
        field += 4;
        if (length == UINT32_MAX)
            continue;
        if ((size_t)(end - field) < length)
            give_up("the last value is cut off");
        field += length;
    }
    return (size_t)(field - at);
}

static ValueKind kind_of(const char *type)
{
    int64_t oid = 0;
    bool is_enum = str_equal(type, "enum");
    if (!is_enum && !str_to_int64(type, 0, UINT32_MAX, &oid))
        give_up("a type is an OID, or enum");
    return value_kind((uint32_t)oid, is_enum);
}

int main(int argc, char **argv)
{
    ValueKind kinds[COLUMNS_MAX];
    size_t count = (size_t)argc - 1;
    if (count > COLUMNS_MAX)
        give_up("too many columns");
    for (size_t i = 0; i < count; i++)
        kinds[i] = kind_of(argv[i + 1]);
    _cleanup_buffer_ Buffer input;
    _cleanup_buffer_ Buffer text;
    buffer_init(&input, (size_t)1 << 30);
    buffer_init(&text, (size_t)1 << 30);
    read_all(&input);
    const uint8_t *at = (const uint8_t *)input.data + HEADER_BYTES;
    const uint8_t *end = (const uint8_t *)input.data + input.length;
    while (end - at >= 2 && read_number(at, 2) != UINT16_MAX) {
        size_t length = tuple_length(at, end);
        if (!row_text_append(kinds, count, at, length, &text))
            give_up("a row cannot be read");
        at += length;
    }
    if (end - at != 2)
        give_up("there is no end");
    return fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0 ? 0 : 1;
}
