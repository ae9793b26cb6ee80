#include "unit.h"

#include "backup/row_values.h"

#include <string.h>

#define BYTES_MAX 100000

/* The tuple of one column as hexadecimal digits, without its count of fields; "" where it is for
 * the server. */
static const char *field(ValueKind kind, const char *text)
{
    static char hex[4096];
    _cleanup_buffer_ Buffer line;
    _cleanup_buffer_ Buffer binary;
    buffer_init(&line, BYTES_MAX);
    buffer_init(&binary, BYTES_MAX);
    (void)buffer_append_str(&line, text);
    (void)buffer_append_char(&line, '\n');
    bool taken = row_binary_append(&kind, 1, line.data, line.length, &binary);
    assert_true(taken || !binary.length);
    if (!taken)
        return "";
    assert_memory_equal(binary.data, "\0\1", 2);
    for (size_t i = 2; i < binary.length; i++)
        (void)snprintf(hex + (i - 2) * 2, 3, "%02x", (unsigned)(unsigned char)binary.data[i]);
    return hex;
}

typedef struct {
    ValueKind kind;
    const char *text;
    const char *hex;
} Value;

static void check(const Value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(field(values[i].kind, values[i].text), values[i].hex);
}

static void test_whole_numbers(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_BOOL, "t", "0000000101"},
        {VALUE_BOOL, "f", "0000000100"},
        {VALUE_INT2, "0", "000000020000"},
        {VALUE_INT2, "-32768", "000000028000"},
        {VALUE_INT2, "32767", "000000027fff"},
        {VALUE_INT4, "-1", "00000004ffffffff"},
        {VALUE_INT4, "2147483647", "000000047fffffff"},
        {VALUE_INT4, "-2147483648", "0000000480000000"},
        {VALUE_INT8, "9223372036854775807", "000000087fffffffffffffff"},
        {VALUE_INT8, "-9223372036854775808", "000000088000000000000000"},
        {VALUE_OID, "4294967295", "00000004ffffffff"},
        {VALUE_INT4, "\\N", "ffffffff"},
        {VALUE_TEXT, "\\N", "ffffffff"},
    };
    check(values, COUNT_OF(values));
}

static void test_numerics(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_NUMERIC, "0", "000000080000000000000000"},
        {VALUE_NUMERIC, "0.00", "000000080000000000000002"},
        {VALUE_NUMERIC, "1", "0000000a00010000000000000001"},
        {VALUE_NUMERIC, "-1.50",
         "0000000c0002000040000002"
         "00011388"},
        {VALUE_NUMERIC, "10000", "0000000a00010001000000000001"},
        {VALUE_NUMERIC, "12345.6789",
         "0000000e0003000100000004"
         "000109291a85"},
        {VALUE_NUMERIC, "0.00001", "0000000a0001fffe0000000503e8"},
        {VALUE_NUMERIC, "100.000", "0000000a00010000000000030064"},
    };
    check(values, COUNT_OF(values));
}

static void test_floats(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_FLOAT4, "0", "0000000400000000"},
        {VALUE_FLOAT4, "-0", "0000000480000000"},
        {VALUE_FLOAT4, "4.28", "000000044088f5c3"},
        {VALUE_FLOAT4, "16777217", "000000044b800000"}, /* halfway, to even */
        {VALUE_FLOAT4, "1.17549435e-38", "0000000400800000"},
        {VALUE_FLOAT4, "3.4028235e+38", "000000047f7fffff"},
        {VALUE_FLOAT8, "0.30000000000000004", "000000083fd3333333333334"},
        {VALUE_FLOAT8, "-1e-05", "00000008bee4f8b588e368f1"},
        {VALUE_FLOAT8, "1.7976931348623157e+308", "000000087fefffffffffffff"},
        {VALUE_FLOAT8, "12345678901234567000", "0000000843e56a95319d63e1"},
    };
    check(values, COUNT_OF(values));
}

