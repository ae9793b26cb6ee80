#include "unit.h"

#include "backup/deflate.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define MOST     ((size_t)8 << 20)
#define MARGIN   4096 /* of a stream that is longer than its bytes */
#define OUT_MOST (MOST + MARGIN)

static const DeflateLevel levels[] = {DEFLATE_FAST, DEFLATE_BALANCED};

static uint64_t state = 88172645463325252U;

static uint64_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1DU;
}

static size_t random_below(size_t bound)
{
    return (size_t)(random_bits() >> 16) % bound;
}

static char *allocate(size_t length)
{
    char *memory = malloc(length ? length : 1);
    assert_non_null(memory);
    return memory;
}

static void assert_isal_inflates(const Buffer *packed, const char *raw, size_t length)
{
    struct inflate_state inflater;
    _cleanup_free_ char *back = allocate(length + 1);
    isal_inflate_init(&inflater);
    inflater.next_in = (uint8_t *)packed->data;
    inflater.avail_in = (uint32_t)packed->length;
    inflater.next_out = (uint8_t *)back;
    inflater.avail_out = (uint32_t)length + 1;
    assert_int_equal(isal_inflate(&inflater), ISAL_DECOMP_OK);
    assert_int_equal(inflater.block_state, ISAL_BLOCK_FINISH);
    assert_int_equal(inflater.avail_in, 0);
    assert_int_equal(inflater.avail_out, 1);
    if (length)
        assert_memory_equal(back, raw, length);
}

static void assert_libdeflate_inflates(const Buffer *packed, const char *raw, size_t length)
{
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    _cleanup_free_ char *back = allocate(length + 1);
    size_t taken = 0, made = 0;
    int result = libdeflate_deflate_decompress_ex(inflater, packed->data, packed->length, back,
                                                  length + 1, &taken, &made);
    libdeflate_free_decompressor(inflater);
    assert_int_equal(result, LIBDEFLATE_SUCCESS);
    assert_int_equal(taken, packed->length);
    assert_int_equal(made, length);
    if (length)
        assert_memory_equal(back, raw, length);
}

/* Every level's stream is what two others inflate to raw, and the same when another deflater makes
 * it. Returns the length of the last. */
static size_t check(Deflater *deflater, const char *raw, size_t length)
{
    size_t packed_bytes = 0;
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        _cleanup_deflater_ Deflater *fresh = deflater_create();
        _cleanup_buffer_ Buffer packed, again;
        buffer_init(&packed, OUT_MOST);
        buffer_init(&again, OUT_MOST);
        assert_true(deflate_rows(deflater, levels[i], raw, length, &packed));
        assert_true(packed.length <= length + length / 5000 + 11);
        assert_isal_inflates(&packed, raw, length);
        assert_libdeflate_inflates(&packed, raw, length);
        assert_true(deflate_rows(fresh, levels[i], raw, length, &again));
        assert_int_equal(again.length, packed.length);
        assert_memory_equal(again.data, packed.data, packed.length);
        packed_bytes = packed.length;
    }
    return packed_bytes;
}

static void test_few_bytes(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    char bytes[128];
    assert_int_equal(check(deflater, NULL, 0), 2);
    assert_true(check(deflater, "\\.\n", 3) <= 5);
    for (size_t length = 1; length <= sizeof(bytes); length++) {
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)random_bits();
        (void)check(deflater, bytes, length);
        memset(bytes, '-', length); /* every byte begins what could be a UUID */
        (void)check(deflater, bytes, length);
    }
}

static void test_all_equal(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_free_ char *raw = allocate(MOST);
    memset(raw, 'x', MOST);
    assert_true(check(deflater, raw, MOST) < MOST / 500);
}

static void test_incompressible(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_free_ char *raw = allocate(MOST);
    for (size_t i = 0; i < MOST; i++)
        raw[i] = (char)random_bits();
    (void)check(deflater, raw, MOST); /* no more than a stored stream has */
}

/* Counts that grow as Fibonacci's numbers make a code deeper than deflate has. */
static void test_deep_code(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_buffer_ Buffer raw;
    buffer_init(&raw, MOST);
    size_t counts[28] = {1, 1};
    for (size_t i = 2; i < 28; i++)
        counts[i] = counts[i - 1] + counts[i - 2];
    for (size_t left = 800000; left > 0; left--) {
        size_t symbol = 27;
        for (size_t at = random_below(832040); symbol > 0 && at >= counts[symbol]; symbol--)
            at -= counts[symbol];
        assert_true(buffer_append_char(&raw, (char)('0' + symbol)));
    }
    assert_true(check(deflater, raw.data, raw.length) < raw.length / 2);
}

static void append_uuid(Buffer *raw)
{
    uint64_t high = random_bits(), low = random_bits();
    assert_true(buffer_printf(raw, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(high >> 32),
                              (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFF),
                              (unsigned)(low >> 52), (unsigned long long)(low & 0xFFFFFFFFFFFFU)));
}

/* Rows: a new UUID, one of a few, a time, numbers and words. */
static void append_rows(Buffer *raw, size_t length)
{
    _cleanup_buffer_ Buffer few;
    buffer_init(&few, BUFFER_MAX_LINE);
    for (int i = 0; i < 50; i++)
        append_uuid(&few);
    for (unsigned row = 0; raw->length < length; row++) {
        append_uuid(raw);
        assert_true(buffer_printf(raw, "\t%.36s\t2026-11-%02u 18:%02u:%02u.%06u+00\t%zu\t%s\t\\N\n",
                                  few.data + 36 * random_below(50), 1 + row / 90000 % 28,
                                  row / 3600 % 60, row / 60 % 60, (unsigned)random_below(1000000),
                                  random_below(1000), row % 3 ? "optimal" : "understocked"));
    }
}

static void test_rows(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_buffer_ Buffer raw;
    buffer_init(&raw, MOST);
    append_rows(&raw, 3000000);
    assert_true(check(deflater, raw.data, raw.length) < raw.length * 2 / 5);
    for (size_t cut = 0; cut < 80; cut++) /* through each place of a row */
        (void)check(deflater, raw.data + cut, 400 - cut / 2);
}

/* Bytes repeat just within the window, at its end and behind it. */
static void test_window(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_free_ char *raw = allocate(200000);
    for (size_t distance = 32766; distance <= 32769; distance++) {
        for (size_t i = 0; i < 200000; i++)
            raw[i] = i < distance ? (char)random_bits() : raw[i - distance];
        (void)check(deflater, raw, 200000);
    }
}

static void test_too_long(void **unused)
{
    (void)unused;
    _cleanup_deflater_ Deflater *deflater = deflater_create();
    _cleanup_buffer_ Buffer raw, packed;
    buffer_init(&raw, MOST);
    append_rows(&raw, 100000);
    buffer_init(&packed, 1000);
    assert_false(deflate_rows(deflater, DEFLATE_FAST, raw.data, raw.length, &packed));
    assert_true(packed.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_bytes),      cmocka_unit_test(test_all_equal),
        cmocka_unit_test(test_incompressible), cmocka_unit_test(test_deep_code),
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_window),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
