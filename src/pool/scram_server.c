#include "base/secret.h"
#include "pool/scram_internal.h"

#include <assert.h>

typedef enum { START, CHALLENGED, DONE } Phase;

struct ScramServer {
    Phase phase;
    bool doomed;
    ScramSecret secret;
    uint8_t binding[SCRAM_BINDING_MAX];
    size_t binding_length;
    Buffer expected_binding; /* what c= must hold: the GS2 header, the end point's hash */
    Buffer nonce;            /* the client's and ours */
    Buffer auth_message;     /* grows with the exchange */
};

ScramServer *scram_server_create(const ScramSecret *secret, bool doomed, const uint8_t *binding,
                                 size_t binding_length)
{
    assert(binding_length <= SCRAM_BINDING_MAX);
    ScramServer *server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->secret = *secret;
    server->doomed = doomed;
    server->binding_length = binding_length;
    if (binding_length)
        memcpy(server->binding, binding, binding_length);
    buffer_init(&server->expected_binding, SCRAM_MESSAGE_MAX);
    buffer_init(&server->nonce, (size_t)2 * SCRAM_MESSAGE_MAX);
    buffer_init(&server->auth_message, (size_t)8 * SCRAM_MESSAGE_MAX);
    return server;
}

void scram_server_destroy(ScramServer *server)
{
    if (!server)
        return;
    buffer_free(&server->expected_binding);
    buffer_free(&server->nonce);
    buffer_free(&server->auth_message);
    secret_wipe(server, sizeof(*server));
    free(server);
}

/* The flag at the start, "n,", "y," or "p=NAME,", and the empty authorization identity after it. */
static ScramStatus read_gs2(ScramServer *server, bool plus, ScramText *text, const char **reason)
{
    const char *start = text->at;
    size_t left = (size_t)(text->end - start);
    const char *comma = memchr(start, ',', left);
    size_t flag = comma ? (size_t)(comma - start) : 0;
    bool binds = flag > 2 && start[0] == 'p' && start[1] == '=';
    if (!binds && !(flag == 1 && (start[0] == 'n' || start[0] == 'y')))
        return scram_malformed(reason, "unexpected channel-binding flag");
    if (binds != plus)
        return scram_malformed(reason, plus ? "SCRAM-SHA-256-PLUS without channel binding data"
                                            : "channel binding is for SCRAM-SHA-256-PLUS");
    if (binds && (flag != 22 || memcmp(start + 2, "tls-server-end-point", 20) != 0))
        return scram_malformed(reason, "unsupported SCRAM channel-binding type");
    if (start[0] == 'y' && server->binding_length) /* somebody took our offer away on the way */
        return scram_malformed(reason, "the client believes that we do not offer channel binding");
    if (left < flag + 2 || start[flag + 1] != ',')
        return scram_malformed(reason,
                               "client uses authorization identity, but it is not supported");
    (void)buffer_append(&server->expected_binding, start, flag + 2);
    if (binds)
        (void)buffer_append(&server->expected_binding, server->binding, server->binding_length);
    text->at = start + flag + 2;
    return SCRAM_OK;
}

/* client-first-message-bare: the user, which is ignored, the nonce, and what else may follow. */
static bool read_first_bare(ScramServer *server, ScramText *text)
{
    const char *bare = text->at;
    const char *value = NULL;
    size_t length = 0;
    char name = '\0';
    (void)buffer_append(&server->auth_message, bare, (size_t)(text->end - bare));
    if (!scram_expect(text, 'n', &value, &length) || !scram_expect(text, 'r', &value, &length) ||
        !scram_nonce_valid(value, length))
        return false;
    (void)buffer_append(&server->nonce, value, length);
    while (text->more) {
        if (!scram_next(text, &name, &value, &length))
            return false;
    }
    return scram_at_end(text);
}

static void put_challenge(ScramServer *server, Buffer *out)
{
    _cleanup_buffer_ Buffer challenge;
    buffer_init(&challenge, (size_t)3 * SCRAM_MESSAGE_MAX);
    scram_nonce_put(&server->nonce);
    (void)buffer_append_str(&challenge, "r=");
    (void)buffer_append(&challenge, server->nonce.data, server->nonce.length);
    (void)buffer_append_str(&challenge, ",s=");
    (void)secret_base64_put(&challenge, server->secret.salt, server->secret.salt_length);
    (void)buffer_printf(&challenge, ",i=%u", server->secret.iterations);
    (void)buffer_append_char(&server->auth_message, ',');
    (void)buffer_append(&server->auth_message, challenge.data, challenge.length);
    (void)buffer_append(out, challenge.data, challenge.length);
    assert(!challenge.overflow && !server->auth_message.overflow); /* their sizes are known */
}

