#include "unit.h"

#include "base/secret.h"

static void base64_is_strict_and_comes_back(UNUSED void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}}; /* RFC 4648 */
    static const char *const refused[] = {
        "Z",    "Zg",   "Zg=",   "Zh==", "Zm9=",         "====", "Zg==Zg==",
        "Z g=", "Zm-_", "Zm9v=", "=Zm9", "Zm9v\n\n\n\n", "Z===", "="};
    _cleanup_buffer_ Buffer text;
    uint8_t bytes[16];
    size_t length = 0;
    buffer_init(&text, 100);
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        buffer_clear(&text);
        assert_true(secret_base64_put(&text, pairs[i][0], strlen(pairs[i][0])));
        assert_string_equal(text.data, pairs[i][1]);
        assert_true(secret_base64_read(text.data, text.length, bytes, sizeof(bytes), &length));
        assert_int_equal(length, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], length);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(
            secret_base64_read(refused[i], strlen(refused[i]), bytes, sizeof(bytes), &length));
    assert_true(secret_base64_read("Zm9v", 4, bytes, 3, &length));
    assert_false(secret_base64_read("Zm9v", 4, bytes, 2, &length));
}

static void texts_are_compared_whole(UNUSED void **state)
{
    assert_true(secret_equal_text("", ""));
    assert_true(secret_equal_text("abc", "abc"));
    assert_false(secret_equal_text("abc", "abd"));
    assert_false(secret_equal_text("abc", "ab"));
    assert_false(secret_equal_text("ab", "abc"));
}

static void hashes_are_the_usual_ones(UNUSED void **state)
{
    char hex[HASH_HEX_SIZE];
    uint8_t key[HASH_BYTES];
    secret_sha256("abc", 3, key); /* FIPS 180-4 */
    hash_to_hex(key, sizeof(key), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    secret_pbkdf2("passwd", 6, (const uint8_t *)"salt", 4, 1, key); /* RFC 7914 */
    hash_to_hex(key, sizeof(key), hex);
    assert_string_equal(hex, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    assert_true(secret_md5("message ", 8, "digest", 6, hex)); /* RFC 1321 */
    assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_strict_and_comes_back),
        cmocka_unit_test(texts_are_compared_whole),
        cmocka_unit_test(hashes_are_the_usual_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
