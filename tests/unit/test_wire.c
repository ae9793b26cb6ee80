#include "unit.h"

#include "pool/wire.h"

static Buffer out;

static int set_up(UNUSED void **state)
{
    buffer_init(&out, BUFFER_MAX_LINE);
    return 0;
}

static int tear_down(UNUSED void **state)
{
    buffer_free(&out);
    return 0;
}

static const uint8_t *body(void)
{
    return (const uint8_t *)out.data + WIRE_HEADER_BYTES;
}

static size_t body_length(void)
{
    assert_true(out.length >= WIRE_HEADER_BYTES);
    return out.length - WIRE_HEADER_BYTES;
}

/* What stands in out is one message of this type, and its length is right. */
static void is_message(WireState side, char type)
{
    WireHeader header;
    const char *reason = NULL;
    assert_int_equal(
        wire_header(out.data, out.length, side, &WIRE_LIMITS_DEFAULT, &header, &reason),
        WIRE_READY);
    assert_int_equal(header.type, type);
    assert_int_equal(header.body, body_length());
}

static void a_cursor_never_passes_its_end(UNUSED void **state)
{
    WireCursor cursor = wire_cursor("\x01\x02\x03", 3);
    assert_int_equal(wire_read_u16(&cursor), 0x0102);
    assert_int_equal(wire_read_u32(&cursor), 0);
    assert_true(cursor.bad);
    assert_int_equal(wire_read_u8(&cursor), 0); /* though one byte was left */
    assert_null(wire_read_bytes(&cursor, 1));
    assert_string_equal(wire_read_string(&cursor, NULL), "");
    assert_false(wire_finished(&cursor));

    cursor = wire_cursor(NULL, 0);
    assert_true(wire_finished(&cursor));
    assert_null(wire_read_bytes(&cursor, SIZE_MAX));
    cursor = wire_cursor("abc", 3); /* no NUL */
    assert_string_equal(wire_read_string(&cursor, NULL), "");
    assert_true(cursor.bad);
}

static WireStatus header_of(const char *bytes, size_t length, WireState side)
{
    const WireLimits limits = {.message_max = 1 << 20, .whole_max = 20000};
    WireHeader header;
    const char *reason = NULL;
    WireStatus status = wire_header(bytes, length, side, &limits, &header, &reason);
    assert_true((status == WIRE_BAD) == (reason != NULL));
    return status;
}

