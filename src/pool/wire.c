#include "pool/wire.h"

/* ---- The cursor ---- */

WireCursor wire_cursor(const void *bytes, size_t length)
{
    static const uint8_t nothing[1];
    const uint8_t *start = length ? bytes : nothing;
    return (WireCursor){.at = start, .end = start + length};
}

size_t wire_left(const WireCursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static void spoil(WireCursor *cursor)
{
    cursor->bad = true;
    cursor->at = cursor->end;
}

const uint8_t *wire_read_bytes(WireCursor *cursor, size_t count)
{
    const uint8_t *bytes = cursor->at;
    if (count > wire_left(cursor)) {
        spoil(cursor);
        return NULL;
    }
    cursor->at += count;
    return bytes;
}

uint8_t wire_read_u8(WireCursor *cursor)
{
    const uint8_t *bytes = wire_read_bytes(cursor, 1);
    return bytes ? bytes[0] : 0;
}

uint16_t wire_read_u16(WireCursor *cursor)
{
    const uint8_t *bytes = wire_read_bytes(cursor, 2);
    return bytes ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
}

uint32_t wire_read_u32(WireCursor *cursor)
{
    const uint8_t *bytes = wire_read_bytes(cursor, 4);
    if (!bytes)
        return 0;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

const char *wire_read_string(WireCursor *cursor, size_t *length)
{
    const uint8_t *text = cursor->at;
    const uint8_t *nul = wire_left(cursor) ? memchr(text, 0, wire_left(cursor)) : NULL;
    if (!nul) {
        spoil(cursor);
        if (length)
            *length = 0;
        return "";
    }
    if (length)
        *length = (size_t)(nul - text);
    cursor->at = nul + 1;
    return (const char *)text;
}

bool wire_finished(const WireCursor *cursor)
{
    return !cursor->bad && cursor->at == cursor->end;
}

/* ---- Headers ---- */

const WireLimits WIRE_LIMITS_DEFAULT = {.message_max = INT32_MAX, .whole_max = 64U << 20};

/* PostgreSQL's own limit for what a client sends without data in it */
#define SMALL_BODY 10000

typedef enum { NOT_ALLOWED, WHOLE, SMALL, PASSWORD, STREAM } Treatment;

/* A Bind is streamed: its names stand first, and they are all that is wanted of it. The console and
 * what rewrites a Parse want them whole. */
#define CLIENT_MESSAGES                                                                            \
    ['Q'] = STREAM, ['B'] = STREAM, ['P'] = WHOLE, ['F'] = STREAM, ['d'] = STREAM, ['D'] = SMALL,  \
    ['C'] = SMALL, ['E'] = SMALL, ['S'] = SMALL, ['H'] = SMALL, ['X'] = SMALL, ['c'] = SMALL,      \
    ['f'] = SMALL

static const uint8_t treatments[WIRE_STATES][128] = {
    [WIRE_CLIENT_LOGIN] = {['p'] = PASSWORD, ['X'] = SMALL},
    [WIRE_CLIENT] = {CLIENT_MESSAGES},
    [WIRE_SERVER_LOGIN] = {['R'] = WHOLE,
                           ['S'] = WHOLE,
                           ['K'] = SMALL,
                           ['E'] = WHOLE,
                           ['N'] = WHOLE,
                           ['v'] = WHOLE,
                           ['Z'] = SMALL},
    [WIRE_SERVER] = {['1'] = SMALL,  ['2'] = SMALL,  ['3'] = SMALL,  ['n'] = SMALL,  ['s'] = SMALL,
                     ['I'] = SMALL,  ['Z'] = SMALL,  ['c'] = SMALL,  ['S'] = WHOLE,  ['E'] = STREAM,
                     ['N'] = STREAM, ['A'] = STREAM, ['C'] = WHOLE,  ['D'] = STREAM, ['T'] = STREAM,
                     ['t'] = STREAM, ['d'] = STREAM, ['G'] = STREAM, ['H'] = STREAM, ['W'] = STREAM,
                     ['V'] = STREAM},
};

static uint32_t body_max(Treatment treatment, const WireLimits *limits)
{
    uint32_t max = limits->message_max > INT32_MAX ? INT32_MAX : limits->message_max;
    if (treatment == SMALL && max > SMALL_BODY)
        max = SMALL_BODY;
    else if (treatment == PASSWORD && max > WIRE_PASSWORD_MAX)
        max = WIRE_PASSWORD_MAX;
    else if (treatment == WHOLE && max > limits->whole_max)
        max = limits->whole_max;
    return max;
}

WireStatus wire_header(const void *bytes, size_t length, WireState state, const WireLimits *limits,
                       WireHeader *header, const char **reason)
{
    WireCursor cursor = wire_cursor(bytes, length);
    uint8_t type = wire_read_u8(&cursor);
    if (cursor.bad)
        return WIRE_MORE;
    Treatment treatment = type < 128 ? treatments[state][type] : NOT_ALLOWED;
    if (treatment == NOT_ALLOWED) {
        *reason = "unexpected message type";
        return WIRE_BAD;
    }
    uint32_t said = wire_read_u32(&cursor);
    if (cursor.bad)
        return WIRE_MORE;
    if (said < 4) {
        *reason = "message length is less than its own four bytes";
        return WIRE_BAD;
    }
    if (said - 4 > body_max(treatment, limits)) {
        *reason = "message is too long";
        return WIRE_BAD;
    }
    *header = (WireHeader){.type = (char)type, .stream = treatment == STREAM, .body = said - 4};
    return WIRE_READY;
}
