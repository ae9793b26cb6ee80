#include "unit.h"

#include "backup/row_values.h"

#include <string.h>

/* A tuple of one field: data NULL is NULL. */
static size_t tuple_of(uint8_t *tuple, const void *data, size_t length)
{
    const uint8_t header[] = {0,
                              1,
                              (uint8_t)(length >> 24),
                              (uint8_t)(length >> 16),
                              (uint8_t)(length >> 8),
                              (uint8_t)length};
    memcpy(tuple, header, sizeof(header));
    if (!data) {
        memset(tuple + 2, 0xFF, 4);
        return sizeof(header);
    }
    if (length)
        memcpy(tuple + sizeof(header), data, length);
    return sizeof(header) + length;
}

typedef struct {
    ValueKind kind;
    const char *bytes;
    size_t length;
    const char *text; /* NULL: it is no such value */
} Case;

#define CASE(kind, bytes, text)                                                                    \
    {                                                                                              \
        kind, bytes, sizeof(bytes) - 1, text                                                       \
    }

static const Case CASES[] = {
    CASE(VALUE_BOOL, "\0", "f"),
    CASE(VALUE_BOOL, "\1", "t"),
    CASE(VALUE_BOOL, "\2", NULL),
    CASE(VALUE_INT2, "\x80\0", "-32768"),
    CASE(VALUE_INT2, "\0\0\0\1", NULL),
    CASE(VALUE_INT4, "\x80\0\0\0", "-2147483648"),
    CASE(VALUE_INT4, "\0\0\0\x64", "100"),
    CASE(VALUE_INT4, "\0\0\x64", NULL),
    CASE(VALUE_INT8, "\x80\0\0\0\0\0\0\0", "-9223372036854775808"),
    CASE(VALUE_OID, "\xff\xff\xff\xff", "4294967295"),
    CASE(VALUE_TEXT, "", ""),
    CASE(VALUE_TEXT, "\\N\t\n\r\b\f\v\a\x1f", "\\\\N\\t\\n\\r\\b\\f\\v\a\x1f"),
    CASE(VALUE_TEXT, "fifteen letters\\", "fifteen letters\\\\"),
    CASE(VALUE_TEXT, "sixteen letters!\t", "sixteen letters!\\t"),
    CASE(VALUE_BYTEA, "", "\\\\x"),
    CASE(VALUE_BYTEA, "\x01\xaf\x5c", "\\\\x01af5c"),
    CASE(VALUE_UUID, "\x01\x23\x45\x67\x89\xab\xcd\xef\x10\x32\x54\x76\x98\xba\xdc\xfe",
         "01234567-89ab-cdef-1032-547698badcfe"),
    CASE(VALUE_UUID, "\x01\x23\x45\x67\x89\xab\xcd\xef\x10\x32\x54\x76\x98\xba\xdc", NULL),
    CASE(VALUE_DATE, "\x7f\xff\xff\xff", "infinity"),
    CASE(VALUE_DATE, "\x80\0\0\0", "-infinity"),
    CASE(VALUE_DATE, "\xff\xda\x97\xa7", "4714-11-24 BC"),
    CASE(VALUE_DATE, "\xff\xda\x97\xa6", NULL),
    CASE(VALUE_DATE, "\x7f\xda\x97\x0c", "5874897-12-31"),
    CASE(VALUE_DATE, "\x7f\xda\x97\x0d", NULL),
    CASE(VALUE_DATE, "\0\0\0\x3b", "2000-02-29"),
    CASE(VALUE_TIME, "\0\0\0\x14\x1d\xd7\x60\0", "24:00:00"),
    CASE(VALUE_TIME, "\0\0\0\x14\x1d\xd7\x60\1", NULL),
    CASE(VALUE_TIME, "\0\0\0\0\0\x01\x86\xa0", "00:00:00.1"),
    CASE(VALUE_TIMESTAMP, "\xff\xff\xff\xff\xff\xff\xff\xff", "1999-12-31 23:59:59.999999"),
    CASE(VALUE_TIMESTAMP, "\x7f\xff\xff\xff\xff\xff\xff\xff", "infinity"),
    CASE(VALUE_TIMESTAMP, "\x80\0\0\0\0\0\0\1", NULL),
    CASE(VALUE_TIMESTAMPTZ, "\0\0\0\0\0\0\0\0", "2000-01-01 00:00:00+00"),
    CASE(VALUE_TIMESTAMPTZ, "\xfd\x0f\x7c\xc1\x41\x1f\xa0\x00", "4714-11-24 00:00:00+00 BC"),
    CASE(VALUE_JSONB, "\1{\"a\": \"\\n\"}", "{\"a\": \"\\\\n\"}"),
    CASE(VALUE_JSONB, "\2{}", NULL),
    CASE(VALUE_JSONB, "", NULL),
    CASE(VALUE_NUMERIC, "\0\0\0\0\0\0\0\0", "0"),
    CASE(VALUE_NUMERIC, "\0\0\0\0\0\0\0\3", "0.000"),
    CASE(VALUE_NUMERIC, "\0\2\0\1\x40\0\0\0\0\1\x00\x02", "-10002"),
    CASE(VALUE_NUMERIC, "\0\1\0\2\0\0\0\1\0\7", "700000000.0"),
    CASE(VALUE_NUMERIC, "\0\1\xff\xfe\0\0\0\6\x04\xd2", "0.000012"),
    CASE(VALUE_NUMERIC, "\0\0\0\0\xc0\0\0\0", "NaN"),
    CASE(VALUE_NUMERIC, "\0\0\0\0\xd0\0\0\x20", "Infinity"),
    CASE(VALUE_NUMERIC, "\0\0\0\0\xf0\0\0\x20", "-Infinity"),
    CASE(VALUE_NUMERIC, "\0\0\0\0\x10\0\0\0", NULL),
    CASE(VALUE_NUMERIC, "\0\1\0\0\0\0\0\0\x27\x10", NULL),
    CASE(VALUE_NUMERIC, "\0\1\xff\xff\0\0\0\4\x27\x10", NULL),
    CASE(VALUE_NUMERIC, "\0\1\0\0\0\0\0\0", NULL),
    CASE(VALUE_NUMERIC, "\xff\xff\0\0\0\0\0\0", NULL),
    CASE(VALUE_NUMERIC, "\0\0\0\0\0\0\x40\0", NULL),
    CASE(VALUE_FLOAT4, "\0\0\0\0", NULL),
    CASE(VALUE_UNKNOWN, "a", NULL),
};

