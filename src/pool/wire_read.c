#include "pool/wire.h"

/* ---- From clients ---- */

bool wire_parse_read(const void *body, size_t length, WireParse *parse)
{
    WireCursor cursor = wire_cursor(body, length);
    *parse = (WireParse){.statement = wire_read_string(&cursor, NULL)};
    parse->key = cursor.at;
    parse->key_length = wire_left(&cursor);
    parse->query = wire_read_string(&cursor, NULL);
    parse->type_count = wire_read_u16(&cursor);
    parse->types = wire_read_bytes(&cursor, (size_t)parse->type_count * 4);
    return wire_finished(&cursor);
}

WireStatus wire_bind_names(const void *body, size_t length, size_t names_max, WireBindNames *names)
{
    WireCursor cursor = wire_cursor(body, length < names_max + 2 ? length : names_max + 2);
    *names = (WireBindNames){0};
    names->portal = wire_read_string(&cursor, &names->portal_length);
    names->statement = wire_read_string(&cursor, &names->statement_length);
    if (cursor.bad)
        return length < names_max + 2 ? WIRE_MORE : WIRE_BAD;
    names->head = names->portal_length + names->statement_length + 2;
    return WIRE_READY;
}

/* Formats are none, one for all, or one each. */
static bool formats_fit(const uint8_t *formats, uint16_t count, uint16_t values)
{
    if (count > 1 && count != values)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (formats[2 * i] != 0 || formats[2 * i + 1] > 1)
            return false;
    }
    return true;
}

/* A length of -1 is NULL, without bytes. */
static const uint8_t *read_value(WireCursor *cursor, size_t *length)
{
    uint32_t said = wire_read_u32(cursor);
    *length = 0;
    if (said == UINT32_MAX)
        return NULL;
    const uint8_t *value = wire_read_bytes(cursor, said);
    if (value)
        *length = said;
    return value;
}

bool wire_bind_read(const void *body, size_t length, WireBind *bind)
{
    WireCursor cursor = wire_cursor(body, length);
    *bind = (WireBind){0};
    if (wire_bind_names(body, length, length, &bind->names) != WIRE_READY)
        return false;
    (void)wire_read_bytes(&cursor, bind->names.head);
    uint16_t format_count = wire_read_u16(&cursor);
    const uint8_t *formats = wire_read_bytes(&cursor, (size_t)format_count * 2);
    bind->parameter_count = wire_read_u16(&cursor);
    for (size_t i = 0; i < bind->parameter_count && !cursor.bad; i++) {
        size_t ignored = 0;
        (void)read_value(&cursor, &ignored);
    }
    bind->result_format_count = wire_read_u16(&cursor);
    bind->result_formats = wire_read_bytes(&cursor, (size_t)bind->result_format_count * 2);
    return wire_finished(&cursor) && formats_fit(formats, format_count, bind->parameter_count) &&
           formats_fit(bind->result_formats, bind->result_format_count, bind->result_format_count);
}

bool wire_target_read(const void *body, size_t length, WireTarget *target)
{
    WireCursor cursor = wire_cursor(body, length);
    target->kind = (char)wire_read_u8(&cursor);
    target->name = wire_read_string(&cursor, NULL);
    return wire_finished(&cursor) && (target->kind == 'S' || target->kind == 'P');
}

bool wire_execute_read(const void *body, size_t length, WireExecute *execute)
{
    WireCursor cursor = wire_cursor(body, length);
    execute->portal = wire_read_string(&cursor, NULL);
    execute->row_max = wire_read_u32(&cursor);
    return wire_finished(&cursor);
}

bool wire_text_read(const void *body, size_t length, const char **text)
{
    WireCursor cursor = wire_cursor(body, length);
    *text = wire_read_string(&cursor, NULL);
    return wire_finished(&cursor);
}

bool wire_sasl_initial_read(const void *body, size_t length, WireSaslInitial *initial)
{
    WireCursor cursor = wire_cursor(body, length);
    initial->mechanism = wire_read_string(&cursor, NULL);
    initial->data = read_value(&cursor, &initial->data_length);
    return wire_finished(&cursor);
}

/* ---- From servers ---- */

static bool is_sqlstate(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z')))
            return false;
    }
    return length == 5;
}

static void take_field(WireError *error, char code, const char *text, size_t length,
                       const char **translated)
{
    switch (code) {
    case 'S':
        *translated = text;
        break;
    case 'V':
        error->severity = text;
        break;
    case 'C':
        if (is_sqlstate(text, length))
            memcpy(error->sqlstate, text, length);
        break;
    case 'M':
        error->message = text;
        break;
    case 'D':
        error->detail = text;
        break;
    case 'H':
        error->hint = text;
        break;
    case 'W':
        error->where = text;
        break;
    default: /* others are to be ignored, the protocol says */
        break;
    }
}

static void read_fields(WireCursor *cursor, WireError *error)
{
    const char *translated = "";
    *error = (WireError){.severity = "", .message = "", .detail = "", .hint = "", .where = ""};
    for (;;) {
        size_t length = 0;
        uint8_t code = wire_read_u8(cursor);
        const char *text = code ? wire_read_string(cursor, &length) : "";
        if (code == 0 || cursor->bad)
            break;
        take_field(error, (char)code, text, length, &translated);
    }
    if (!error->severity[0])
        error->severity = translated;
}