static void test_texts(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_TEXT, "", "00000000"},
        {VALUE_TEXT, "ab", "000000026162"},
        {VALUE_TEXT, "\\\\N", "000000025c4e"},
        {VALUE_TEXT, "\\b\\f\\n\\r\\t\\v\\\\", "00000007080c0a0d090b5c"},
        {VALUE_TEXT, "12345678\\n1234567\\\\8",
         "00000012313233343536373"
         "80a313233343536375c38"},
        {VALUE_TEXT, "\x01\xc3\xbc\x7f", "0000000401c3bc7f"},
        {VALUE_JSONB, "{}", "00000003017b7d"},
        {VALUE_BYTEA, "\\\\x", "00000000"},
        {VALUE_BYTEA, "\\\\x00ff", "0000000200ff"},
        {VALUE_UUID, "00112233-4455-6677-8899-aabbccddeeff",
         "0000001000112233445566778899aabbccddeeff"},
    };
    check(values, COUNT_OF(values));
}

static void test_times(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_DATE, "2000-01-01", "0000000400000000"},
        {VALUE_DATE, "1999-12-31", "00000004ffffffff"},
        {VALUE_DATE, "2000-02-29", "000000040000003b"},
        {VALUE_DATE, "2100-03-01", "0000000400008ee8"},
        {VALUE_DATE, "0001-01-01", "00000004fff4dbf9"},
        {VALUE_DATE, "9999-12-31", "00000004002c95d3"},
        {VALUE_TIME, "23:59:59.999999", "00000008000000141dd75fff"},
        {VALUE_TIME, "00:00:01", "0000000800000000000f4240"},
        {VALUE_TIMESTAMP, "2000-01-01 00:00:00.5", "00000008000000000007a120"},
        {VALUE_TIMESTAMP, "1999-12-31 23:59:59.999999", "00000008ffffffffffffffff"},
        {VALUE_TIMESTAMPTZ, "2000-01-02 00:00:00+00", "00000008000000141dd76000"},
    };
    check(values, COUNT_OF(values));
}

