#include "fuzz.h"

#include "pool/wire.h"

#include <assert.h>
#include <string.h>

/* The first byte says who talks; 4 and more: the start of a connection. */

static void try_startup(const uint8_t *data, size_t size)
{
    WireStartup startup;
    const char *reason = NULL;
    WireStatus status = wire_startup_read(data, size, &startup, &reason);
    assert((status == WIRE_BAD) == (reason != NULL));
    if (status != WIRE_READY)
        return;
    assert(startup.length <= size && startup.length <= WIRE_STARTUP_MAX);
    if (startup.kind != WIRE_STARTUP_SESSION)
        return;
    const char *name = NULL;
    const char *value = NULL;
    _cleanup_buffer_ Buffer answer;
    WireNegotiate negotiate;
    buffer_init(&answer, BUFFER_MAX_LINE);
    WireCursor parameters = startup.parameters;
    while (wire_startup_next(&parameters, &name, &value))
        assert(name[0] && value[strlen(value)] == '\0');
    assert(!parameters.bad);
    wire_put_negotiate(&answer, 2, &startup);
    assert(wire_negotiate_read(answer.data + WIRE_HEADER_BYTES, answer.length - WIRE_HEADER_BYTES,
                               &negotiate));
    assert(negotiate.option_count == startup.unknown_count);
}

static void try_options(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    _cleanup_buffer_ Buffer name;
    _cleanup_buffer_ Buffer value;
    buffer_init(&name, 64);
    buffer_init(&value, 64);
    const char *at = text;
    while (text && wire_options_next(&at, &name, &value) == WIRE_READY)
        assert(name.length > 0);
}

/* What a splice makes is a Bind of the new name with everything else as it was. */
static void try_bind(const WireHeader *header, const uint8_t *body)
{
    WireBindNames names;
    WireBindNames again;
    WireBind bind;
    WireSplice splice;
    uint8_t head[WIRE_SPLICE_HEAD];
    bool whole = wire_bind_read(body, header->body, &bind);
    WireStatus status = wire_bind_names(body, header->body, 1000, &names);
    if (status != WIRE_READY)
        return;
    assert(wire_splice_bind(header, &names, body, header->body, "PGBOUNCER_1", head, &splice));
    assert(splice.consumed == header->body);
    _cleanup_buffer_ Buffer made;
    buffer_init(&made, BUFFER_MAX_LINE);
    for (int i = 0; i < splice.count; i++)
        (void)buffer_append(&made, splice.parts[i].iov_base, splice.parts[i].iov_len);
    const uint8_t *rest = (const uint8_t *)made.data + WIRE_HEADER_BYTES;
    size_t length = made.length - WIRE_HEADER_BYTES;
    assert(wire_bind_read(rest, length, &bind) == whole);
    assert(wire_bind_names(rest, length, 1100, &again) == WIRE_READY);
    assert(strcmp(again.portal, names.portal) == 0);
    assert(strcmp(again.statement, "PGBOUNCER_1") == 0);
    assert(length - again.head == header->body - names.head);
    assert(memcmp(rest + again.head, body + names.head, length - again.head) == 0);
}

static void try_parse(const uint8_t *body, size_t length)
{
    WireParse parse;
    WireParse again;
    _cleanup_buffer_ Buffer made;
    buffer_init(&made, BUFFER_MAX_LINE);
    if (!wire_parse_read(body, length, &parse))
        return;
    wire_put_parse(&made, "x", parse.key, parse.key_length);
    assert(wire_parse_read(made.data + WIRE_HEADER_BYTES, made.length - WIRE_HEADER_BYTES, &again));
    assert(again.type_count == parse.type_count && strcmp(again.query, parse.query) == 0);
}

static void try_columns(const uint8_t *body, size_t length)
{
    WireColumns columns;
    WireColumn column;
    const uint8_t *value = NULL;
    size_t value_length = 0;
    size_t count = 0;
    if (wire_row_description_read(body, length, &columns)) {
        while (wire_column_next(&columns, &column))
            count++;
        assert(count == columns.count);
    }
    count = 0;
    if (wire_data_row_read(body, length, &columns)) {
        while (wire_value_next(&columns, &value, &value_length))
            count++;
        assert(count == columns.count);
    }
}

/* Every reader gets every body: none may trust that its type was right. */
static void try_body(const WireHeader *header, const uint8_t *body)
{
    union {
        WireTarget target;
        WireExecute execute;
        WireSaslInitial initial;
        WireBackendKey key;
        WireAuth auth;
        WireNegotiate negotiate;
        WireCopy copy;
    } any;
    WireError error;
    const char *text = NULL;
    const char *other = NULL;
    char state = 0;
    size_t length = header->body;
    (void)!wire_target_read(body, length, &any.target);
    (void)!wire_execute_read(body, length, &any.execute);
    (void)!wire_sasl_initial_read(body, length, &any.initial);
    (void)!wire_backend_key_read(body, length, &any.key);
    (void)!wire_auth_read(body, length, &any.auth);
    (void)!wire_negotiate_read(body, length, &any.negotiate);
    (void)!wire_copy_read(body, length, &any.copy);
    (void)!wire_text_read(body, length, &text);
    (void)!wire_parameter_read(body, length, &text, &other);
    (void)!wire_ready_read(body, length, &state);
    wire_error_peek(body, length, &error);
    assert(strlen(error.sqlstate) % 5 == 0 && error.message && error.severity);
    if (wire_error_read(body, length, &error))
        assert(error.detail && error.hint && error.where);
    try_columns(body, length);
    try_parse(body, length);
    try_bind(header, body);
}

static void try_stream(WireState state, const uint8_t *data, size_t size)
{
    WireHeader header;
    const char *reason = NULL;
    while (wire_header(data, size, state, &WIRE_LIMITS_DEFAULT, &header, &reason) == WIRE_READY) {
        data += WIRE_HEADER_BYTES;
        size -= WIRE_HEADER_BYTES;
        if (header.body > size)
            return;
        _cleanup_free_ uint8_t *body = malloc(header.body ? header.body : 1);
        if (!body)
            abort();
        memcpy(body, data, header.body);
        try_body(&header, body);
        data += header.body;
        size -= header.body;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] < WIRE_STATES) {
        try_stream((WireState)data[0], data + 1, size - 1);
    } else {
        try_startup(data + 1, size - 1);
        try_options(data + 1, size - 1);
    }
    return 0;
}
