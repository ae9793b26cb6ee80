#include "backup/seal.h"

#include "backup/bytes.h"
#include "base/hash.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define NONCE_BYTES 12

static void must(bool works)
{
    if (!works) { /* no failure but missing memory or a broken library */
        (void)fputs("vaxdb: OpenSSL cannot encrypt\n", stderr);
        abort();
    }
}

void seal_random(uint8_t *bytes, size_t length)
{
    must(RAND_priv_bytes(bytes, (int)length) == 1);
}

bool seal_equal(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void seal_forget(void *secret, size_t length)
{
    OPENSSL_cleanse(secret, length);
}

/* ---- keys -------------------------------------------------------------------------------- */

static void derive(const uint8_t data[SEAL_KEY_BYTES], const char *purpose,
                   uint8_t made[SEAL_KEY_BYTES])
{
    hash_hmac(data, SEAL_KEY_BYTES, purpose, strlen(purpose), made);
}

void seal_key_derive(SealKey *key, const uint8_t data[SEAL_KEY_BYTES])
{
    uint8_t id[SEAL_KEY_BYTES];
    memmove(key->data, data, SEAL_KEY_BYTES);
    derive(key->data, "vaxdb seal 1 id", id);
    memcpy(key->id, id, SEAL_ID_BYTES);
    derive(key->data, "vaxdb seal 1 header", key->header);
    derive(key->data, "vaxdb seal 1 manifest", key->manifest);
    derive(key->data, "vaxdb seal 1 seed", key->seed);
    derive(key->data, "vaxdb seal 1 member", key->piece[SEAL_MEMBER]);
    derive(key->data, "vaxdb seal 1 index", key->piece[SEAL_INDEX]);
}

void seal_manifest_mac(const SealKey *key, const char *text, char hex[2 * SEAL_MAC_BYTES + 1])
{
    uint8_t mac[SEAL_MAC_BYTES];
    hash_hmac(key->manifest, SEAL_KEY_BYTES, text, strlen(text), mac);
    hash_to_hex(mac, sizeof(mac), hex);
}

/* ---- lengths ----------------------------------------------------------------------------- */

int64_t seal_length(int64_t plain_bytes)
{
    int64_t chunks = (plain_bytes + SEAL_CHUNK_BYTES - 1) / SEAL_CHUNK_BYTES;
    return SEAL_SEED_BYTES + plain_bytes + SEAL_TAG_BYTES * (chunks ? chunks : 1);
}

int64_t seal_plain_length(int64_t sealed_bytes)
{
    int64_t rest = sealed_bytes - SEAL_SEED_BYTES;
    int64_t chunk = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
    if (rest < SEAL_TAG_BYTES)
        return -1;
    int64_t plain_bytes = rest - (rest / chunk + (rest % chunk ? 1 : 0)) * SEAL_TAG_BYTES;
    return plain_bytes >= 0 && seal_length(plain_bytes) == sealed_bytes ? plain_bytes : -1;
}

/* ---- pieces ------------------------------------------------------------------------------ */

struct SealCipher {
    const SealKey *key;
    EVP_CIPHER_CTX *context;
    bool encrypts;
    uint64_t chunks; /* of the piece at hand that were done */
    uint8_t bound[SEAL_BOUND_BYTES];
};

SealCipher *seal_cipher_create(const SealKey *key)
{
    SealCipher *cipher = calloc(1, sizeof(*cipher));
    must(cipher != NULL);
    cipher->key = key;
    cipher->context = EVP_CIPHER_CTX_new();
    must(cipher->context != NULL);
    return cipher;
}

void seal_cipher_destroy(SealCipher *cipher)
{
    if (!cipher)
        return;
    EVP_CIPHER_CTX_free(cipher->context); /* which forgets its key */
    free(cipher);
}

static void begin(SealCipher *cipher, bool encrypts, SealKind kind,
                  const uint8_t seed[SEAL_SEED_BYTES], const uint8_t bound[SEAL_BOUND_BYTES])
{
    uint8_t key[SEAL_KEY_BYTES];
    cipher->encrypts = encrypts;
    cipher->chunks = 0;
    memcpy(cipher->bound, bound, SEAL_BOUND_BYTES);
    hash_hmac(cipher->key->piece[kind], SEAL_KEY_BYTES, seed, SEAL_SEED_BYTES, key);
    must(EVP_CipherInit_ex(cipher->context, EVP_aes_256_gcm(), NULL, key, NULL, encrypts) == 1);
    seal_forget(key, sizeof(key));
}

/* The nonce and the associated data of the next chunk. */
static void begin_chunk(SealCipher *cipher, bool last)
{
    uint8_t nonce[NONCE_BYTES] = {0};
    int done = 0;
    bytes_put(nonce, cipher->chunks++, 8);
    nonce[NONCE_BYTES - 1] = last;
    must(EVP_CipherInit_ex(cipher->context, NULL, NULL, NULL, nonce, -1) == 1 &&
         EVP_CipherUpdate(cipher->context, NULL, &done, cipher->bound, SEAL_BOUND_BYTES) == 1);
}

static void seal_chunk(SealCipher *cipher, const uint8_t *plain, size_t length, bool last,
                       uint8_t *sealed)
{
    int done = 0;
    begin_chunk(cipher, last);
    must(EVP_CipherUpdate(cipher->context, sealed, &done, plain, (int)length) == 1 &&
         EVP_CipherFinal_ex(cipher->context, sealed + length, &done) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher->context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES,
                             sealed + length) == 1);
}