/* What a server would not write so, or reads by rules that are not here. */
static void test_what_is_for_the_server(UNUSED void **state)
{
    static const Value values[] = {
        {VALUE_UNKNOWN, "1", ""},
        {VALUE_BOOL, "", ""},
        {VALUE_BOOL, "true", ""},
        {VALUE_INT2, "32768", ""},
        {VALUE_INT2, "-32769", ""},
        {VALUE_INT4, "2147483648", ""},
        {VALUE_INT4, "", ""},
        {VALUE_INT4, "-", ""},
        {VALUE_INT4, "-0", ""},
        {VALUE_INT4, "+1", ""},
        {VALUE_INT4, "01", ""},
        {VALUE_INT4, " 1", ""},
        {VALUE_INT4, "1\t2", ""},
        {VALUE_INT4, "\\n1", ""},
        {VALUE_INT4, "\\Nx", ""},
        {VALUE_INT8, "9223372036854775808", ""},
        {VALUE_INT8, "-9223372036854775809", ""},
        {VALUE_INT8, "18446744073709551617", ""},
        {VALUE_OID, "-1", ""},
        {VALUE_OID, "4294967296", ""},
        {VALUE_NUMERIC, "NaN", ""},
        {VALUE_NUMERIC, "Infinity", ""},
        {VALUE_NUMERIC, "1e5", ""},
        {VALUE_NUMERIC, "1.", ""},
        {VALUE_NUMERIC, ".5", ""},
        {VALUE_NUMERIC, "-0", ""},
        {VALUE_NUMERIC, "-0.0", ""},
        {VALUE_NUMERIC, "00", ""},
        {VALUE_FLOAT4, "NaN", ""},
        {VALUE_FLOAT4, "1e-45", ""},
        {VALUE_FLOAT4, "3.5e+38", ""},
        {VALUE_FLOAT8, "Infinity", ""},
        {VALUE_FLOAT8, "0x1p3", ""},
        {VALUE_FLOAT8, "1e5", ""},
        {VALUE_FLOAT8, "1e+", ""},
        {VALUE_FLOAT8, "1e+400", ""},
        {VALUE_TEXT, "\\x41", ""},
        {VALUE_TEXT, "\\101", ""},
        {VALUE_TEXT, "\\.", ""},
        {VALUE_TEXT, "a\rb", ""},
        {VALUE_TEXT, "a\bb", ""},
        {VALUE_TEXT, "a\nb", ""},
        {VALUE_TEXT, "a\\", ""},
        {VALUE_TEXT, "1234567\\", ""},
        {VALUE_BYTEA, "\\\\x0", ""},
        {VALUE_BYTEA, "\\\\xFF", ""},
        {VALUE_BYTEA, "abc", ""},
        {VALUE_UUID, "00112233-4455-6677-8899-AABBCCDDEEFF", ""},
        {VALUE_UUID, "00112233-4455-6677-8899-aabbccddeef", ""},
        {VALUE_UUID, "001122334455-6677-8899-aabbccddeeff-", ""},
        {VALUE_DATE, "infinity", ""},
        {VALUE_DATE, "0044-03-15 BC", ""},
        {VALUE_DATE, "12345-01-01", ""},
        {VALUE_DATE, "0000-01-01", ""},
        {VALUE_DATE, "2001-02-29", ""},
        {VALUE_DATE, "1900-02-29", ""},
        {VALUE_DATE, "2001-13-01", ""},
        {VALUE_DATE, "2001-00-01", ""},
        {VALUE_DATE, "2001-01-00", ""},
        {VALUE_TIME, "24:00:00", ""},
        {VALUE_TIME, "23:59:60", ""},
        {VALUE_TIME, "00:00:00.", ""},
        {VALUE_TIME, "00:00:00.1234567", ""},
        {VALUE_TIME, "00:00:00.10", ""},
        {VALUE_TIMESTAMP, "2000-01-01", ""},
        {VALUE_TIMESTAMP, "2000-01-01 00:00:00+00", ""},
        {VALUE_TIMESTAMPTZ, "2000-01-01 00:00:00", ""},
        {VALUE_TIMESTAMPTZ, "2000-01-01 00:00:00+01", ""},
        {VALUE_TIMESTAMPTZ, "2000-01-01 00:00:00+00:30", ""},
    };
    check(values, COUNT_OF(values));
}

static void test_rows(UNUSED void **state)
{
    static const ValueKind kinds[] = {VALUE_INT2, VALUE_TEXT, VALUE_BOOL};
    _cleanup_buffer_ Buffer binary;
    buffer_init(&binary, BYTES_MAX);
    assert_true(row_binary_append(kinds, 3, "7\t\\N\tt\n", 7, &binary));
    assert_int_equal(binary.length, 2 + 6 + 4 + 5);
    assert_memory_equal(binary.data, "\0\3\0\0\0\2\0\7\377\377\377\377\0\0\0\1\1", binary.length);
    assert_false(row_binary_append(kinds, 3, "7\tx\n", 4, &binary));
    assert_false(row_binary_append(kinds, 3, "7\tx\tt\t\n", 7, &binary));
    assert_false(row_binary_append(kinds, 2, "7\tx\tt\n", 6, &binary));
    assert_false(row_binary_append(kinds, 2, "7\tx", 3, &binary));
    assert_false(row_binary_append(kinds, 0, "\n", 1, &binary));
    assert_int_equal(binary.length, 2 + 6 + 4 + 5);
    assert_int_equal(binary.data[binary.length], 0);
}

/* Many digits, on either side of what is taken. */
static void test_long_numerics(UNUSED void **state)
{
    static char text[2100];
    memset(text, '9', 2001);
    text[1000] = '.';
    assert_memory_equal(field(VALUE_NUMERIC, text), "000003f001f400f9", 16);
    text[2001] = '9';
    assert_string_equal(field(VALUE_NUMERIC, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_numerics),
        cmocka_unit_test(test_floats),        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_times),         cmocka_unit_test(test_what_is_for_the_server),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_long_numerics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
