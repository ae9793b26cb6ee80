/* What the files about backups in a store share. */
#pragma once

#include "backup/offsite.h"

/* The text of the manifest of a backup in the store; *text NULL when there is none. One that is
 * damaged, or of another file, is ERR_PROBLEMS. */
bool offsite_manifest(Arena *arena, Store *store, const char *file, const char **text,
                      Manifest *manifest, Error *err) MUST_CHECK;
/* Is the data of a manifest there? A store that keeps hashes is asked for the hash, too. */
bool offsite_has_data(Arena *arena, Store *store, const Manifest *manifest, bool *has,
                      Error *err) MUST_CHECK;
/* Is it the manifest of NAME-ENV-YYYYMMDD-HHMMSS.sql.gz (or .sql.gz.enc), and of env (NULL: any)?
 * *file is then that name, and *moment the time in it. */
bool offsite_name(Arena *arena, const char *object, const char *env, const char **file,
                  int64_t *moment);
/* Fills rows[i] with what is remembered of list->items[i]; the last drilled of each line stays. */
bool prune_look_up(Arena *arena, State *state, const BackupList *list, PruneRow *rows,
                   Error *err) MUST_CHECK;
/* What of a backup the newest one of its line in the store has already; reuse->count is 0 where
 * there is none, where it may not be read, and where the server could make no use of it. */
bool offsite_reuse(Arena *arena, Log *log, Store *store, const Manifest *ours, StoreReuse *reuse,
                   Error *err) MUST_CHECK;