static void test_values(UNUSED void **state)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        const Case *one = &CASES[i];
        uint8_t tuple[64];
        char wanted[64];
        _cleanup_buffer_ Buffer text;
        buffer_init(&text, 1 << 20);
        size_t length = tuple_of(tuple, one->bytes, one->length);
        uint8_t *exact = malloc(length); /* so that a sanitizer sees what is read behind it */
        assert_non_null(exact);
        memcpy(exact, tuple, length);
        bool made = row_text_append(&one->kind, 1, exact, length, &text);
        free(exact);
        assert_int_equal(made, one->text != NULL);
        if (!made)
            continue;
        (void)snprintf(wanted, sizeof(wanted), "%s\n", one->text);
        assert_string_equal(text.data, wanted);
        assert_int_equal(text.length, strlen(wanted));
    }
}

static void test_rows(UNUSED void **state)
{
    static const ValueKind kinds[] = {VALUE_INT4, VALUE_TEXT, VALUE_INT4};
    static const char tuple[] = "\0\3\0\0\0\4\0\0\0\1\377\377\377\377\0\0\0\4\377\377\377\377";
    size_t length = sizeof(tuple) - 1;
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, 1 << 20);
    assert_true(row_text_append(kinds, 3, tuple, length, &text));
    assert_true(row_text_append(kinds, 3, tuple, length, &text));
    assert_string_equal(text.data, "1\t\\N\t-1\n1\t\\N\t-1\n");
    buffer_clear(&text);
    assert_true(row_text_append(kinds, 0, "\0\0", 2, &text));
    assert_string_equal(text.data, "\n");

    assert_false(row_text_append(kinds, 2, tuple, length, &text));
    for (size_t cut = 0; cut < length; cut++)
        assert_false(row_text_append(kinds, 3, tuple, cut, &text));
    assert_false(row_text_append(kinds, 3, tuple, length + 1, &text));
    assert_false(row_text_append(kinds, 1, "\0\1\377\377\377\376", 6, &text));
}

/* What does not fit is not begun to be written behind the end, whatever grows. */
static void test_long_values(UNUSED void **state)
{
    enum { LENGTH = 100000 };
    static const struct {
        ValueKind kind;
        size_t wanted;
    } long_ones[] = {{VALUE_TEXT, 2 * LENGTH + 1}, {VALUE_BYTEA, 2 * LENGTH + 4}};
    uint8_t *tuple = malloc(LENGTH + 6);
    uint8_t *data = malloc(LENGTH);
    assert_true(tuple && data);
    memset(data, '\\', LENGTH);
    size_t length = tuple_of(tuple, data, LENGTH);
    for (size_t i = 0; i < 2; i++) {
        _cleanup_buffer_ Buffer text;
        buffer_init(&text, 1 << 20);
        assert_true(row_text_append(&long_ones[i].kind, 1, tuple, length, &text));
        assert_int_equal(text.length, long_ones[i].wanted);
        assert_false(text.overflow);
        buffer_free(&text);
        buffer_init(&text, LENGTH);
        assert_false(row_text_append(&long_ones[i].kind, 1, tuple, length, &text));
        assert_true(text.overflow);
    }
    free(data);
    free(tuple);
}

static void test_kinds(UNUSED void **state)
{
    assert_int_equal(value_kind(2950, false), VALUE_UUID);
    assert_int_equal(value_kind(2950, true), VALUE_TEXT);
    assert_int_equal(value_kind(869, false), VALUE_UNKNOWN); /* inet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
