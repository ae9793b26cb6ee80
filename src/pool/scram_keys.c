#include "base/secret.h"
#include "base/str.h"
#include "pool/scram_internal.h"

#include <assert.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stringprep.h>

/* ---- SASLprep ---- */

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

/* The prepared password in memory of its own; NULL where the bytes are to be taken. Printable ASCII
 * is prepared as it is; control characters are prohibited, and so are their bytes taken. */
static char *prepare(const char *password, size_t length)
{
    if (is_ascii(password, length) || memchr(password, 0, length))
        return NULL;
    char *text = malloc(length + 1);
    char *prepared = NULL;
    if (!text)
        return NULL;
    memcpy(text, password, length);
    text[length] = '\0';
    int result = stringprep_profile(text, &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED);
    secret_wipe(text, length);
    free(text);
    if (result != STRINGPREP_OK)
        return NULL;
    if (prepared[0] == '\0') {
        free(prepared);
        return NULL;
    }
    return prepared;
}

/* ---- Keys ---- */

void scram_derive(const char *password, size_t length, const uint8_t *salt, size_t salt_length,
                  uint32_t iterations, ScramKeys *keys)
{
    assert(length <= INT_MAX / 4 && iterations >= 1 && iterations <= SCRAM_ITERATIONS_MAX);
    uint8_t salted[SCRAM_KEY_BYTES];
    char *prepared = prepare(password, length);
    const char *used = prepared ? prepared : password;
    size_t used_length = prepared ? strlen(prepared) : length;
    secret_pbkdf2(used, used_length, salt, salt_length, iterations, salted);
    hash_hmac(salted, sizeof(salted), "Client Key", 10, keys->client_key);
    hash_hmac(salted, sizeof(salted), "Server Key", 10, keys->server_key);
    secret_wipe(salted, sizeof(salted));
    if (prepared)
        secret_wipe(prepared, used_length);
    free(prepared);
}

void scram_stored_key(const ScramKeys *keys, uint8_t stored_key[SCRAM_KEY_BYTES])
{
    secret_sha256(keys->client_key, SCRAM_KEY_BYTES, stored_key);
}

void scram_combine(const uint8_t stored_key[SCRAM_KEY_BYTES], const Buffer *auth_message,
                   const uint8_t in[SCRAM_KEY_BYTES], uint8_t result[SCRAM_KEY_BYTES])
{
    uint8_t signature[SCRAM_KEY_BYTES];
    hash_hmac(stored_key, SCRAM_KEY_BYTES, auth_message->data, auth_message->length, signature);
    for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
        result[i] = in[i] ^ signature[i];
    secret_wipe(signature, sizeof(signature));
}

void scram_secret_make(const ScramKeys *keys, const uint8_t *salt, size_t salt_length,
                       uint32_t iterations, ScramSecret *secret)
{
    assert(salt_length >= 1 && salt_length <= SCRAM_SALT_MAX);
    *secret = (ScramSecret){.iterations = iterations, .salt_length = salt_length};
    memcpy(secret->salt, salt, salt_length);
    memcpy(secret->server_key, keys->server_key, SCRAM_KEY_BYTES);
    scram_stored_key(keys, secret->stored_key);
}

/* ---- As text ---- */

/* The bytes up to separator, which is passed; "" takes the rest. */
static bool take(const char **at, char separator, const char **field, size_t *length)
{
    const char *end = separator ? strchr(*at, separator) : *at + strlen(*at);
    if (!end)
        return false;
    *field = *at;
    *length = (size_t)(end - *at);
    *at = separator ? end + 1 : end;
    return true;
}

static bool take_key(const char **at, char separator, uint8_t key[SCRAM_KEY_BYTES])
{
    const char *field = NULL;
    size_t field_length = 0;
    size_t length = 0;
    return take(at, separator, &field, &field_length) &&
           secret_base64_read(field, field_length, key, SCRAM_KEY_BYTES, &length) &&
           length == SCRAM_KEY_BYTES;
}

