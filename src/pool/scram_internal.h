/* What both sides of an exchange share; for scram*.c and its test. */
#pragma once

#include "pool/scram.h"

#define SCRAM_NONCE_BYTES 18 /* 24 characters */

/* A message of attributes, "a=value,b=value". */
typedef struct {
    const char *at;
    const char *end;
    bool more; /* a comma was read, so another attribute must follow */
} ScramText;

/* False where data is too long or has a NUL in it. */
bool scram_text(const void *data, size_t length, ScramText *text) MUST_CHECK;
/* The next attribute, its value up to a comma or the end. *name is a letter. */
bool scram_next(ScramText *text, char *name, const char **value, size_t *length) MUST_CHECK;
/* The next, which must be this one. */
bool scram_expect(ScramText *text, char name, const char **value, size_t *length) MUST_CHECK;
bool scram_at_end(const ScramText *text);
/* Printable ASCII, and something. */
bool scram_nonce_valid(const char *nonce, size_t length);
void scram_nonce_put(Buffer *out);

void scram_stored_key(const ScramKeys *keys, uint8_t stored_key[SCRAM_KEY_BYTES]);
/* HMAC(stored key, auth message) combined with the client key, or with the proof: either way the
 * other one comes out. */
void scram_combine(const uint8_t stored_key[SCRAM_KEY_BYTES], const Buffer *auth_message,
                   const uint8_t in[SCRAM_KEY_BYTES], uint8_t result[SCRAM_KEY_BYTES]);

static inline ScramStatus scram_malformed(const char **reason, const char *text)
{
    *reason = text;
    return SCRAM_MALFORMED;
}
