#include "backup/seal_header.h"

#include "backup/bech32.h"
#include "backup/bytes.h"
#include "base/hash.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define RECIPIENT_NAME "vaxdb"
#define IDENTITY_NAME  "vaxdb-secret-"

#define VERSION       1
#define FIXED_BYTES   32
#define END_BYTES     (SEAL_MAC_BYTES + 4)
#define WRAPPED_BYTES (SEAL_KEY_BYTES + SEAL_TAG_BYTES)
#define NONCE_BYTES   12
#define SALT_BYTES    16

#define X25519_BYTES (SEAL_KEY_BYTES + WRAPPED_BYTES)
#define SCRYPT_BYTES (SALT_BYTES + 4 + WRAPPED_BYTES)

/* 128 MiB and some tenths of a second a guess. What others wrote may ask for up to 1 GiB. */
#define SCRYPT_LOG_N     17
#define SCRYPT_LOG_N_MIN 10
#define SCRYPT_LOG_N_MAX 20
#define SCRYPT_R         8
#define SCRYPT_P         1
#define SCRYPT_MEMORY    ((uint64_t)1100 << 20)

static const uint8_t magic[8] = {'V', 'X', 'S', 'E', 'A', 'L', 'E', 'D'};
static const char x25519_information[] = "vaxdb backup X25519 1\x01"; /* and HKDF's counter */

static void cleanup_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void cleanup_pkey_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void cleanup_cipher(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

/* ---- key pairs --------------------------------------------------------------------------- */

/* The public key of a secret, which may be any bytes. */
static bool find_recipient(SealIdentity *identity)
{
    size_t length = SEAL_KEY_BYTES;
    _cleanup_(cleanup_pkey) EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, identity->secret, SEAL_KEY_BYTES);
    return key && EVP_PKEY_get_raw_public_key(key, identity->recipient.bytes, &length) == 1 &&
           length == SEAL_KEY_BYTES;
}

void seal_identity_create(SealIdentity *identity)
{
    seal_random(identity->secret, SEAL_KEY_BYTES);
    if (!find_recipient(identity))
        abort();
}

char *seal_identity_text(Arena *arena, const SealIdentity *identity)
{
    char *text = bech32_encode(arena, IDENTITY_NAME, identity->secret, SEAL_KEY_BYTES);
    for (char *c = text; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return text;
}

bool seal_identity_parse(const char *text, SealIdentity *identity)
{
    return bech32_decode(text, IDENTITY_NAME, identity->secret, SEAL_KEY_BYTES) &&
           find_recipient(identity);
}

char *seal_recipient_text(Arena *arena, const SealRecipient *recipient)
{
    return bech32_encode(arena, RECIPIENT_NAME, recipient->bytes, SEAL_KEY_BYTES);
}

bool seal_recipient_parse(const char *text, SealRecipient *recipient)
{
    return bech32_decode(text, RECIPIENT_NAME, recipient->bytes, SEAL_KEY_BYTES);
}

/* ---- wrapping ---------------------------------------------------------------------------- */

/* False also where the other key gives a shared secret that is known to all. */
static bool agree(const SealIdentity *own, const uint8_t other[SEAL_KEY_BYTES],
                  uint8_t shared[SEAL_KEY_BYTES])
{
    size_t length = SEAL_KEY_BYTES;
    _cleanup_(cleanup_pkey) EVP_PKEY *secret =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, own->secret, SEAL_KEY_BYTES);
    _cleanup_(cleanup_pkey) EVP_PKEY *public =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, other, SEAL_KEY_BYTES);
    _cleanup_(cleanup_pkey_context) EVP_PKEY_CTX *context =
        secret ? EVP_PKEY_CTX_new(secret, NULL) : NULL;
    bool agreed = public && context && EVP_PKEY_derive_init(context) == 1 &&
                  EVP_PKEY_derive_set_peer(context, public) == 1 &&
                  EVP_PKEY_derive(context, shared, &length) == 1 && length == SEAL_KEY_BYTES;
    if (!agreed)
        ERR_clear_error();
    return agreed;
}

