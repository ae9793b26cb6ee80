/* Migrations behind their guards: `migrate up` and `rollback` as people run them.
 *
 * up, everywhere: lint of what is pending (errors refuse). On staging: a round trip in a scratch
 * database first, and evidence of each file afterwards; what is known of a file before it runs is
 * kept first, so that the run after one that was killed records the evidence that is missing. On
 * production (by identity, not by label): a schema that nobody changed by hand since the last run,
 * evidence of staging for each file (same hashes, round trip passed, the schema before as it was
 * there), then a verified backup no older than backup_max_age. Each guard can be passed by with a
 * reason, which is recorded with the run.
 *
 * rollback, the guide's five steps: backup, verify, down, the application's queries, keep the
 * backup at least seven days. It stops where a step fails and says where it stands. */
#pragma once

#include "base/json.h"
#include "flows/roundtrip.h"
#include "flows/target.h"
#include "lint/lint.h"
#include "migrate/migrate.h"

#define ROLLBACK_KEEP_DAYS 7

typedef enum {
    ROLLBACK_BACKUP,
    ROLLBACK_VERIFY,
    ROLLBACK_DOWN,
    ROLLBACK_QUERIES,
    ROLLBACK_KEEP,
    ROLLBACK_DONE
} RollbackStep;

/* "backup", "verify", "down", "queries", "keep", "done" */
const char *rollback_step_name(RollbackStep step);

typedef struct {
    const char *backup_directory, *backup_name, *pg_bindir;
    BackupKeys *keys; /* for whom its backups are encrypted, if so; may be NULL */
    int64_t backup_max_age_s;
    const char *queries_directory; /* NULL: there are none */
    const StrList *ignore;         /* listed drift */
    bool no_lint;
    const char *skip_staging, *no_backup; /* reasons; NULL: not passed by */
    const char *retry;                    /* flags to name in commands to type: "-e production" */
    /* What a step of a rollback has done, or is about to do (the down). May be NULL. */
    void (*step)(void *data, RollbackStep step, const char *text);
    void *data;
} GuardSpec;

typedef struct {
    MigrateReport run;
    LintReport lint;
    RoundtripReport roundtrip; /* count 0: none was made */
    const char *backup;        /* file; NULL: none was made or needed */
    bool backup_is_new;
    StrList overrides; /* what was passed by, for people */
} GuardedReport;

/* options are those of the run; approve, applied and guardian are set here. session is with the
 * target, idle. The report is filled also on failure. */
bool guarded_up(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                MigrateOptions *options, const char *to, const GuardSpec *spec,
                GuardedReport *report, Error *err) MUST_CHECK;

/* Down and up of the newest. On staging its up is proved as by guarded_up. On production (after the
 * words that a down wants there) only the very file that is applied, after a verified backup. A
 * down alone leaves evidence as it is: that is of files, not of where they are applied. */
bool guarded_redo(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                  MigrateOptions *options, const GuardSpec *spec, GuardedReport *report,
                  Error *err) MUST_CHECK;

/* What the guards would say of a plan, a line each; none for an empty plan. */
bool guarded_preview(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                     const MigrateOptions *options, const MigrateStatus *status,
                     const MigratePlan *plan, const GuardSpec *spec, StrList *says,
                     Error *err) MUST_CHECK;

/* For BaselineSpec.judge: is what an earlier script recorded in the database, by its catalogue? */
bool guarded_history_judge(Arena *arena, Session *session, const MigrateStatus *status,
                           MigrateBaseline *baseline, Error *err) MUST_CHECK;

/* An existing database taken over (migrate_baseline), with evidence of kind "baseline"
 * for what was entered. That proves nothing to the gate: it says what was there at the start. */
bool guarded_baseline(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                      MigrateOptions *options, const BaselineSpec *what, const GuardSpec *spec,
                      MigrateBaseline *baseline, Error *err) MUST_CHECK;

typedef struct {
    MigrateReport run;
    RollbackStep reached; /* the step that failed, or ROLLBACK_DONE */
    bool begun;           /* false: there was nothing to undo */
    const char *backup;   /* NULL: none was made */
    int64_t keep_until;   /* unix s */
    size_t queries;       /* that worked after the down */
    StrList broken;       /* queries that ran before and do not now: "name: message" */
    StrList broken_before;
} RollbackReport;

bool guarded_rollback(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                      MigrateOptions *options, int64_t steps, const char *to, const GuardSpec *spec,
                      RollbackReport *report, Error *err) MUST_CHECK;
