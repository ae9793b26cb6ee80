#include "pool/wire.h"

#include <assert.h>

#define CODE_CANCEL (1234U << 16 | 5678)
#define CODE_SSL    (1234U << 16 | 5679)

static void store_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void put_u16(Buffer *out, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    (void)buffer_append(out, bytes, sizeof(bytes));
}

static void put_u32(Buffer *out, uint32_t value)
{
    uint8_t bytes[4];
    store_u32(bytes, value);
    (void)buffer_append(out, bytes, sizeof(bytes));
}

static void put_string(Buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text) + 1);
}

/* Starts a message; type 0 for those of a connection's start, which have none. Returns where the
 * message begins, for end_message. */
static size_t begin_message(Buffer *out, char type)
{
    size_t start = out->length;
    if (type)
        (void)buffer_append_char(out, type);
    put_u32(out, 0);
    return start;
}

/* Writes the length, or takes back what there is of a message that the buffer had no room for. */
static void end_message(Buffer *out, char type, size_t start)
{
    size_t length_at = start + (type ? 1 : 0);
    size_t length = out->length - length_at;
    if (out->overflow || length > INT32_MAX) {
        out->overflow = true;
        out->length = start;
        if (out->capacity)
            out->data[start] = '\0';
        return;
    }
    store_u32((uint8_t *)out->data + length_at, (uint32_t)length);
}

void wire_put_message(Buffer *out, char type, const void *body, size_t length)
{
    size_t start = begin_message(out, type);
    (void)buffer_append(out, body, length);
    end_message(out, type, start);
}

void wire_put_empty(Buffer *out, char type)
{
    wire_put_message(out, type, "", 0);
}

void wire_put_text(Buffer *out, char type, const char *text)
{
    wire_put_message(out, type, text, strlen(text) + 1);
}

static void put_field(Buffer *out, char code, const char *text)
{
    if (!text || !text[0])
        return;
    (void)buffer_append_char(out, code);
    put_string(out, text);
}

void wire_put_error(Buffer *out, char type, const WireError *error)
{
    size_t start = begin_message(out, type);
    put_field(out, 'S', error->severity);
    put_field(out, 'V', error->severity);
    put_field(out, 'C', error->sqlstate[0] ? error->sqlstate : "XX000");
    put_field(out, 'M', error->message);
    put_field(out, 'D', error->detail);
    put_field(out, 'H', error->hint);
    put_field(out, 'W', error->where);
    (void)buffer_append_char(out, '\0');
    end_message(out, type, start);
}

void wire_put_parameter(Buffer *out, const char *name, const char *value)
{
    size_t start = begin_message(out, 'S');
    put_string(out, name);
    put_string(out, value);
    end_message(out, 'S', start);
}

void wire_put_ready(Buffer *out, char state)
{
    wire_put_message(out, 'Z', &state, 1);
}

void wire_put_backend_key(Buffer *out, uint32_t process_id, const uint8_t *key, size_t key_length)
{
    assert(key_length >= WIRE_KEY_MIN && key_length <= WIRE_KEY_MAX);
    size_t start = begin_message(out, 'K');
    put_u32(out, process_id);
    (void)buffer_append(out, key, key_length);
    end_message(out, 'K', start);
}

void wire_put_auth(Buffer *out, WireAuthCode code, const void *data, size_t length)
{
    size_t start = begin_message(out, 'R');
    put_u32(out, code);
    (void)buffer_append(out, data, length);
    end_message(out, 'R', start);
}

void wire_put_auth_sasl(Buffer *out, bool plus)
{
    size_t start = begin_message(out, 'R');
    put_u32(out, WIRE_AUTH_SASL);
    if (plus)
        put_string(out, "SCRAM-SHA-256-PLUS");
    put_string(out, "SCRAM-SHA-256");
    (void)buffer_append_char(out, '\0');
    end_message(out, 'R', start);
}

void wire_put_negotiate(Buffer *out, uint16_t minor, const WireStartup *startup)
{
    size_t start = begin_message(out, 'v');
    put_u32(out, 3U << 16 | minor);
    put_u32(out, startup->unknown_count);
    WireCursor parameters = startup->parameters;
    const char *name = NULL;
    while (wire_startup_unknown(&parameters, &name))
        put_string(out, name);
    end_message(out, 'v', start);
}

/* pg_type.typlen */
static uint16_t type_size(uint32_t type_oid)
{
    if (type_oid == WIRE_OID_INT4)
        return 4;
    return type_oid == WIRE_OID_INT8 ? 8 : UINT16_MAX;
}

void wire_put_row_description(Buffer *out, const WireField *fields, size_t count)
{
    assert(count <= INT16_MAX);
    size_t start = begin_message(out, 'T');
    put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        put_string(out, fields[i].name);
        put_u32(out, 0); /* of no table, */
        put_u16(out, 0); /* no column of one */
        put_u32(out, fields[i].type_oid);
        put_u16(out, type_size(fields[i].type_oid));
        put_u32(out, UINT32_MAX); /* no modifier */
        put_u16(out, 0);          /* text */
    }
    end_message(out, 'T', start);
}

