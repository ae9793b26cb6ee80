/* What handling passwords and keys needs, by OpenSSL: memory that is wiped, comparisons whose time
 * says nothing, random bytes, derivation of keys, base64. */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Overwrites; the compiler does not leave it out. */
void secret_wipe(void *bytes, size_t length);
/* In a time that depends on length alone. */
bool secret_equal(const void *a, const void *b, size_t length);
/* The same of texts; their lengths do show. */
bool secret_equal_text(const char *a, const char *b);
/* Ends the process where the system has none: nothing that follows would be safe. */
void secret_random(void *bytes, size_t length);

void secret_sha256(const void *data, size_t length, uint8_t digest[HASH_BYTES]);
/* PBKDF2 with HMAC-SHA-256 (RFC 8018), 32 bytes. Takes about half a microsecond an iteration. */
void secret_pbkdf2(const void *password, size_t password_length, const uint8_t *salt,
                   size_t salt_length, uint32_t iterations, uint8_t key[HASH_BYTES]);

#define SECRET_MD5_SIZE 33 /* 32 lower-case digits and NUL */
/* MD5 of two pieces in a row: what PostgreSQL's "md5" passwords are made by. False where the
 * library has MD5 switched off (FIPS). */
bool secret_md5(const void *a, size_t a_length, const void *b, size_t b_length,
                char hex[SECRET_MD5_SIZE]) MUST_CHECK;

/* base64 (RFC 4648, section 4), with padding. */
bool secret_base64_put(Buffer *out, const void *bytes, size_t length);
/* Strict: no white space, padding exact, no bits left over. bytes has room for `room`; false where
 * that is too small too. */
bool secret_base64_read(const char *text, size_t text_length, uint8_t *bytes, size_t room,
                        size_t *length) MUST_CHECK;
