/* Where backups are kept besides this machine: one flat set of named objects behind a URL.
 *
 *     /srv/backups, file:///srv/backups     a folder: a second disk, a mounted share
 *     s3://BUCKET[/PREFIX]                  Amazon S3 or any server that speaks its protocol
 *     sftp://USER@HOST[:PORT]/FOLDER        a server with SSH; /~/FOLDER is in the user's home
 *
 * Names are those of files: no '/', no control characters, not beginning with '.'. An object is
 * there whole or not at all, whatever happens to a put.
 *
 * What fails for a moment (a connection that broke, a server that is busy) is tried again here, for
 * as long as the settings say. After that the error is ERR_UNREACHABLE: a later try can succeed,
 * and a put continues where this one stopped. ERR_REFUSED is what the credentials may not do (some
 * may only write). ERR_FAILED and ERR_USAGE are final until somebody changes something. No error,
 * log line or argument of a process holds a secret. */
#pragma once

#include "base/buffer.h"
#include "base/log.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Store Store;

typedef struct {
    const char *endpoint;         /* "http://127.0.0.1:8080"; NULL: Amazon's own of the region */
    const char *region;           /* NULL: us-east-1 */
    bool path_style;              /* ENDPOINT/BUCKET/KEY rather than BUCKET.ENDPOINT/KEY */
    const char *credentials_file; /* as ~/.aws/credentials, which is read when this is NULL */
    const char *key_file;         /* of SFTP; NULL: ~/.ssh/id_ed25519, id_ecdsa or id_rsa */
    const char *known_hosts;      /* NULL: ~/.ssh/known_hosts */
    int64_t bytes_per_second;     /* of each put and get; 0: as fast as it goes */
    int64_t retry_ms;             /* how long a request is tried again */
    int jobs;                     /* parts that are sent at once; 0: 4 */
} StoreSettings;

typedef struct {
    const char *name;
    int64_t bytes;
    int64_t modified_at; /* seconds since 1970; 0: the store did not say */
    const char *sha256;  /* of the content, as the put said it; NULL: not known, and in lists */
} StoreObject;

typedef struct {
    StoreObject *items; /* by name, bytewise */
    size_t count, capacity;
} StoreList;

/* The store lives in the arena; the settings are copied. A URL that is wrong, or credentials that
 * are missing, are ERR_USAGE; nothing is sent yet. Credentials come from AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else from the profile AWS_PROFILE ("default") of the
 * credentials file. */
bool store_open(Arena *arena, Log *log, const char *url, const StoreSettings *settings,
                Store **store, Error *err) MUST_CHECK;
void store_close(Store *store); /* NULL is allowed */
/* For people and logs. */
const char *store_url(const Store *store);

/* Puts a whole file under a name, over what is there. sha256 (64 digits) is that of the file: the
 * content is checked against it where the driver reads it all, and kept with the object. Large
 * files show progress, and continue what an earlier put left unfinished. */
bool store_put_file(Store *store, const char *path, const char *name, const char *sha256,
                    Error *err) MUST_CHECK;
/* Bytes of a file that an object of the store has already, elsewhere perhaps. */
typedef struct {
    int64_t offset;
    int64_t length;
    int64_t source; /* in the object */
} StoreRange;

typedef struct {
    const char *object;
    const StoreRange *ranges; /* in the order of offset; none overlaps another */
    size_t count;
    /* Objects SCRATCH.piece-1, 2, ... may be made and are deleted again; two puts at a time must
     * not have the same. */
    const char *scratch;
} StoreReuse;

/* Can the server put an object together from pieces of others? */
bool store_composes(const Store *store);
/* The same, and what reuse names is put there by the server where that is possible. Each piece must
 * be the one of the file, or it is sent. *sent: bytes of the file that went over the wire, those of
 * second tries too; also there after a failure. */
bool store_put_reusing(Store *store, const char *path, const char *name, const char *sha256,
                       const StoreReuse *reuse, int64_t *sent, Error *err) MUST_CHECK;
/* Gets a whole object into a file, which is made (0600) or overwritten; synced when this returns. A
 * connection that breaks is continued where it broke. An object that is not there is ERR_USAGE. */
bool store_get_file(Store *store, const char *name, const char *path, Error *err) MUST_CHECK;
/* Appends length bytes from offset on. Fewer there is ERR_FAILED. */
bool store_read(Store *store, const char *name, int64_t offset, size_t length, Buffer *buffer,
                Error *err) MUST_CHECK;
/* *found false, and no error, when there is none of that name. */
bool store_head(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                Error *err) MUST_CHECK;
/* All objects whose name begins with prefix; complete, or an error. */
bool store_list(Store *store, Arena *arena, const char *prefix, StoreList *list,
                Error *err) MUST_CHECK;
/* One that is not there is success. */
bool store_delete(Store *store, const char *name, Error *err) MUST_CHECK;

static inline void cleanup_store(Store **store)
{
    store_close(*store);
}
#define _cleanup_store_ _cleanup_(cleanup_store)
