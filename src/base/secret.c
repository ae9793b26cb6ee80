#include "base/secret.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static void must(int openssl_result, const char *what)
{
    if (openssl_result != 1) { /* missing memory, or a library that is broken */
        (void)fprintf(stderr, "vaxdb: OpenSSL has no %s\n", what);
        abort();
    }
}

void secret_wipe(void *bytes, size_t length)
{
    if (length)
        OPENSSL_cleanse(bytes, length);
}

bool secret_equal(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

bool secret_equal_text(const char *a, const char *b)
{
    size_t length = strlen(a);
    return strlen(b) == length && secret_equal(a, b, length);
}

void secret_random(void *bytes, size_t length)
{
    assert(length <= INT_MAX);
    must(RAND_bytes(bytes, (int)length), "random bytes");
}

void secret_sha256(const void *data, size_t length, uint8_t digest[HASH_BYTES])
{
    unsigned int got = 0;
    must(EVP_Digest(data, length, digest, &got, EVP_sha256(), NULL), "SHA-256");
}

void secret_pbkdf2(const void *password, size_t password_length, const uint8_t *salt,
                   size_t salt_length, uint32_t iterations, uint8_t key[HASH_BYTES])
{
    assert(password_length <= INT_MAX && salt_length <= INT_MAX);
    assert(iterations >= 1 && iterations <= INT_MAX);
    must(PKCS5_PBKDF2_HMAC(password, (int)password_length, salt, (int)salt_length, (int)iterations,
                           EVP_sha256(), HASH_BYTES, key),
         "PBKDF2");
}

static void cleanup_digest(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

bool secret_md5(const void *a, size_t a_length, const void *b, size_t b_length,
                char hex[SECRET_MD5_SIZE])
{
    _cleanup_(cleanup_digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    must(context != NULL, "memory");
    if (EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1 ||
        EVP_DigestUpdate(context, a, a_length) != 1 ||
        EVP_DigestUpdate(context, b, b_length) != 1 ||
        EVP_DigestFinal_ex(context, digest, &length) != 1 || length != 16)
        return false;
    hash_to_hex(digest, length, hex);
    secret_wipe(digest, sizeof(digest));
    return true;
}

/* ---- base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool secret_base64_put(Buffer *out, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    if (length > SIZE_MAX / 2)
        return false;
    char *to = buffer_reserve(out, (length + 2) / 3 * 4);
    if (!to)
        return false;
    char *start = to;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t bits = (uint32_t)from[i] << 16;
        bits |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        bits |= left > 2 ? from[i + 2] : 0;
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = '=';
        *to++ = '=';
        if (left > 1)
            to[-2] = digits[bits >> 6 & 63];
        if (left > 2)
            to[-1] = digits[bits & 63];
    }
    buffer_commit(out, (size_t)(to - start));
    return true;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool secret_base64_read(const char *text, size_t text_length, uint8_t *bytes, size_t room,
                        size_t *length)
{
    size_t padding = 0;
    size_t got = 0;
    uint32_t bits = 0;
    if (text_length % 4 != 0)
        return false;
    while (padding < 2 && padding < text_length && text[text_length - 1 - padding] == '=')
        padding++;
    size_t count = text_length - padding;
    size_t wanted = text_length / 4 * 3 - padding;
    if (wanted > room)
        return false;
    for (size_t i = 0; i < count; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFF;
        if (i % 4 != 0)
            bytes[got++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    uint32_t left_over = padding == 0 ? 0 : padding == 1 ? bits & 3 : bits & 15;
    *length = got;
    return got == wanted && left_over == 0;
}