void wire_put_data_row(Buffer *out, const char *const *values, size_t count)
{
    assert(count <= INT16_MAX);
    size_t start = begin_message(out, 'D');
    put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!values[i]) {
            put_u32(out, UINT32_MAX);
            continue;
        }
        size_t length = strlen(values[i]);
        put_u32(out, (uint32_t)length);
        (void)buffer_append(out, values[i], length);
    }
    end_message(out, 'D', start);
}

void wire_put_startup(Buffer *out, uint16_t minor, const WireSetting *settings, size_t count)
{
    size_t start = begin_message(out, 0);
    put_u32(out, 3U << 16 | minor);
    for (size_t i = 0; i < count; i++) {
        put_string(out, settings[i].name);
        put_string(out, settings[i].value);
    }
    (void)buffer_append_char(out, '\0');
    end_message(out, 0, start);
}

void wire_put_ssl_request(Buffer *out)
{
    size_t start = begin_message(out, 0);
    put_u32(out, CODE_SSL);
    end_message(out, 0, start);
}

void wire_put_cancel(Buffer *out, uint32_t process_id, const uint8_t *key, size_t key_length)
{
    assert(key_length >= WIRE_KEY_MIN && key_length <= WIRE_KEY_MAX);
    size_t start = begin_message(out, 0);
    put_u32(out, CODE_CANCEL);
    put_u32(out, process_id);
    (void)buffer_append(out, key, key_length);
    end_message(out, 0, start);
}

void wire_put_sasl_initial(Buffer *out, const char *mechanism, const void *data, size_t length)
{
    size_t start = begin_message(out, 'p');
    put_string(out, mechanism);
    put_u32(out, data ? (uint32_t)length : UINT32_MAX);
    (void)buffer_append(out, data, data ? length : 0);
    end_message(out, 'p', start);
}

void wire_put_parse(Buffer *out, const char *statement, const void *key, size_t key_length)
{
    size_t start = begin_message(out, 'P');
    put_string(out, statement);
    (void)buffer_append(out, key, key_length);
    end_message(out, 'P', start);
}

void wire_put_target(Buffer *out, char type, char kind, const char *name)
{
    size_t start = begin_message(out, type);
    (void)buffer_append_char(out, kind);
    put_string(out, name);
    end_message(out, type, start);
}

/* ---- Another name put in ---- */

static void add_part(WireSplice *splice, const void *bytes, size_t length)
{
    union { /* writev does not write to it */
        const void *from;
        void *to;
    } base = {.from = bytes};
    assert(splice->count < WIRE_SPLICE_PARTS);
    if (length)
        splice->parts[splice->count++] = (struct iovec){.iov_base = base.to, .iov_len = length};
}

/* Type and length; false where the body is longer than a message may be. */
static bool set_header(uint8_t *head, char type, size_t body)
{
    if (body > INT32_MAX - 4)
        return false;
    head[0] = (uint8_t)type;
    store_u32(head + 1, (uint32_t)body + 4);
    return true;
}

bool wire_splice_parse(const char *name, const void *key, size_t key_length,
                       uint8_t head[WIRE_SPLICE_HEAD], WireSplice *splice)
{
    size_t name_bytes = strlen(name) + 1;
    *splice = (WireSplice){0};
    if (name_bytes > WIRE_SPLICE_NAME + 1 || key_length > INT32_MAX ||
        !set_header(head, 'P', name_bytes + key_length))
        return false;
    memcpy(head + WIRE_HEADER_BYTES, name, name_bytes);
    add_part(splice, head, WIRE_HEADER_BYTES + name_bytes);
    add_part(splice, key, key_length);
    return true;
}

bool wire_splice_bind(const WireHeader *header, const WireBindNames *names, const void *body,
                      size_t available, const char *name, uint8_t head[WIRE_SPLICE_HEAD],
                      WireSplice *splice)
{
    size_t name_bytes = strlen(name) + 1;
    *splice = (WireSplice){0};
    if (name_bytes > WIRE_SPLICE_NAME + 1 || names->head > header->body ||
        names->head > available || available > header->body ||
        !set_header(head, 'B', header->body - (names->statement_length + 1) + name_bytes))
        return false;
    uint8_t *end = head + WIRE_HEADER_BYTES;
    if (names->portal_length) {
        add_part(splice, head, WIRE_HEADER_BYTES);
        add_part(splice, names->portal, names->portal_length + 1);
        memcpy(end, name, name_bytes);
        add_part(splice, end, name_bytes);
    } else { /* nearly every time */
        *end = '\0';
        memcpy(end + 1, name, name_bytes);
        add_part(splice, head, WIRE_HEADER_BYTES + 1 + name_bytes);
    }
    add_part(splice, (const uint8_t *)body + names->head, available - names->head);
    splice->consumed = available;
    return true;
}

bool wire_splice_target(char type, const char *name, uint8_t head[WIRE_SPLICE_HEAD],
                        WireSplice *splice)
{
    size_t name_bytes = strlen(name) + 1;
    *splice = (WireSplice){0};
    if (name_bytes > WIRE_SPLICE_NAME + 1 || !set_header(head, type, 1 + name_bytes))
        return false;
    head[WIRE_HEADER_BYTES] = 'S';
    memcpy(head + WIRE_HEADER_BYTES + 1, name, name_bytes);
    add_part(splice, head, WIRE_HEADER_BYTES + 1 + name_bytes);
    return true;
}
