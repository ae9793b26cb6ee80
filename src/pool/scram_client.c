#include "base/secret.h"
#include "base/str.h"
#include "pool/scram_internal.h"

#include <assert.h>

typedef enum { START, FIRST_SENT, CHALLENGED, FINAL_SENT, DONE } Phase;

struct ScramClient {
    Phase phase;
    ScramBinding kind;
    uint8_t binding[SCRAM_BINDING_MAX];
    size_t binding_length;
    Buffer nonce;        /* ours, then the whole one */
    Buffer auth_message; /* grows with the exchange */
    uint8_t salt[SCRAM_SALT_MAX];
    size_t salt_length;
    uint32_t iterations;
    uint8_t server_signature[SCRAM_KEY_BYTES]; /* expected */
};

ScramClient *scram_client_create(ScramBinding kind, const uint8_t *binding, size_t binding_length)
{
    assert(binding_length <= SCRAM_BINDING_MAX);
    assert((kind == SCRAM_BINDING_USED) == (binding_length > 0));
    ScramClient *client = calloc(1, sizeof(*client));
    if (!client)
        abort();
    client->kind = kind;
    client->binding_length = binding_length;
    if (binding_length)
        memcpy(client->binding, binding, binding_length);
    buffer_init(&client->nonce, SCRAM_MESSAGE_MAX);
    buffer_init(&client->auth_message, (size_t)4 * SCRAM_MESSAGE_MAX);
    return client;
}

void scram_client_destroy(ScramClient *client)
{
    if (!client)
        return;
    buffer_free(&client->nonce);
    buffer_free(&client->auth_message);
    secret_wipe(client, sizeof(*client));
    free(client);
}

static const char *gs2_header(ScramBinding kind)
{
    if (kind == SCRAM_BINDING_USED)
        return "p=tls-server-end-point,,";
    return kind == SCRAM_BINDING_DECLINED ? "y,," : "n,,";
}

void scram_client_first(ScramClient *client, Buffer *out)
{
    assert(client->phase == START);
    scram_nonce_put(&client->nonce);
    /* PostgreSQL takes the user from the startup packet, and wants none here. */
    (void)buffer_printf(&client->auth_message, "n=,r=%s", client->nonce.data);
    (void)buffer_printf(out, "%s%s", gs2_header(client->kind), client->auth_message.data);
    client->phase = FIRST_SENT;
}

static bool read_iterations(const char *text, size_t length, uint32_t *iterations)
{
    char digits[12];
    int64_t number = 0;
    if (length >= sizeof(digits))
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!str_to_int64(digits, 1, SCRAM_ITERATIONS_MAX, &number))
        return false;
    *iterations = (uint32_t)number;
    return true;
}

ScramStatus scram_client_challenge(ScramClient *client, const void *data, size_t length,
                                   const char **reason)
{
    ScramText text;
    const char *value = NULL;
    size_t value_length = 0;
    size_t own = client->nonce.length;
    if (client->phase != FIRST_SENT)
        return scram_malformed(reason, "a challenge was not expected");
    if (!scram_text(data, length, &text) || !scram_expect(&text, 'r', &value, &value_length))
        return scram_malformed(reason, "server-first-message is malformed");
    /* Equal to ours would be a server that adds nothing of its own: a replay. */
    if (!scram_nonce_valid(value, value_length) || value_length <= own ||
        memcmp(value, client->nonce.data, own) != 0)
        return scram_malformed(reason, "the server's nonce does not continue ours");
    buffer_clear(&client->nonce);
    (void)buffer_append(&client->nonce, value, value_length);
    if (!scram_expect(&text, 's', &value, &value_length) ||
        !secret_base64_read(value, value_length, client->salt, SCRAM_SALT_MAX,
                            &client->salt_length) ||
        client->salt_length == 0)
        return scram_malformed(reason, "the server's salt is malformed");
    if (!scram_expect(&text, 'i', &value, &value_length) || !scram_at_end(&text) ||
        !read_iterations(value, value_length, &client->iterations))
        return scram_malformed(reason, "the server's iteration count is malformed, or too large");
    (void)buffer_append_char(&client->auth_message, ',');
    (void)buffer_append(&client->auth_message, data, length);
    client->phase = CHALLENGED;
    return SCRAM_OK;
}

const uint8_t *scram_client_salt(const ScramClient *client, size_t *length, uint32_t *iterations)
{
    assert(client->phase >= CHALLENGED);
    *length = client->salt_length;
    *iterations = client->iterations;
    return client->salt;
}

bool scram_client_fits(const ScramClient *client, const ScramSecret *secret)
{
    return client->phase >= CHALLENGED && client->iterations == secret->iterations &&
           client->salt_length == secret->salt_length &&
           memcmp(client->salt, secret->salt, client->salt_length) == 0;
}

void scram_client_final(ScramClient *client, const ScramKeys *keys, Buffer *out)
{
    uint8_t stored_key[SCRAM_KEY_BYTES];
    uint8_t proof[SCRAM_KEY_BYTES];
    _cleanup_buffer_ Buffer binding;
    _cleanup_buffer_ Buffer bare; /* client-final-message-without-proof */
    assert(client->phase == CHALLENGED);
    buffer_init(&binding, SCRAM_MESSAGE_MAX);
    buffer_init(&bare, (size_t)2 * SCRAM_MESSAGE_MAX);
    (void)buffer_append_str(&binding, gs2_header(client->kind));
    (void)buffer_append(&binding, client->binding, client->binding_length);
    (void)buffer_append_str(&bare, "c=");
    (void)secret_base64_put(&bare, binding.data, binding.length);
    (void)buffer_append_str(&bare, ",r=");
    (void)buffer_append(&bare, client->nonce.data, client->nonce.length);
    (void)buffer_append_char(&client->auth_message, ',');
    (void)buffer_append(&client->auth_message, bare.data, bare.length);
    assert(!bare.overflow && !client->auth_message.overflow); /* their sizes are known */

    scram_stored_key(keys, stored_key);
    scram_combine(stored_key, &client->auth_message, keys->client_key, proof);
    hash_hmac(keys->server_key, SCRAM_KEY_BYTES, client->auth_message.data,
              client->auth_message.length, client->server_signature);
    (void)buffer_append(out, bare.data, bare.length);
    (void)buffer_append_str(out, ",p=");
    (void)secret_base64_put(out, proof, sizeof(proof));
    secret_wipe(proof, sizeof(proof));
    client->phase = FINAL_SENT;
}

ScramStatus scram_client_verify(ScramClient *client, const void *data, size_t length,
                                const char **reason)
{
    ScramText text;
    char name = '\0';
    const char *value = NULL;
    size_t value_length = 0;
    uint8_t signature[SCRAM_KEY_BYTES];
    size_t got = 0;
    if (client->phase != FINAL_SENT)
        return scram_malformed(reason, "a server-final-message was not expected");
    if (!scram_text(data, length, &text) || !scram_next(&text, &name, &value, &value_length) ||
        !scram_at_end(&text))
        return scram_malformed(reason, "server-final-message is malformed");
    client->phase = DONE;
    if (name == 'e')
        return SCRAM_DENIED;
    if (name != 'v' ||
        !secret_base64_read(value, value_length, signature, sizeof(signature), &got) ||
        got != sizeof(signature))
        return scram_malformed(reason, "the server's signature is malformed");
    return secret_equal(signature, client->server_signature, sizeof(signature)) ? SCRAM_OK
                                                                                : SCRAM_DENIED;
}