ScramStatus scram_server_first(ScramServer *server, bool plus, const void *data, size_t length,
                               Buffer *out, const char **reason)
{
    ScramText text;
    if (server->phase != START)
        return scram_malformed(reason, "a client-first-message was not expected");
    server->phase = DONE; /* unless all of it is right */
    if (plus && server->binding_length == 0)
        return scram_malformed(reason, "SCRAM-SHA-256-PLUS was not offered");
    if (!scram_text(data, length, &text))
        return scram_malformed(reason, "client-first-message is malformed");
    ScramStatus status = read_gs2(server, plus, &text, reason);
    if (status != SCRAM_OK)
        return status;
    if (text.at < text.end && *text.at == 'm')
        return scram_malformed(reason, "client requires an unsupported SCRAM extension");
    if (!read_first_bare(server, &text))
        return scram_malformed(reason, "client-first-message is malformed");
    put_challenge(server, out);
    server->phase = CHALLENGED;
    return SCRAM_OK;
}

static bool binding_is_right(const ScramServer *server, const char *value, size_t length)
{
    uint8_t bytes[SCRAM_BINDING_MAX + 64];
    size_t got = 0;
    return secret_base64_read(value, length, bytes, sizeof(bytes), &got) &&
           got == server->expected_binding.length &&
           secret_equal(bytes, server->expected_binding.data, got);
}

/* Fills the proof, and appends the message without it to the auth message. */
static ScramStatus read_final(ScramServer *server, const void *data, size_t length,
                              uint8_t proof[SCRAM_KEY_BYTES], const char **reason)
{
    ScramText text;
    const char *value = NULL;
    size_t value_length = 0;
    size_t got = 0;
    char name = '\0';
    if (!scram_text(data, length, &text) || !scram_expect(&text, 'c', &value, &value_length))
        return scram_malformed(reason, "client-final-message is malformed");
    if (!binding_is_right(server, value, value_length))
        return scram_malformed(reason, "SCRAM channel binding check failed");
    if (!scram_expect(&text, 'r', &value, &value_length) || value_length != server->nonce.length ||
        memcmp(value, server->nonce.data, value_length) != 0)
        return scram_malformed(reason, "invalid SCRAM response (nonce does not match)");
    do {
        if (!scram_next(&text, &name, &value, &value_length))
            return scram_malformed(reason, "client-final-message is malformed");
    } while (name != 'p');
    if (!scram_at_end(&text) ||
        !secret_base64_read(value, value_length, proof, SCRAM_KEY_BYTES, &got) ||
        got != SCRAM_KEY_BYTES)
        return scram_malformed(reason, "malformed proof in client-final-message");
    const char *comma = value - 3; /* before "p=" */
    (void)buffer_append_char(&server->auth_message, ',');
    (void)buffer_append(&server->auth_message, data, (size_t)(comma - (const char *)data));
    assert(!server->auth_message.overflow);
    return SCRAM_OK;
}

ScramStatus scram_server_final(ScramServer *server, const void *data, size_t length, Buffer *out,
                               ScramKeys *keys, const char **reason)
{
    uint8_t proof[SCRAM_KEY_BYTES] = {0};
    uint8_t stored_key[SCRAM_KEY_BYTES];
    uint8_t signature[SCRAM_KEY_BYTES];
    if (server->phase != CHALLENGED)
        return scram_malformed(reason, "a client-final-message was not expected");
    server->phase = DONE;
    ScramStatus status = read_final(server, data, length, proof, reason);
    if (status != SCRAM_OK)
        return status;
    scram_combine(server->secret.stored_key, &server->auth_message, proof, keys->client_key);
    scram_stored_key(keys, stored_key);
    bool equal = secret_equal(stored_key, server->secret.stored_key, SCRAM_KEY_BYTES);
    if (!equal || server->doomed) {
        secret_wipe(keys, sizeof(*keys));
        return SCRAM_DENIED;
    }
    memcpy(keys->server_key, server->secret.server_key, SCRAM_KEY_BYTES);
    hash_hmac(server->secret.server_key, SCRAM_KEY_BYTES, server->auth_message.data,
              server->auth_message.length, signature);
    (void)buffer_append_str(out, "v=");
    (void)secret_base64_put(out, signature, sizeof(signature));
    return SCRAM_OK;
}