static bool take_iterations(const char **at, uint32_t *iterations)
{
    char digits[12];
    const char *field = NULL;
    size_t length = 0;
    int64_t number = 0;
    if (!take(at, ':', &field, &length) || length >= sizeof(digits))
        return false;
    memcpy(digits, field, length);
    digits[length] = '\0';
    if (!str_to_int64(digits, 1, SCRAM_ITERATIONS_MAX, &number))
        return false;
    *iterations = (uint32_t)number;
    return true;
}

static bool read_secret(const char *at, ScramSecret *secret)
{
    const char *field = NULL;
    size_t length = 0;
    return take(&at, '$', &field, &length) && length == 13 &&
           memcmp(field, "SCRAM-SHA-256", 13) == 0 && take_iterations(&at, &secret->iterations) &&
           take(&at, '$', &field, &length) &&
           secret_base64_read(field, length, secret->salt, SCRAM_SALT_MAX, &secret->salt_length) &&
           secret->salt_length > 0 && take_key(&at, ':', secret->stored_key) &&
           take_key(&at, '\0', secret->server_key);
}

bool scram_secret_read(const char *text, ScramSecret *secret)
{
    *secret = (ScramSecret){0};
    if (read_secret(text, secret))
        return true;
    secret_wipe(secret, sizeof(*secret));
    return false;
}

void scram_secret_print(const ScramSecret *secret, Buffer *out)
{
    (void)buffer_printf(out, "SCRAM-SHA-256$%u:", secret->iterations);
    (void)secret_base64_put(out, secret->salt, secret->salt_length);
    (void)buffer_append_char(out, '$');
    (void)secret_base64_put(out, secret->stored_key, SCRAM_KEY_BYTES);
    (void)buffer_append_char(out, ':');
    (void)secret_base64_put(out, secret->server_key, SCRAM_KEY_BYTES);
}

/* ---- Users that do not exist ---- */

static void mock_bytes(const uint8_t key[SCRAM_KEY_BYTES], const char *what, const char *user,
                       uint8_t bytes[SCRAM_KEY_BYTES])
{
    uint8_t own[SCRAM_KEY_BYTES];
    hash_hmac(key, SCRAM_KEY_BYTES, what, strlen(what), own);
    hash_hmac(own, sizeof(own), user, strlen(user), bytes);
    secret_wipe(own, sizeof(own));
}

void scram_secret_mock(const uint8_t key[SCRAM_KEY_BYTES], const char *user, ScramSecret *secret)
{
    uint8_t salt[SCRAM_KEY_BYTES];
    *secret = (ScramSecret){.iterations = SCRAM_ITERATIONS_DEFAULT, .salt_length = 16};
    mock_bytes(key, "salt", user, salt);
    memcpy(secret->salt, salt, secret->salt_length);
    mock_bytes(key, "stored key", user, secret->stored_key);
    mock_bytes(key, "server key", user, secret->server_key);
}

bool scram_secret_check(const ScramSecret *secret, const char *password, size_t length)
{
    ScramKeys keys;
    uint8_t stored_key[SCRAM_KEY_BYTES];
    scram_derive(password, length, secret->salt, secret->salt_length, secret->iterations, &keys);
    scram_stored_key(&keys, stored_key);
    bool equal = secret_equal(stored_key, secret->stored_key, SCRAM_KEY_BYTES);
    secret_wipe(&keys, sizeof(keys));
    return equal;
}

/* ---- Channel binding ---- */

bool scram_end_point(const struct x509_st *certificate, uint8_t hash[SCRAM_BINDING_MAX],
                     size_t *length)
{
    X509 *own = X509_dup(certificate); /* asking for the signature writes to what it caches */
    int digest = NID_undef;
    unsigned int got = 0;
    bool done = false;
    if (own && X509_get_signature_info(own, &digest, NULL, NULL, NULL) == 1 &&
        digest != NID_undef) {
        if (digest == NID_md5 || digest == NID_sha1) /* RFC 5929, section 4.1 */
            digest = NID_sha256;
        const EVP_MD *kind = EVP_get_digestbynid(digest);
        done = kind && EVP_MD_get_size(kind) <= SCRAM_BINDING_MAX &&
               X509_digest(own, kind, hash, &got) == 1;
    }
    *length = got;
    X509_free(own);
    return done;
}