/* HKDF, of one block. */
static bool make_x25519_key(const SealIdentity *own, const uint8_t other[SEAL_KEY_BYTES],
                            const uint8_t ephemeral[SEAL_KEY_BYTES],
                            const uint8_t recipient[SEAL_KEY_BYTES], uint8_t made[SEAL_KEY_BYTES])
{
    uint8_t shared[SEAL_KEY_BYTES];
    uint8_t extracted[SEAL_KEY_BYTES];
    uint8_t salt[2 * SEAL_KEY_BYTES];
    if (!agree(own, other, shared))
        return false;
    memcpy(salt, ephemeral, SEAL_KEY_BYTES);
    memcpy(salt + SEAL_KEY_BYTES, recipient, SEAL_KEY_BYTES);
    hash_hmac(salt, sizeof(salt), shared, sizeof(shared), extracted);
    hash_hmac(extracted, sizeof(extracted), x25519_information, sizeof(x25519_information) - 1,
              made);
    seal_forget(shared, sizeof(shared));
    seal_forget(extracted, sizeof(extracted));
    return true;
}

static bool make_scrypt_key(const char *passphrase, const uint8_t *salt, int log_n,
                            uint8_t made[SEAL_KEY_BYTES])
{
    return EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, SALT_BYTES, (uint64_t)1 << log_n,
                          SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, made, SEAL_KEY_BYTES) == 1;
}

/* A key of `with` is used for one data key only, hence the nonce of 0. */
static void wrap(const uint8_t with[SEAL_KEY_BYTES], const SealKey *key,
                 uint8_t wrapped[WRAPPED_BYTES])
{
    static const uint8_t nonce[NONCE_BYTES];
    int done = 0;
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, with, nonce) != 1 ||
        EVP_EncryptUpdate(context, NULL, &done, key->id, SEAL_ID_BYTES) != 1 ||
        EVP_EncryptUpdate(context, wrapped, &done, key->data, SEAL_KEY_BYTES) != 1 ||
        EVP_EncryptFinal_ex(context, wrapped + SEAL_KEY_BYTES, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES,
                            wrapped + SEAL_KEY_BYTES) != 1)
        abort(); /* no memory */
}

static bool unwrap(const uint8_t with[SEAL_KEY_BYTES], const SealHeader *header,
                   const uint8_t wrapped[WRAPPED_BYTES], SealKey *key)
{
    static const uint8_t nonce[NONCE_BYTES];
    uint8_t data[SEAL_KEY_BYTES];
    uint8_t tag[SEAL_TAG_BYTES];
    int done = 0;
    memcpy(tag, wrapped + SEAL_KEY_BYTES, sizeof(tag));
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, with, nonce) != 1 ||
        EVP_DecryptUpdate(context, NULL, &done, header->id, SEAL_ID_BYTES) != 1 ||
        EVP_DecryptUpdate(context, data, &done, wrapped, SEAL_KEY_BYTES) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES, tag) != 1)
        abort(); /* no memory */
    bool opened = EVP_DecryptFinal_ex(context, data + SEAL_KEY_BYTES, &done) == 1;
    if (opened)
        seal_key_derive(key, data);
    else
        ERR_clear_error();
    seal_forget(data, sizeof(data));
    return opened && seal_header_check(header, key);
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool put_slot(Buffer *bytes, SealSlotKind kind, const uint8_t *body, size_t length)
{
    uint8_t head[4] = {(uint8_t)kind, 0};
    bytes_put(head + 2, length, 2);
    return buffer_append(bytes, head, sizeof(head)) && buffer_append(bytes, body, length);
}

