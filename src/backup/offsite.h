/* Backups in an off-site store: the same three files under the same names.
 *
 * As in a folder, the manifest makes a file a backup, and it is put last. Where state is not NULL
 * it is remembered that the backup is there. */
#pragma once

#include "backup/backup.h"
#include "backup/manifest.h"
#include "base/log.h"
#include "state/state.h"
#include "store/store.h"

typedef struct {
    const char *path; /* of the backup in the folder, absolute */
    Manifest manifest;
    bool already;       /* nothing had to be sent or got */
    int64_t sent_bytes; /* by a push, over the wire, of all files */
    const char *reused; /* the backup in the store that the rest is of; NULL: none, or an upload
                         * that an earlier push began was continued */
    double seconds;
} OffsiteResult;

/* Sends the backup at path, after its SHA-256 was compared with the manifest: a damaged one is
 * ERR_PROBLEMS. One that is there already is looked at and not sent again; another one under the
 * same name is ERR_REFUSED. Members that the newest backup in the store has are not sent where its
 * server can copy them; the object is one whole file all the same. */
bool backup_push(Arena *arena, Log *log, State *state, Store *store, const char *path,
                 OffsiteResult *result, Error *err) MUST_CHECK;
/* Gets a backup into a folder, where it lists only when it is whole and its SHA-256 is right. name
 * is that of the backup, with or without the suffix. One that is not in the store is ERR_USAGE. */
bool backup_pull(Arena *arena, Log *log, State *state, Store *store, const char *name,
                 const char *directory, OffsiteResult *result, Error *err) MUST_CHECK;
/* The name of the newest backup in the store by the time in its name; env NULL: of all. None is
 * ERR_USAGE. */
bool backup_offsite_newest(Arena *arena, Store *store, const char *env, const char **name,
                           Error *err) MUST_CHECK;
/* Is a backup with this manifest's name and SHA-256 in the store, with all of its bytes? */
bool backup_offsite_has(Arena *arena, Store *store, const Manifest *manifest, bool *has,
                        Error *err) MUST_CHECK;

/* backup_prune for the backups of an environment that are in the store: the same rules, by the
 * manifests that are there. What this machine never verified stays, whatever its age; a manifest
 * that cannot be read is ERR_REFUSED, and nothing is deleted then. path of an entry is its name. */
bool backup_prune_offsite(Arena *arena, State *state, Store *store, const char *env,
                          const RetentionPolicy *policy, bool dry_run, PruneRow **rows,
                          size_t *count, Error *err) MUST_CHECK;