bool seal_piece(SealCipher *cipher, SealKind kind, const uint8_t bound[SEAL_BOUND_BYTES],
                const void *plain, size_t length, Buffer *sealed)
{
    uint8_t material[SEAL_BOUND_BYTES + SEAL_MAC_BYTES];
    uint8_t seed[SEAL_SEED_BYTES];
    const SealKey *key = cipher->key;
    size_t sealed_length = (size_t)seal_length((int64_t)length);
    memcpy(material, bound, SEAL_BOUND_BYTES);
    hash_hmac(key->seed, SEAL_KEY_BYTES, plain, length, material + SEAL_BOUND_BYTES);
    hash_hmac(key->seed, SEAL_KEY_BYTES, material, sizeof(material), seed);
    uint8_t *out = (uint8_t *)buffer_reserve(sealed, sealed_length);
    if (!out)
        return false;
    memcpy(out, seed, SEAL_SEED_BYTES);
    out += SEAL_SEED_BYTES;
    begin(cipher, true, kind, seed, bound);
    const uint8_t *in = plain;
    do {
        size_t some = length < SEAL_CHUNK_BYTES ? length : SEAL_CHUNK_BYTES;
        seal_chunk(cipher, in, some, some == length, out);
        in += some;
        out += some + SEAL_TAG_BYTES;
        length -= some;
    } while (length);
    buffer_commit(sealed, sealed_length);
    return true;
}

void seal_open_begin(SealCipher *cipher, SealKind kind, const uint8_t seed[SEAL_SEED_BYTES],
                     const uint8_t bound[SEAL_BOUND_BYTES])
{
    begin(cipher, false, kind, seed, bound);
}

bool seal_open_chunk(SealCipher *cipher, void *chunk, size_t length, bool last)
{
    uint8_t *bytes = chunk;
    int done = 0;
    assert(!cipher->encrypts);
    if (length < SEAL_TAG_BYTES || length > SEAL_CHUNK_BYTES + SEAL_TAG_BYTES)
        return false;
    length -= SEAL_TAG_BYTES;
    begin_chunk(cipher, last);
    must(EVP_CIPHER_CTX_ctrl(cipher->context, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES,
                             bytes + length) == 1 &&
         EVP_CipherUpdate(cipher->context, bytes, &done, bytes, (int)length) == 1);
    bool right = EVP_CipherFinal_ex(cipher->context, bytes + length, &done) == 1;
    if (!right)
        ERR_clear_error();
    return right;
}
