/* SHA-256 (FIPS 180-4), and what S3 wants besides: HMAC and MD5. All by OpenSSL. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES    32
#define HASH_HEX_SIZE 65 /* 64 lower-case digits and NUL */

typedef struct HashStream HashStream;

/* The caller owns the stream: `_cleanup_hash_ HashStream *hash = hash_create();` */
HashStream *hash_create(void);
void hash_update(HashStream *hash, const void *data, size_t length);
/* Fills hex; the stream can only be destroyed after. */
void hash_finish(HashStream *hash, char hex[HASH_HEX_SIZE]);
void hash_destroy(HashStream *hash); /* NULL is allowed */

void hash_bytes(const void *data, size_t length, char hex[HASH_HEX_SIZE]);
bool hash_file(const char *path, char hex[HASH_HEX_SIZE], int64_t *bytes, Error *err) MUST_CHECK;

/* HMAC-SHA-256 (RFC 2104). */
void hash_hmac(const void *key, size_t key_length, const void *data, size_t length,
               unsigned char mac[HASH_BYTES]);
/* The digits of length bytes, lower case; hex holds 2 * length + 1. */
void hash_to_hex(const unsigned char *bytes, size_t length, char *hex);

/* MD5 is what object stores call a part by; it protects nothing. */
typedef enum { HASH_SHA256, HASH_MD5 } HashKind;
/* Of length bytes of an open file, from offset on; a shorter file is an error. */
bool hash_range(int descriptor, const char *path, int64_t offset, int64_t length, HashKind kind,
                char hex[HASH_HEX_SIZE], Error *err) MUST_CHECK;

static inline void cleanup_hash(HashStream **hash)
{
    hash_destroy(*hash);
}
#define _cleanup_hash_ _cleanup_(cleanup_hash)
