#include "unit.h"

#include "base/hash.h"

/* FIPS 180-4's examples. */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void known_digests(UNUSED void **state)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes("", 0, hex);
    assert_string_equal(hex, EMPTY);
    hash_bytes("abc", 3, hex);
    assert_string_equal(hex, ABC);
}

static void a_stream_in_pieces_is_the_same(UNUSED void **state)
{
    _cleanup_hash_ HashStream *hash = hash_create();
    char hex[HASH_HEX_SIZE];
    hash_update(hash, "a", 1);
    hash_update(hash, "", 0);
    hash_update(hash, "bc", 2);
    hash_finish(hash, hex);
    assert_string_equal(hex, ABC);
}

static void files(UNUSED void **state)
{
    char path[] = "/tmp/vaxdb-unit-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "abc", 3), 3);
    assert_int_equal(close(descriptor), 0);
    char hex[HASH_HEX_SIZE];
    int64_t bytes = 0;
    Error err = {0};
    assert_true(hash_file(path, hex, &bytes, &err));
    assert_string_equal(hex, ABC);
    assert_int_equal(bytes, 3);
    assert_int_equal(unlink(path), 0);
    assert_false(hash_file(path, hex, NULL, &err));
    assert_int_equal(err.code, ERR_FAILED);
}

static void a_keyed_hash(UNUSED void **state)
{
    /* RFC 4231, test case 2 */
    static const char data[] = "what do ya want for nothing?";
    unsigned char mac[HASH_BYTES];
    char hex[HASH_HEX_SIZE];
    hash_hmac("Jefe", 4, data, strlen(data), mac);
    hash_to_hex(mac, sizeof(mac), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void a_range_of_a_file(UNUSED void **state)
{
    _cleanup_fclose_ FILE *file = tmpfile();
    char hex[HASH_HEX_SIZE];
    Error err = {0};
    assert_non_null(file);
    assert_true(fputs("xxabcxx", file) >= 0);
    assert_int_equal(fflush(file), 0);
    assert_true(hash_range(fileno(file), "t", 2, 3, HASH_SHA256, hex, &err));
    assert_string_equal(hex, ABC);
    assert_true(hash_range(fileno(file), "t", 2, 3, HASH_MD5, hex, &err));
    assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 */
    assert_false(hash_range(fileno(file), "t", 5, 3, HASH_SHA256, hex, &err));
    assert_non_null(strstr(err.message, "shorter"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(a_stream_in_pieces_is_the_same),
        cmocka_unit_test(files),
        cmocka_unit_test(a_keyed_hash),
        cmocka_unit_test(a_range_of_a_file),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