static void a_header_is_judged_by_who_sends_it(UNUSED void **state)
{
    assert_int_equal(header_of("", 0, WIRE_CLIENT), WIRE_MORE);
    assert_int_equal(header_of("Q", 1, WIRE_CLIENT), WIRE_MORE);
    assert_int_equal(header_of("Q\0\0\0", 4, WIRE_CLIENT), WIRE_MORE);
    assert_int_equal(header_of("Q\0\0\0\x04", 5, WIRE_CLIENT), WIRE_READY);
    assert_int_equal(header_of("Q", 1, WIRE_CLIENT_LOGIN), WIRE_BAD);
    assert_int_equal(header_of("Z", 1, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("p", 1, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("T", 1, WIRE_SERVER_LOGIN), WIRE_BAD);
    assert_int_equal(header_of("\xD1", 1, WIRE_SERVER), WIRE_BAD);
    assert_int_equal(header_of("\0", 1, WIRE_SERVER), WIRE_BAD);
}

static void lengths_have_limits_by_message(UNUSED void **state)
{
    assert_int_equal(header_of("Q\0\0\0\x03", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("Q\xFF\xFF\xFF\xFF", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("Q\x80\0\0\x04", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("Q\0\x10\0\x04", 5, WIRE_CLIENT), WIRE_READY);
    assert_int_equal(header_of("Q\0\x10\0\x05", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("P\0\0\x4E\x24", 5, WIRE_CLIENT), WIRE_READY); /* 20,000 */
    assert_int_equal(header_of("P\0\0\x4E\x25", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("D\0\0\x27\x14", 5, WIRE_CLIENT), WIRE_READY); /* 10,000 */
    assert_int_equal(header_of("D\0\0\x27\x15", 5, WIRE_CLIENT), WIRE_BAD);
    assert_int_equal(header_of("p\0\x01\0\x03", 5, WIRE_CLIENT_LOGIN), WIRE_READY); /* 65,535 */
    assert_int_equal(header_of("p\0\x01\0\x04", 5, WIRE_CLIENT_LOGIN), WIRE_BAD);
}

/* ---- Startup ---- */

static WireStatus startup_of(const void *bytes, size_t length, WireStartup *startup)
{
    const char *reason = NULL;
    WireStatus status = wire_startup_read(bytes, length, startup, &reason);
    assert_true((status == WIRE_BAD) == (reason != NULL));
    return status;
}

static void a_startup_packet_comes_back(UNUSED void **state)
{
    const WireSetting settings[] = {
        {"user", "ada"}, {"_pq_.grease", "1"}, {"database", "vax"}, {"user", "eve"}, {"empty", ""}};
    WireStartup startup;
    wire_put_startup(&out, 2, settings, COUNT_OF(settings));
    for (size_t i = 0; i < out.length; i++)
        assert_int_equal(startup_of(out.data, i, &startup), WIRE_MORE);
    assert_int_equal(startup_of(out.data, out.length, &startup), WIRE_READY);
    assert_int_equal(startup.kind, WIRE_STARTUP_SESSION);
    assert_int_equal(startup.length, out.length);
    assert_int_equal(startup.minor, 2);
    assert_string_equal(wire_startup_get(&startup, "user"), "eve");
    assert_string_equal(wire_startup_get(&startup, "empty"), "");
    assert_null(wire_startup_get(&startup, "options"));
    assert_int_equal(startup.unknown_count, 1);

    WireCursor parameters = startup.parameters;
    const char *name = NULL;
    const char *value = NULL;
    size_t count = 0;
    while (wire_startup_next(&parameters, &name, &value)) {
        assert_string_equal(name, settings[count].name);
        assert_string_equal(value, settings[count++].value);
    }
    assert_int_equal(count, COUNT_OF(settings));

    _cleanup_buffer_ Buffer answer;
    WireNegotiate negotiate;
    buffer_init(&answer, 1000);
    wire_put_negotiate(&answer, 0, &startup);
    assert_true(wire_negotiate_read(answer.data + WIRE_HEADER_BYTES,
                                    answer.length - WIRE_HEADER_BYTES, &negotiate));
    assert_int_equal(negotiate.version, 3 << 16);
    assert_int_equal(negotiate.option_count, 1);
    assert_string_equal(wire_read_string(&negotiate.options, NULL), "_pq_.grease");
}

static void versions_are_negotiated_downwards(UNUSED void **state)
{
    assert_int_equal(wire_startup_minor(&(WireStartup){.minor = 0}, 2), 0);
    assert_int_equal(wire_startup_minor(&(WireStartup){.minor = 1}, 2), 0);
    assert_int_equal(wire_startup_minor(&(WireStartup){.minor = 2}, 2), 2);
    assert_int_equal(wire_startup_minor(&(WireStartup){.minor = 9999}, 2), 2);
    assert_int_equal(wire_startup_minor(&(WireStartup){.minor = 2}, 0), 0);
}

static void requests_before_a_session(UNUSED void **state)
{
    WireStartup startup;
    uint8_t key[WIRE_KEY_MAX];
    memset(key, 7, sizeof(key));
    wire_put_ssl_request(&out);
    assert_true(buffer_append_str(&out, "more"));
    assert_int_equal(startup_of(out.data, out.length, &startup), WIRE_READY);
    assert_int_equal(startup.kind, WIRE_STARTUP_SSL);
    assert_int_equal(startup.length, 8); /* so that what follows is seen */
    assert_int_equal(startup_of("\0\0\0\x08\x04\xd2\x16\x30", 8, &startup), WIRE_READY);
    assert_int_equal(startup.kind, WIRE_STARTUP_GSSENC);

    for (size_t length = WIRE_KEY_MIN; length <= WIRE_KEY_MAX; length += 84) {
        buffer_clear(&out);
        wire_put_cancel(&out, 4711, key, length);
        assert_int_equal(startup_of(out.data, out.length - 1, &startup), WIRE_MORE);
        assert_int_equal(startup_of(out.data, out.length, &startup), WIRE_READY);
        assert_int_equal(startup.kind, WIRE_STARTUP_CANCEL);
        assert_int_equal(startup.process_id, 4711);
        assert_int_equal(startup.key_length, length);
        assert_memory_equal(startup.key, key, length);
    }
}

static void bad_startups_are_refused(UNUSED void **state)
{
    static const struct {
        size_t length;
        const char *bytes;
    } cases[] = {
        {1, "G"},                                     /* GET / HTTP/1.1 */
        {4, "\0\0\0\x07"},                            /* shorter than any */
        {4, "\0\0\x27\x11"},                          /* 10,001 */
        {4, "\0\x01\0\x08"},                          /* */
        {8, "\0\0\0\x08\0\x02\0\0"},                  /* version 2 */
        {8, "\0\0\0\x08\0\x04\0\0"},                  /* version 4 */
        {8, "\0\0\0\x08\0\x03\0\0"},                  /* no terminator */
        {9, "\0\0\0\x09\0\x03\0\0u"},                 /* a name without an end */
        {11, "\0\0\0\x0b\0\x03\0\0u\0v"},             /* a value without an end */
        {12, "\0\0\0\x0c\0\x03\0\0u\0v\0"},           /* no terminator after a pair */
        {10, "\0\0\0\x0a\0\x03\0\0\0x"},              /* something after the terminator */
        {9, "\0\0\0\x09\x04\xd2\x16\x2fx"},           /* SSLRequest with a body */
        {12, "\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\1"},   /* a cancel without a key */
        {15, "\0\0\0\x0f\x04\xd2\x16\x2e\0\0\0\1abc"} /* one with a key of three bytes */
    };
    WireStartup startup;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(startup_of(cases[i].bytes, cases[i].length, &startup), WIRE_BAD);
    uint8_t long_key[12 + WIRE_KEY_MAX + 1] = "\0\0\x01\x0d\x04\xd2\x16\x2e";
    assert_int_equal(startup_of(long_key, sizeof(long_key), &startup), WIRE_BAD);
}

static void options_are_split_into_settings(UNUSED void **state)
{
    _cleanup_buffer_ Buffer name;
    _cleanup_buffer_ Buffer value;
    buffer_init(&name, 100);
    buffer_init(&value, 100);
    const char *at = " -c  a=1 -cb=2\t--search-path=x\\ y=z\\\\ --empty= ";
    static const char *const expected[][2] = {
        {"a", "1"}, {"b", "2"}, {"search_path", "x y=z\\"}, {"empty", ""}};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(wire_options_next(&at, &name, &value), WIRE_READY);
        assert_string_equal(name.data, expected[i][0]);
        assert_string_equal(value.data, expected[i][1]);
    }
    assert_int_equal(wire_options_next(&at, &name, &value), WIRE_MORE);
    static const char *const refused[] = {"-c", "-c a", "--a", "-d 5", "a=1", "--=1", "-", "\\"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        at = refused[i];
        assert_int_equal(wire_options_next(&at, &name, &value), WIRE_BAD);
    }
}

/* ---- Bodies ---- */

static const char parse_key[] = "select $1\0\0\1\0\0\0\x17";

static void a_parse_comes_back(UNUSED void **state)
{
    WireParse parse;
    wire_put_parse(&out, "name", parse_key, sizeof(parse_key) - 1);
    is_message(WIRE_CLIENT, 'P');
    assert_true(wire_parse_read(body(), body_length(), &parse));
    assert_string_equal(parse.statement, "name");
    assert_string_equal(parse.query, "select $1");
    assert_int_equal(parse.type_count, 1);
    assert_memory_equal(parse.types, "\0\0\0\x17", 4);
    assert_int_equal(parse.key_length, sizeof(parse_key) - 1);
    assert_memory_equal(parse.key, parse_key, sizeof(parse_key) - 1);
    for (size_t i = 0; i < body_length(); i++)
        assert_false(wire_parse_read(body(), i, &parse));
    assert_true(buffer_append_char(&out, 'x'));
    assert_false(wire_parse_read(body(), body_length(), &parse));
}

/* portal p, statement s, one parameter "vw" in binary, results in text */
static const char bind_body[] = "p\0s\0\0\1\0\1\0\1\0\0\0\2vw\0\1\0\0";

static void a_bind_is_read_whole_or_by_its_names(UNUSED void **state)
{
    WireBind bind;
    WireBindNames names;
    size_t length = sizeof(bind_body) - 1;
    assert_true(wire_bind_read(bind_body, length, &bind));
    assert_string_equal(bind.names.portal, "p");
    assert_string_equal(bind.names.statement, "s");
    assert_int_equal(bind.parameter_count, 1);
    assert_int_equal(bind.result_format_count, 1);
    for (size_t i = 0; i < length; i++) {
        assert_false(wire_bind_read(bind_body, i, &bind));
        assert_int_equal(wire_bind_names(bind_body, i, 100, &names),
                         i < 4 ? WIRE_MORE : WIRE_READY);
    }
    assert_int_equal(names.head, 4);
    assert_int_equal(wire_bind_names(bind_body, length, 2, &names), WIRE_READY);
    assert_int_equal(wire_bind_names(bind_body, length, 1, &names), WIRE_BAD);
    assert_true(wire_bind_read("\0\0\0\0\0\1\xFF\xFF\xFF\xFF\0\0", 12, &bind)); /* NULL */
    assert_false(wire_bind_read("\0\0\0\0\0\1\xFF\xFF\xFF\xFE\0\0", 12, &bind));
    assert_false(wire_bind_read("\0\0\0\1\0\2\0\0\0\0", 10, &bind));     /* no such format */
    assert_false(wire_bind_read("\0\0\0\2\0\0\0\0\0\0\0\0", 12, &bind)); /* two for none */
}

static void small_bodies(UNUSED void **state)
{
    WireTarget target;
    WireExecute execute;
    WireSaslInitial initial;
    const char *text = NULL;
    wire_put_target(&out, 'D', 'S', "x");
    is_message(WIRE_CLIENT, 'D');
    assert_true(wire_target_read(body(), body_length(), &target));
    assert_int_equal(target.kind, 'S');
    assert_string_equal(target.name, "x");
    assert_false(wire_target_read("Qx", 3, &target));
    assert_false(wire_target_read("S", 1, &target));
    assert_true(wire_execute_read("\0\0\0\1\0", 5, &execute));
    assert_int_equal(execute.row_max, 256);
    assert_false(wire_execute_read("\0\0\0\1", 4, &execute));
    assert_true(wire_text_read("select", 7, &text));
    assert_false(wire_text_read("select", 6, &text));
    assert_false(wire_text_read("a\0b", 4, &text));

    buffer_clear(&out);
    wire_put_sasl_initial(&out, "M", "n,,", 3);
    is_message(WIRE_CLIENT_LOGIN, 'p');
    assert_true(wire_sasl_initial_read(body(), body_length(), &initial));
    assert_string_equal(initial.mechanism, "M");
    assert_int_equal(initial.data_length, 3);
    assert_memory_equal(initial.data, "n,,", 3);
    buffer_clear(&out);
    wire_put_sasl_initial(&out, "M", NULL, 0);
    assert_true(wire_sasl_initial_read(body(), body_length(), &initial));
    assert_null(initial.data);
    assert_false(wire_sasl_initial_read("M\0\0\0\0\2x", 7, &initial));
}

static void an_error_comes_back(UNUSED void **state)
{
    const WireError sent = {.severity = "FATAL",
                            .sqlstate = "08P01",
                            .message = "no such database: x",
                            .hint = "try another"};
    WireError error;
    wire_put_error(&out, 'E', &sent);
    is_message(WIRE_SERVER, 'E');
    assert_true(wire_error_read(body(), body_length(), &error));
    assert_string_equal(error.severity, "FATAL");
    assert_string_equal(error.sqlstate, "08P01");
    assert_string_equal(error.message, "no such database: x");
    assert_string_equal(error.hint, "try another");
    assert_string_equal(error.detail, "");
    assert_string_equal(error.where, "");
    assert_false(wire_error_read(body(), body_length() - 1, &error));
    wire_error_peek(body(), 30, &error);
    assert_string_equal(error.sqlstate, "08P01");
    assert_string_equal(error.message, "");
}

static void a_server_s_error_need_not_make_sense(UNUSED void **state)
{
    WireError error;
    assert_true(wire_error_read("", 1, &error));
    assert_string_equal(error.sqlstate, "");
    assert_string_equal(error.message, "");
    assert_string_equal(error.severity, "");
    assert_true(wire_error_read("C123456\0SFEHLER\0", 17, &error));
    assert_string_equal(error.sqlstate, "");
    assert_string_equal(error.severity, "FEHLER");
    assert_true(wire_error_read("C4 001\0", 8, &error));
    assert_string_equal(error.sqlstate, "");
    assert_false(wire_error_read("", 0, &error));
    assert_false(wire_error_read("Mx", 2, &error));
    wire_put_error(&out, 'E', &error); /* never without an SQLSTATE */
    assert_true(wire_error_read(body(), body_length(), &error));
    assert_string_equal(error.sqlstate, "XX000");
}

static void what_a_server_says_at_login(UNUSED void **state)
{
    WireAuth auth;
    WireBackendKey key;
    const char *name = NULL;
    const char *value = NULL;
    char transaction = 0;
    wire_put_auth_sasl(&out, true);
    is_message(WIRE_SERVER_LOGIN, 'R');
    assert_true(wire_auth_read(body(), body_length(), &auth));
    assert_true(auth.scram_sha_256 && auth.scram_plus);
    assert_false(wire_auth_read(body(), body_length() - 1, &auth));
    buffer_clear(&out);
    wire_put_auth_sasl(&out, false);
    assert_true(wire_auth_read(body(), body_length(), &auth));
    assert_true(auth.scram_sha_256 && !auth.scram_plus);
    buffer_clear(&out);
    wire_put_auth(&out, WIRE_AUTH_MD5, "salt", 4);
    assert_true(wire_auth_read(body(), body_length(), &auth));
    assert_memory_equal(auth.salt, "salt", 4);
    assert_false(wire_auth_read(body(), body_length() - 1, &auth));
    assert_false(wire_auth_read("\0\0\0\0x", 5, &auth));
    buffer_clear(&out);
    wire_put_backend_key(&out, 9, (const uint8_t *)"12345", 5);
    is_message(WIRE_SERVER_LOGIN, 'K');
    assert_true(wire_backend_key_read(body(), body_length(), &key));
    assert_int_equal(key.process_id, 9);
    assert_int_equal(key.key_length, 5);
    assert_false(wire_backend_key_read(body(), 7, &key));
    buffer_clear(&out);
    wire_put_parameter(&out, "TimeZone", "UTC");
    assert_true(wire_parameter_read(body(), body_length(), &name, &value));
    assert_string_equal(name, "TimeZone");
    assert_string_equal(value, "UTC");
    assert_false(wire_parameter_read(body(), body_length() - 1, &name, &value));
    assert_true(wire_ready_read("T", 1, &transaction));
    assert_false(wire_ready_read("X", 1, &transaction));
    assert_false(wire_ready_read("II", 2, &transaction));
    assert_false(wire_ready_read("", 0, &transaction));
}

static void rows_come_back(UNUSED void **state)
{
    const WireField fields[] = {{"name", WIRE_OID_TEXT}, {"count", WIRE_OID_INT4}};
    const char *const values[] = {"pool", NULL, ""};
    WireColumns columns;
    WireColumn column;
    const uint8_t *value = NULL;
    size_t length = 0;
    wire_put_row_description(&out, fields, 2);
    is_message(WIRE_SERVER, 'T');
    assert_true(wire_row_description_read(body(), body_length(), &columns));
    assert_true(wire_column_next(&columns, &column));
    assert_string_equal(column.name, "name");
    assert_int_equal(column.type_oid, 25);
    assert_int_equal(column.type_size, 0xFFFF);
    assert_true(wire_column_next(&columns, &column));
    assert_int_equal(column.type_size, 4);
    assert_false(wire_column_next(&columns, &column));
    assert_false(wire_row_description_read(body(), body_length() - 1, &columns));

    buffer_clear(&out);
    wire_put_data_row(&out, values, 3);
    is_message(WIRE_SERVER, 'D');
    assert_true(wire_data_row_read(body(), body_length(), &columns));
    assert_int_equal(columns.count, 3);
    assert_true(wire_value_next(&columns, &value, &length));
    assert_int_equal(length, 4);
    assert_memory_equal(value, "pool", 4);
    assert_true(wire_value_next(&columns, &value, &length));
    assert_null(value);
    assert_true(wire_value_next(&columns, &value, &length));
    assert_non_null(value);
    assert_int_equal(length, 0);
    assert_false(wire_value_next(&columns, &value, &length));
    assert_false(wire_data_row_read("\0\1\0\0\0\5abc", 9, &columns));
    WireCopy copy;
    assert_true(wire_copy_read("\0\0\1\0\0", 5, &copy));
    assert_false(wire_copy_read("\0\0\1\0", 4, &copy));
}

static void a_full_buffer_holds_whole_messages(UNUSED void **state)
{
    _cleanup_buffer_ Buffer small;
    buffer_init(&small, 20);
    wire_put_text(&small, 'Q', "select 1");
    assert_int_equal(small.length, 14);
    wire_put_parameter(&small, "a", "b");
    assert_int_equal(small.length, 14);
    assert_true(small.overflow);
    assert_memory_equal(small.data, "Q\0\0\0\x0dselect 1", 14);
}

/* ---- Splices ---- */

static void gather(const WireSplice *splice)
{
    buffer_clear(&out);
    for (int i = 0; i < splice->count; i++)
        assert_true(buffer_append(&out, splice->parts[i].iov_base, splice->parts[i].iov_len));
}

static void another_name_is_put_in(UNUSED void **state)
{
    uint8_t head[WIRE_SPLICE_HEAD];
    WireSplice splice;
    WireBindNames names;
    size_t length = sizeof(bind_body) - 1;
    WireHeader header = {.type = 'B', .body = (uint32_t)length};
    assert_int_equal(wire_bind_names(bind_body, length, 100, &names), WIRE_READY);
    assert_true(wire_splice_bind(&header, &names, bind_body, length, "POOL_17", head, &splice));
    gather(&splice);
    is_message(WIRE_CLIENT, 'B');
    assert_int_equal(splice.consumed, length);
    assert_memory_equal(body(), "p\0POOL_17\0", 10);
    assert_memory_equal(body() + 10, bind_body + 4, length - 4);

    /* The portal is unnamed, and of the body no more has come than the names: the rest is streamed.
     */
    static const char unnamed[] = "\0s\0\0\0\0\0\0\0";
    header.body = 9;
    assert_int_equal(wire_bind_names(unnamed, 3, 100, &names), WIRE_READY);
    assert_true(wire_splice_bind(&header, &names, unnamed, 3, "POOL_17", head, &splice));
    assert_int_equal(splice.count, 1);
    assert_int_equal(splice.consumed, 3);
    gather(&splice);
    assert_memory_equal(out.data, "B\0\0\0\x13\0POOL_17", 14);

    assert_true(wire_splice_parse("POOL_17", parse_key, sizeof(parse_key) - 1, head, &splice));
    gather(&splice);
    is_message(WIRE_CLIENT, 'P');
    assert_memory_equal(body() + 8, parse_key, sizeof(parse_key) - 1);
    assert_true(wire_splice_target('C', "POOL_17", head, &splice));
    gather(&splice);
    is_message(WIRE_CLIENT, 'C');
    assert_memory_equal(body(), "SPOOL_17", 9);
}

static void a_splice_that_does_not_fit_is_refused(UNUSED void **state)
{
    uint8_t head[WIRE_SPLICE_HEAD];
    char name[WIRE_SPLICE_NAME + 2];
    WireSplice splice;
    memset(name, 'n', sizeof(name));
    name[WIRE_SPLICE_NAME] = '\0';
    assert_true(wire_splice_target('D', name, head, &splice));
    assert_true(wire_splice_parse(name, "", 1, head, &splice));
    name[WIRE_SPLICE_NAME] = 'n';
    name[WIRE_SPLICE_NAME + 1] = '\0';
    assert_false(wire_splice_target('D', name, head, &splice));
    assert_false(wire_splice_parse(name, "", 1, head, &splice));
    assert_false(wire_splice_parse("s", "", INT32_MAX, head, &splice));
    WireBindNames names;
    WireHeader header = {.type = 'B', .body = INT32_MAX - 4};
    assert_int_equal(wire_bind_names("\0\0", 2, 100, &names), WIRE_READY);
    assert_false(wire_splice_bind(&header, &names, "\0\0", 2, "POOL_17", head, &splice));
    header.body = 1; /* the names pass the message's end */
    assert_false(wire_splice_bind(&header, &names, "\0\0", 2, "POOL_17", head, &splice));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cursor_never_passes_its_end),
        TEST(a_header_is_judged_by_who_sends_it),
        TEST(lengths_have_limits_by_message),
        TEST(a_startup_packet_comes_back),
        TEST(versions_are_negotiated_downwards),
        TEST(requests_before_a_session),
        TEST(bad_startups_are_refused),
        TEST(options_are_split_into_settings),
        TEST(a_parse_comes_back),
        TEST(a_bind_is_read_whole_or_by_its_names),
        TEST(small_bodies),
        TEST(an_error_comes_back),
        TEST(a_server_s_error_need_not_make_sense),
        TEST(what_a_server_says_at_login),
        TEST(rows_come_back),
        TEST(a_full_buffer_holds_whole_messages),
        TEST(another_name_is_put_in),
        TEST(a_splice_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
