/* What is remembered of backups, by the SHA-256 of the file: renaming or moving it changes nothing.
 */
#pragma once

#include "state/state.h"

#define STATE_REASON_SIZE 80
#define STATE_URL_SIZE    200

typedef struct {
    bool verified; /* the last verification that inflated it all passed, and none failed since */
    int64_t verified_at; /* 0: never */
    int64_t drilled_at;  /* 0: never */
    bool drill_passed;   /* the last one */
    int64_t keep_until;  /* unix s, 0: not held; nothing may delete it before */
    char keep_reason[STATE_REASON_SIZE];
    int64_t offsite_at; /* when it was last seen in an off-site store, whole; 0: never */
    char offsite_url[STATE_URL_SIZE];
} StateBackup;

/* Never seen is all zeros. */
bool state_backup_get(State *state, const char *sha256, StateBackup *backup, Error *err) MUST_CHECK;
/* A verification of level (0-4) has ended. Below 2 a good one changes nothing; a bad one always
 * takes the "verified" away. */
bool state_backup_verified(State *state, const char *sha256, const char *path, int level, bool ok,
                           int64_t at_unix_s, Error *err) MUST_CHECK;
bool state_backup_drilled(State *state, const char *sha256, const char *path, bool passed,
                          int64_t at_unix_s, Error *err) MUST_CHECK;
/* It was put into an off-site store, got from it, or looked up there. */
bool state_backup_offsite(State *state, const char *sha256, const char *url, int64_t at_unix_s,
                          Error *err) MUST_CHECK;
/* It is not there any more. */
bool state_backup_not_offsite(State *state, const char *sha256, Error *err) MUST_CHECK;
/* Holds it until then; a hold that is longer already stays. reason: "made before migrate rollback".
 */
bool state_backup_hold(State *state, const char *sha256, const char *path, int64_t keep_until,
                       const char *reason, Error *err) MUST_CHECK;
