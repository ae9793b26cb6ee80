#include "base/hash.h"

#include "base/interrupt.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>

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

static void to_hex(const unsigned char *digest, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[HASH_HEX_SIZE - 1] = '\0';
}

void hash_finish(HashStream *hash, char hex[HASH_HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    must(EVP_DigestFinal_ex(hash->context, digest, &length));
    assert(length == HASH_BYTES);
    to_hex(digest, hex);
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
    to_hex(digest, hex);
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
