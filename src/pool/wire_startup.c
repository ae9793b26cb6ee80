#include "pool/wire.h"

#define CODE_CANCEL (1234U << 16 | 5678)
#define CODE_SSL    (1234U << 16 | 5679)
#define CODE_GSSENC (1234U << 16 | 5680)

static WireStatus bad(const char **reason, const char *text)
{
    *reason = text;
    return WIRE_BAD;
}

static bool is_protocol_option(const char *name)
{
    return strncmp(name, "_pq_.", 5) == 0;
}

/* Names and values, each pair whole, then one NUL as the packet's last byte. */
static bool read_session(WireCursor *cursor, WireStartup *startup)
{
    WireCursor parameters = *cursor;
    for (;;) {
        const uint8_t *start = cursor->at;
        size_t name_length = 0;
        const char *name = wire_read_string(cursor, &name_length);
        if (cursor->bad)
            return false;
        if (name_length == 0) {
            parameters.end = start;
            break;
        }
        (void)wire_read_string(cursor, NULL);
        if (is_protocol_option(name))
            startup->unknown_count++;
    }
    startup->parameters = parameters;
    return wire_finished(cursor);
}

static bool read_cancel(WireCursor *cursor, WireStartup *startup)
{
    startup->process_id = wire_read_u32(cursor);
    startup->key_length = wire_left(cursor);
    startup->key = wire_read_bytes(cursor, startup->key_length);
    return wire_finished(cursor) && startup->key_length >= WIRE_KEY_MIN &&
           startup->key_length <= WIRE_KEY_MAX;
}

static WireStatus read_rest(WireCursor *cursor, WireStartup *startup, const char **reason)
{
    uint32_t code = wire_read_u32(cursor);
    if (code == CODE_SSL || code == CODE_GSSENC) {
        startup->kind = code == CODE_SSL ? WIRE_STARTUP_SSL : WIRE_STARTUP_GSSENC;
        return wire_finished(cursor) ? WIRE_READY : bad(reason, "bad packet header");
    }
    if (code == CODE_CANCEL) {
        startup->kind = WIRE_STARTUP_CANCEL;
        return read_cancel(cursor, startup) ? WIRE_READY : bad(reason, "bad cancel request");
    }
    if (code >> 16 == 2)
        return bad(reason, "old V2 protocol not supported");
    if (code >> 16 != 3)
        return bad(reason, "unsupported protocol version");
    startup->kind = WIRE_STARTUP_SESSION;
    startup->minor = (uint16_t)code;
    return read_session(cursor, startup) ? WIRE_READY : bad(reason, "bad startup packet");
}

WireStatus wire_startup_read(const void *bytes, size_t length, WireStartup *startup,
                             const char **reason)
{
    WireCursor cursor = wire_cursor(bytes, length);
    uint32_t said = wire_read_u32(&cursor);
    if (cursor.bad) {
        /* A length of at most 10,000 starts with two zero bytes: noise is seen at its first. */
        const uint8_t *first = bytes;
        return length && first[0] != 0 ? bad(reason, "bad packet header") : WIRE_MORE;
    }
    if (said < 8 || said > WIRE_STARTUP_MAX)
        return bad(reason, "bad packet header");
    if (said > length)
        return WIRE_MORE;
    *startup = (WireStartup){.length = said};
    cursor.end = (const uint8_t *)bytes + said;
    return read_rest(&cursor, startup, reason);
}

bool wire_startup_next(WireCursor *parameters, const char **name, const char **value)
{
    if (wire_left(parameters) == 0)
        return false;
    *name = wire_read_string(parameters, NULL);
    *value = wire_read_string(parameters, NULL);
    return !parameters->bad;
}

const char *wire_startup_get(const WireStartup *startup, const char *name)
{
    WireCursor parameters = startup->parameters;
    const char *found = NULL;
    const char *key = NULL;
    const char *value = NULL;
    while (wire_startup_next(&parameters, &key, &value)) {
        if (strcmp(key, name) == 0)
            found = value;
    }
    return found;
}

bool wire_startup_unknown(WireCursor *parameters, const char **name)
{
    const char *value = NULL;
    while (wire_startup_next(parameters, name, &value)) {
        if (is_protocol_option(*name))
            return true;
    }
    return false;
}

uint16_t wire_startup_minor(const WireStartup *startup, uint16_t maximum)
{
    return startup->minor >= 2 && maximum >= 2 ? 2 : 0;
}

/* ---- The value of `options` ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One word, without its backslashes; false at the end. */
static bool next_word(const char **at, Buffer *word)
{
    const char *c = *at;
    buffer_clear(word);
    while (is_space(*c))
        c++;
    bool found = *c != '\0';
    for (; *c && !is_space(*c); c++) {
        if (*c == '\\' && c[1])
            c++;
        (void)buffer_append_char(word, *c);
    }
    *at = c;
    return found;
}

/* "name=value" in word from start on; the name is cut off into name. */
static bool split_setting(const Buffer *word, size_t start, Buffer *name, Buffer *value)
{
    const char *text = word->data + start;
    size_t length = word->length - start;
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text)
        return false;
    for (const char *c = text; c < equals; c++)
        (void)buffer_append_char(name, *c == '-' ? '_' : *c);
    return buffer_append(value, equals + 1, length - (size_t)(equals + 1 - text)) &&
           !name->overflow;
}

WireStatus wire_options_next(const char **at, Buffer *name, Buffer *value)
{
    _cleanup_buffer_ Buffer word;
    buffer_init(&word, WIRE_STARTUP_MAX);
    buffer_clear(name);
    buffer_clear(value);
    if (!next_word(at, &word))
        return WIRE_MORE;
    bool short_form = strncmp(word.data, "-c", 2) == 0;
    size_t start = 2;
    if (!short_form && strncmp(word.data, "--", 2) != 0)
        return WIRE_BAD;
    if (short_form && word.length == 2) {
        if (!next_word(at, &word))
            return WIRE_BAD;
        start = 0;
    }
    if (word.overflow || !split_setting(&word, start, name, value))
        return WIRE_BAD;
    return WIRE_READY;
}
