#include "fuzz.h"

#include "base/secret.h"
#include "pool/password.h"
#include "pool/scram_internal.h"

#include <assert.h>
#include <string.h>

/* The input is lines; in each '@' stands for the nonce so far, so that what comes after it is
 * reached. The first byte says which side gets them. */

static const uint8_t binding[32] = "the hash of some certificate...";

static void fill_in(Buffer *message, const uint8_t **data, size_t *size, const char *nonce,
                    size_t nonce_length)
{
    buffer_clear(message);
    while (*size > 0) {
        char c = (char)*(*data)++;
        (*size)--;
        if (c == '\n')
            break;
        if (c == '@')
            (void)buffer_append(message, nonce, nonce_length);
        else
            (void)buffer_append_char(message, c);
    }
}

static void known(ScramKeys *keys, ScramSecret *secret)
{
    memset(keys, 5, sizeof(*keys));
    scram_secret_make(keys, binding, 16, 1, secret);
}

/* "r=NONCE," */
static size_t nonce_of(const Buffer *challenge)
{
    const char *comma = memchr(challenge->data, ',', challenge->length);
    assert(comma && comma > challenge->data + 2);
    return (size_t)(comma - challenge->data) - 2;
}

static void try_server(bool plus, const uint8_t *data, size_t size)
{
    ScramKeys keys;
    ScramSecret secret;
    const char *reason = NULL;
    known(&keys, &secret);
    _cleanup_buffer_ Buffer message;
    _cleanup_buffer_ Buffer out;
    buffer_init(&message, BUFFER_MAX_LINE);
    buffer_init(&out, BUFFER_MAX_LINE);
    _cleanup_scram_server_ ScramServer *server =
        scram_server_create(&secret, false, plus ? binding : NULL, plus ? sizeof(binding) : 0);
    fill_in(&message, &data, &size, "", 0);
    ScramStatus status =
        scram_server_first(server, plus, message.data, message.length, &out, &reason);
    assert(status != SCRAM_DENIED && (status == SCRAM_OK) == (reason == NULL));
    if (status != SCRAM_OK) {
        assert(out.length == 0);
        return;
    }
    fill_in(&message, &data, &size, out.data + 2, nonce_of(&out));
    buffer_clear(&out);
    status = scram_server_final(server, message.data, message.length, &out, &keys, &reason);
    assert(status != SCRAM_OK); /* nobody guesses a proof */
    assert(out.length == 0 && (status == SCRAM_MALFORMED) == (reason != NULL));
}

static void try_client(bool plus, const uint8_t *data, size_t size)
{
    ScramKeys keys;
    ScramSecret secret;
    const char *reason = NULL;
    size_t length = 0;
    uint32_t iterations = 0;
    known(&keys, &secret);
    _cleanup_buffer_ Buffer message;
    _cleanup_buffer_ Buffer out;
    buffer_init(&message, BUFFER_MAX_LINE);
    buffer_init(&out, BUFFER_MAX_LINE);
    _cleanup_scram_client_ ScramClient *client =
        scram_client_create(plus ? SCRAM_BINDING_USED : SCRAM_BINDING_NONE, plus ? binding : NULL,
                            plus ? sizeof(binding) : 0);
    scram_client_first(client, &out);
    fill_in(&message, &data, &size, out.data + out.length - 24, 24);
    if (scram_client_challenge(client, message.data, message.length, &reason) != SCRAM_OK) {
        assert(reason);
        return;
    }
    (void)scram_client_salt(client, &length, &iterations);
    assert(length > 0 && length <= SCRAM_SALT_MAX);
    assert(iterations > 0 && iterations <= SCRAM_ITERATIONS_MAX);
    (void)scram_client_fits(client, &secret);
    buffer_clear(&out);
    scram_client_final(client, &keys, &out);
    assert(out.length > 0 && !out.overflow);
    fill_in(&message, &data, &size, "", 0);
    assert(scram_client_verify(client, message.data, message.length, &reason) != SCRAM_OK);
}

static void try_secret(const uint8_t *data, size_t size)
{
    ScramSecret secret;
    ScramKeys keys;
    _cleanup_free_ char *text = strndup((const char *)data, size);
    _cleanup_buffer_ Buffer again;
    buffer_init(&again, BUFFER_MAX_LINE);
    if (!text)
        abort();
    if (scram_secret_read(text, &secret)) { /* base64 is read strictly: so there is one form */
        scram_secret_print(&secret, &again);
        assert(strlen(strchr(text, ':')) == strlen(strchr(again.data, ':')));
        assert(strcmp(strchr(text, ':'), strchr(again.data, ':')) == 0);
    }
    (void)password_kind(text);
    scram_derive((const char *)data, size, binding, 16, 1, &keys); /* SASLprep */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0]) {
    case 's':
    case 'S':
        try_server(data[0] == 'S', data + 1, size - 1);
        break;
    case 'c':
    case 'C':
        try_client(data[0] == 'C', data + 1, size - 1);
        break;
    default:
        try_secret(data, size);
        break;
    }
    return 0;
}