static bool put_recipient(const SealKey *key, const SealRecipient *recipient, Buffer *bytes,
                          Error *err)
{
    uint8_t body[X25519_BYTES];
    uint8_t with[SEAL_KEY_BYTES];
    SealIdentity ephemeral;
    seal_identity_create(&ephemeral);
    memcpy(body, ephemeral.recipient.bytes, SEAL_KEY_BYTES);
    bool made = make_x25519_key(&ephemeral, recipient->bytes, body, recipient->bytes, with);
    seal_forget(&ephemeral, sizeof(ephemeral));
    if (!made)
        return error_set(err, ERR_USAGE, "a recipient is no public key of anybody");
    wrap(with, key, body + SEAL_KEY_BYTES);
    seal_forget(with, sizeof(with));
    return put_slot(bytes, SEAL_SLOT_X25519, body, sizeof(body)) ||
           buffer_check(bytes, "the header of the backup", err);
}

static bool put_passphrase(const SealKey *key, const char *passphrase, Buffer *bytes, Error *err)
{
    uint8_t body[SCRYPT_BYTES] = {0};
    uint8_t with[SEAL_KEY_BYTES];
    seal_random(body, SALT_BYTES);
    body[SALT_BYTES] = SCRYPT_LOG_N;
    body[SALT_BYTES + 1] = SCRYPT_R;
    body[SALT_BYTES + 2] = SCRYPT_P;
    if (!make_scrypt_key(passphrase, body, SCRYPT_LOG_N, with)) {
        ERR_clear_error();
        return error_set(err, ERR_FAILED, "scrypt needs 128 MiB of memory, which are not there");
    }
    wrap(with, key, body + SALT_BYTES + 4);
    seal_forget(with, sizeof(with));
    return put_slot(bytes, SEAL_SLOT_SCRYPT, body, sizeof(body)) ||
           buffer_check(bytes, "the header of the backup", err);
}

bool seal_header_write(const SealKey *key, const SealRecipient *recipients, size_t count,
                       const char *passphrase, Buffer *bytes, Error *err)
{
    uint8_t fixed[FIXED_BYTES] = {0};
    uint8_t end[END_BYTES];
    size_t slots = count + (passphrase != NULL);
    assert(slots >= 1 && slots <= SEAL_SLOTS_MAX);
    buffer_clear(bytes);
    (void)buffer_append(bytes, fixed, sizeof(fixed));
    for (size_t i = 0; i < count; i++) {
        if (!put_recipient(key, &recipients[i], bytes, err))
            return false;
    }
    if (passphrase && !put_passphrase(key, passphrase, bytes, err))
        return false;
    uint8_t *at = (uint8_t *)bytes->data;
    memcpy(at, magic, sizeof(magic));
    bytes_put(at + 8, VERSION, 2);
    bytes_put(at + 10, slots, 2);
    bytes_put(at + 12, bytes->length + END_BYTES, 4);
    memcpy(at + 16, key->id, SEAL_ID_BYTES);
    hash_hmac(key->header, SEAL_KEY_BYTES, bytes->data, bytes->length, end);
    (void)buffer_append(bytes, end, SEAL_MAC_BYTES);
    bytes_put(end, crc32_gzip_refl(0, (const uint8_t *)bytes->data, bytes->length), 4);
    (void)buffer_append(bytes, end, 4);
    return buffer_check(bytes, "the header of the backup", err);
}

/* ---- reading ----------------------------------------------------------------------------- */

size_t seal_header_length(const void *bytes)
{
    const uint8_t *at = bytes;
    size_t length = (size_t)bytes_get(at + 12, 4);
    bool sized = length >= SEAL_HEADER_MIN && length <= SEAL_HEADER_MAX;
    return sized && memcmp(at, magic, sizeof(magic)) == 0 ? length : 0;
}

