/* Data keys in STATE/backup-keys (seal_keys.h), and files with secrets in general. */
#pragma once

#include "backup/seal_header.h"
#include "base/str.h"

typedef struct {
    SealKey key;
    const uint8_t *header;
    size_t header_length;
    const char *directory;     /* of the backups, absolute */
    const StrList *recipients; /* sorted */
    int64_t made_at;           /* ns since 1970 */
} StoredKey;

/* Keeps a key; made_at is set here. */
bool seal_store_put(Arena *arena, const char *state_directory, StoredKey *stored,
                    Error *err) MUST_CHECK;
/* By its ID; *found false, and that no error, when it is not here. */
bool seal_store_get(Arena *arena, const char *state_directory, const uint8_t id[SEAL_ID_BYTES],
                    bool *found, StoredKey *stored, Error *err) MUST_CHECK;
/* The newest of a folder for exactly these recipients; NULL: for any. */
bool seal_store_newest(Arena *arena, const char *state_directory, const char *directory,
                       const StrList *recipients, bool *found, StoredKey *stored,
                       Error *err) MUST_CHECK;

/* A file that others may read is ERR_REFUSED, one that is not there ERR_USAGE. The caller
 * overwrites text. */
bool seal_store_read_secret(const char *path, char *text, size_t size, Error *err) MUST_CHECK;
