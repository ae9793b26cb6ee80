/* Between the files of guarded.h. */
#pragma once

#include "flows/guarded.h"
#include "state/evidence.h"

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
/* Would one that is there do? *path NULL: a new one would be made. */
bool guard_backup_look(const Guard *guard, const char **path, Error *err) MUST_CHECK;
/* A verified one that is young enough, or a new one; held. What stands in the way is ERR_REFUSED:
 * nothing was migrated. */
bool guard_backup_need(const Guard *guard, const char **path, bool *is_new, Error *err) MUST_CHECK;

/* ---- guarded_schema.c -------------------------------------------------------------------- */

/* What evidence compares: without extensions, which the two hosts may install differently, and
 * without listed drift. */
bool guard_schema_read(const Guard *guard, Session *session, Schema *schema, Error *err) MUST_CHECK;
/* Keeps it for the day when a fingerprint does not match. */
bool guard_schema_remember(const Guard *guard, const Schema *schema, Error *err) MUST_CHECK;
/* Of evidence, with what is listed drift by now left out; NULL: not at hand. */
bool guard_schema_recall(const Guard *guard, const char *fingerprint, const Schema **schema,
                         Error *err) MUST_CHECK;
/* "\n  + table ...", what differs, indented for a message. */
const char *guard_schema_difference(const Guard *guard, const Schema *before, const Schema *after);
const char *guard_diff_text(const Guard *guard, const SchemaDiff *diff);

/* ---- guarded_proof.c: staging ------------------------------------------------------------ */

typedef struct {
    RoundtripReport *roundtrip;
    const LintReport *lint; /* NULL: not linted */
    const char *why_not;    /* no round trip was made; NULL: one was */
    const MigratePlan *plan;
    size_t at;     /* the step of it that is about to run */
    Evidence next; /* of that step, without what only its end tells */
    StrList *warnings;
} Proof;

/* Evidence of a file that had run when the run was killed. status was read under the locks. */
bool guard_proof_settle(const Guard *guard, const MigrateStatus *status, Session *session,
                        Error *err) MUST_CHECK;

/* The round trip of what is about to run, and the schema before it. */
bool guard_proof_begin(const Guard *guard, const MigrateReview *review, Proof *proof,
                       Error *err) MUST_CHECK;
/* Of the down of a migration; "" where there is none. */
bool guard_down_checksum(Arena *arena, const MigrationFile *file, const char **checksum,
                         Error *err) MUST_CHECK;
/* Evidence of a file that has run. */
bool guard_proof_record(const Guard *guard, const MigrateStep *step, Session *session,
                        int64_t duration_ms, Proof *proof, Error *err) MUST_CHECK;

/* ---- guarded_gate.c: production ---------------------------------------------------------- */

/* ERR_REFUSED unless staging proved every file of the plan. *after is the fingerprint that staging
 * had in the end. */
bool guard_gate_check(const Guard *guard, const MigrateReview *review, StrList *warnings,
                      const char **after, Error *err) MUST_CHECK;
/* The schema is now what it was in staging, or there is a warning. */
bool guard_gate_compare(const Guard *guard, const char *after, StrList *warnings,
                        Error *err) MUST_CHECK;
