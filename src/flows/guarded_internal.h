/* Between the files of guarded.h. */
#pragma once

#include "flows/guarded.h"

typedef struct {
    Arena *arena;
    Log *log;
    State *state;
    const Target *target;
    Session *session;
    const MigrateOptions *options;
    const GuardSpec *spec;
} Guard;

/* ---- guarded_backup.c -------------------------------------------------------------------- */

/* Makes one of the target's database; not verified yet. */
bool guard_backup_make(const Guard *guard, const char *reason, BackupResult *made,
                       Error *err) MUST_CHECK;
/* At level 2; one that is not whole is ERR_PROBLEMS. */
bool guard_backup_verify(const Guard *guard, const BackupResult *made, Error *err) MUST_CHECK;
bool guard_backup_hold(const Guard *guard, const char *path, const char *sha256, const char *reason,
                       int64_t *keep_until, Error *err) MUST_CHECK;
/* A verified one that is young enough, or a new one; held. What stands in the way is ERR_REFUSED:
 * nothing was migrated. */
bool guard_backup_need(const Guard *guard, const char **path, bool *is_new, Error *err) MUST_CHECK;