bool wire_error_read(const void *body, size_t length, WireError *error)
{
    WireCursor cursor = wire_cursor(body, length);
    read_fields(&cursor, error);
    return wire_finished(&cursor);
}

void wire_error_peek(const void *body, size_t available, WireError *error)
{
    WireCursor cursor = wire_cursor(body, available);
    read_fields(&cursor, error);
}

bool wire_parameter_read(const void *body, size_t length, const char **name, const char **value)
{
    WireCursor cursor = wire_cursor(body, length);
    *name = wire_read_string(&cursor, NULL);
    *value = wire_read_string(&cursor, NULL);
    return wire_finished(&cursor);
}

bool wire_ready_read(const void *body, size_t length, char *state)
{
    WireCursor cursor = wire_cursor(body, length);
    *state = (char)wire_read_u8(&cursor);
    return wire_finished(&cursor) && (*state == 'I' || *state == 'T' || *state == 'E');
}

bool wire_backend_key_read(const void *body, size_t length, WireBackendKey *key)
{
    WireCursor cursor = wire_cursor(body, length);
    key->process_id = wire_read_u32(&cursor);
    key->key_length = wire_left(&cursor);
    key->key = wire_read_bytes(&cursor, key->key_length);
    return wire_finished(&cursor) && key->key_length >= WIRE_KEY_MIN &&
           key->key_length <= WIRE_KEY_MAX;
}

/* A list of names, ended by an empty one. */
static void read_mechanisms(WireCursor *cursor, WireAuth *auth)
{
    for (;;) {
        size_t length = 0;
        const char *name = wire_read_string(cursor, &length);
        if (length == 0)
            return;
        auth->scram_sha_256 |= strcmp(name, "SCRAM-SHA-256") == 0;
        auth->scram_plus |= strcmp(name, "SCRAM-SHA-256-PLUS") == 0;
    }
}

bool wire_auth_read(const void *body, size_t length, WireAuth *auth)
{
    WireCursor cursor = wire_cursor(body, length);
    *auth = (WireAuth){.code = wire_read_u32(&cursor)};
    switch (auth->code) {
    case WIRE_AUTH_MD5:
        auth->salt = wire_read_bytes(&cursor, WIRE_SALT_BYTES);
        break;
    case WIRE_AUTH_SASL:
        read_mechanisms(&cursor, auth);
        break;
    case WIRE_AUTH_OK:
    case WIRE_AUTH_PASSWORD:
        break;
    default:
        auth->data_length = wire_left(&cursor);
        auth->data = wire_read_bytes(&cursor, auth->data_length);
        break;
    }
    return wire_finished(&cursor);
}

bool wire_negotiate_read(const void *body, size_t length, WireNegotiate *negotiate)
{
    WireCursor cursor = wire_cursor(body, length);
    negotiate->version = wire_read_u32(&cursor);
    negotiate->option_count = wire_read_u32(&cursor);
    negotiate->options = cursor;
    for (uint32_t i = 0; i < negotiate->option_count && !cursor.bad; i++)
        (void)wire_read_string(&cursor, NULL);
    return wire_finished(&cursor);
}

static void read_column(WireCursor *cursor, WireColumn *column)
{
    column->name = wire_read_string(cursor, NULL);
    column->table_oid = wire_read_u32(cursor);
    column->attribute = wire_read_u16(cursor);
    column->type_oid = wire_read_u32(cursor);
    column->type_size = wire_read_u16(cursor);
    column->type_modifier = wire_read_u32(cursor);
    column->format = wire_read_u16(cursor);
}

bool wire_row_description_read(const void *body, size_t length, WireColumns *columns)
{
    WireCursor cursor = wire_cursor(body, length);
    columns->count = wire_read_u16(&cursor);
    columns->cursor = cursor;
    for (size_t i = 0; i < columns->count && !cursor.bad; i++) {
        WireColumn column;
        read_column(&cursor, &column);
    }
    return wire_finished(&cursor);
}

bool wire_column_next(WireColumns *columns, WireColumn *column)
{
    if (wire_left(&columns->cursor) == 0)
        return false;
    read_column(&columns->cursor, column);
    return !columns->cursor.bad;
}

bool wire_data_row_read(const void *body, size_t length, WireColumns *columns)
{
    WireCursor cursor = wire_cursor(body, length);
    columns->count = wire_read_u16(&cursor);
    columns->cursor = cursor;
    for (size_t i = 0; i < columns->count && !cursor.bad; i++) {
        size_t ignored = 0;
        (void)read_value(&cursor, &ignored);
    }
    return wire_finished(&cursor);
}

bool wire_value_next(WireColumns *columns, const uint8_t **value, size_t *length)
{
    if (wire_left(&columns->cursor) == 0)
        return false;
    *value = read_value(&columns->cursor, length);
    return !columns->cursor.bad;
}

bool wire_copy_read(const void *body, size_t length, WireCopy *copy)
{
    WireCursor cursor = wire_cursor(body, length);
    copy->format = wire_read_u8(&cursor);
    copy->column_count = wire_read_u16(&cursor);
    (void)wire_read_bytes(&cursor, (size_t)copy->column_count * 2);
    return wire_finished(&cursor) && copy->format <= 1;
}
