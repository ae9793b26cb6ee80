#include "base/hash.h"

#include "base/interrupt.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct HashStream {
    EVP_MD_CTX *context;
};

static void must(int openssl_result)
{
    if (openssl_result != 1) { /* SHA-256 has no failure but missing memory or a broken library */
        (void)fputs("vaxdb: OpenSSL cannot compute SHA-256\n", stderr);
        abort();
    }
}

HashStream *hash_create(void)
{
    HashStream *hash = calloc(1, sizeof(*hash));
    must(hash != NULL);
    hash->context = EVP_MD_CTX_new();
    must(hash->context != NULL);
    must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
    return hash;
}

void hash_update(HashStream *hash, const void *data, size_t length)
{
    must(EVP_DigestUpdate(hash->context, data, length));
}

void hash_to_hex(const unsigned char *bytes, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * length] = '\0';
}

void hash_finish(HashStream *hash, char hex[HASH_HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    must(EVP_DigestFinal_ex(hash->context, digest, &length));
    assert(length == HASH_BYTES);
    hash_to_hex(digest, HASH_BYTES, hex);
}

void hash_destroy(HashStream *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hash_bytes(const void *data, size_t length, char hex[HASH_HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    must(EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL));
    hash_to_hex(digest, HASH_BYTES, hex);
}

bool hash_file(const char *path, char hex[HASH_HEX_SIZE], int64_t *bytes, Error *err)
{
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    _cleanup_hash_ HashStream *hash = hash_create();
    char chunk[65536];
    int64_t total = 0;
    for (;;) {
        ssize_t got = read(descriptor, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
        if (got == 0)
            break;
        if (!interrupt_check(err)) /* of a large file it takes minutes */
            return false;
        hash_update(hash, chunk, (size_t)got);
        total += got;
    }
    hash_finish(hash, hex);
    if (bytes)
        *bytes = total;
    return true;
}

void hash_hmac(const void *key, size_t key_length, const void *data, size_t length,
               unsigned char mac[HASH_BYTES])
{
    unsigned int got = 0;
    must(HMAC(EVP_sha256(), key, (int)key_length, data, length, mac, &got) != NULL);
    assert(got == HASH_BYTES);
}

static void cleanup_digest(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

bool hash_range(int descriptor, const char *path, int64_t offset, int64_t length, HashKind kind,
                char hex[HASH_HEX_SIZE], Error *err)
{
    _cleanup_(cleanup_digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    char chunk[65536];
    must(context != NULL);
    must(EVP_DigestInit_ex(context, kind == HASH_MD5 ? EVP_md5() : EVP_sha256(), NULL));
    while (length > 0) {
        size_t wanted = length < (int64_t)sizeof(chunk) ? (size_t)length : sizeof(chunk);
        ssize_t got = pread(descriptor, chunk, wanted, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
        if (got == 0)
            return error_set(err, ERR_FAILED, "%s became shorter while it was read", path);
        must(EVP_DigestUpdate(context, chunk, (size_t)got));
        offset += got;
        length -= got;
    }
    must(EVP_DigestFinal_ex(context, digest, &digest_length));
    assert(digest_length <= HASH_BYTES);
    hash_to_hex(digest, digest_length, hex);
    return true;
}