/* The slot at `at`, of which so many bytes are left; 0: there is none, else its bytes. */
static size_t parse_slot(const uint8_t *at, size_t left, SealSlot *slot)
{
    if (left < 4)
        return 0;
    size_t length = (size_t)bytes_get(at + 2, 2);
    *slot = (SealSlot){.kind = (SealSlotKind)at[0], .body = at + 4};
    if (at[1] != 0 || length > left - 4)
        return 0;
    if (slot->kind == SEAL_SLOT_X25519)
        return length == X25519_BYTES ? 4 + length : 0;
    const uint8_t *cost = slot->body + SALT_BYTES;
    bool scrypt = slot->kind == SEAL_SLOT_SCRYPT && length == SCRYPT_BYTES &&
                  cost[0] >= SCRYPT_LOG_N_MIN && cost[0] <= SCRYPT_LOG_N_MAX &&
                  cost[1] == SCRYPT_R && cost[2] == SCRYPT_P && cost[3] == 0;
    return scrypt ? 4 + length : 0;
}

bool seal_header_parse(const void *bytes, size_t length, SealHeader *header)
{
    const uint8_t *at = bytes;
    bool scrypt = false;
    if (length < SEAL_HEADER_MIN || seal_header_length(bytes) != length ||
        bytes_get(at + 8, 2) != VERSION ||
        bytes_get(at + length - 4, 4) != crc32_gzip_refl(0, at, length - 4))
        return false;
    *header = (SealHeader){
        .bytes = at, .length = length, .id = at + 16, .slot_count = (size_t)bytes_get(at + 10, 2)};
    if (!header->slot_count || header->slot_count > SEAL_SLOTS_MAX)
        return false;
    size_t end = length - END_BYTES;
    size_t from = FIXED_BYTES;
    for (size_t i = 0; i < header->slot_count; i++) {
        size_t taken = parse_slot(at + from, end - from, &header->slots[i]);
        bool second = scrypt && header->slots[i].kind == SEAL_SLOT_SCRYPT; /* each costs a second */
        if (!taken || second)
            return false;
        scrypt = scrypt || header->slots[i].kind == SEAL_SLOT_SCRYPT;
        from += taken;
    }
    return from == end;
}

bool seal_header_has(const SealHeader *header, SealSlotKind kind)
{
    for (size_t i = 0; i < header->slot_count; i++) {
        if (header->slots[i].kind == kind)
            return true;
    }
    return false;
}

void seal_header_id(const SealHeader *header, char hex[SEAL_ID_HEX_SIZE])
{
    hash_to_hex(header->id, SEAL_ID_BYTES, hex);
}

bool seal_header_check(const SealHeader *header, const SealKey *key)
{
    uint8_t mac[SEAL_MAC_BYTES];
    size_t length = header->length - END_BYTES;
    hash_hmac(key->header, SEAL_KEY_BYTES, header->bytes, length, mac);
    return seal_equal(key->id, header->id, SEAL_ID_BYTES) &&
           seal_equal(mac, header->bytes + length, SEAL_MAC_BYTES);
}

bool seal_header_open(const SealHeader *header, const SealIdentity *identity, SealKey *key)
{
    for (size_t i = 0; i < header->slot_count; i++) {
        const uint8_t *body = header->slots[i].body;
        uint8_t with[SEAL_KEY_BYTES];
        if (header->slots[i].kind != SEAL_SLOT_X25519 ||
            !make_x25519_key(identity, body, body, identity->recipient.bytes, with))
            continue;
        bool opened = unwrap(with, header, body + SEAL_KEY_BYTES, key);
        seal_forget(with, sizeof(with));
        if (opened)
            return true;
    }
    return false;
}

bool seal_header_open_passphrase(const SealHeader *header, const char *passphrase, SealKey *key)
{
    for (size_t i = 0; i < header->slot_count; i++) {
        const uint8_t *body = header->slots[i].body;
        uint8_t with[SEAL_KEY_BYTES];
        if (header->slots[i].kind != SEAL_SLOT_SCRYPT)
            continue;
        if (!make_scrypt_key(passphrase, body, body[SALT_BYTES], with)) {
            ERR_clear_error();
            return false;
        }
        bool opened = unwrap(with, header, body + SALT_BYTES + 4, key);
        seal_forget(with, sizeof(with));
        return opened;
    }
    return false;
}
