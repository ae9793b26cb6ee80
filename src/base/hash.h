/* SHA-256 (FIPS 180-4, by OpenSSL). */
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

static inline void cleanup_hash(HashStream **hash)
{
    hash_destroy(*hash);
}
#define _cleanup_hash_ _cleanup_(cleanup_hash)
