/* Migrations: the guide's files, run in order, each recorded in the guide's ledger.
 *
 *     up       runs what is pending      down     undoes what was applied last
 *     redo     down and up of the last   status   what is applied, pending, partial, changed,
 * missing verify   does the ledger still agree with the files?          new   the next pair of
 * files
 *
 * Invariants. One run at a time (lock.h). The ledger row is inserted first inside the file's own
 * transaction, so it is there exactly when the file's effects are. A file that cannot run in a
 * transaction is recorded statement by statement in the table of runs, and gets its ledger row
 * together with the end of its run; until then it is partial, and the next up continues it. So a
 * failure or a kill at any moment leaves status true and the next up able to go on.
 *
 * Nothing here knows of environments, guards or backups: those stand before it in flows and cli. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "migrate/files.h"
#include "migrate/ledger.h"
#include "migrate/script.h"
#include "pg/schema.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

/* What to do with a statement that a kill interrupted, where nothing tells whether it took effect
 * (a CALL; everything else is looked up in the catalogue). */
typedef enum { UNKNOWN_REFUSE, UNKNOWN_AGAIN, UNKNOWN_DONE } UnknownOutcome;

typedef struct {
    const char *name; /* "001_initial_schema.sql"; the down file's for a down */
    RunDirection direction;
    bool transactional;
    size_t statements, first; /* first: where it continues, 0 at the beginning */
    int64_t duration_ms;      /* in `finished` only */
} MigrateEvent;

/* ---- what is there ----------------------------------------------------------------------- */

typedef enum {
    MIGRATION_APPLIED,
    MIGRATION_PENDING,
    MIGRATION_PARTIAL, /* its statements have run up to some point */
    MIGRATION_CHANGED, /* applied, and the file differs now */
    MIGRATION_MISSING, /* applied, and there is no file */
} MigrationState;

const char *migration_state_name(MigrationState state);

typedef struct {
    const char *name;
    MigrationState state;
    const char *checksum;      /* the ledger's where it has one, else the file's */
    const char *applied_at;    /* NULL when not applied */
    const MigrationFile *file; /* NULL when missing */
    const LedgerEntry *entry;  /* NULL when not applied */
    const LedgerRun *run;      /* that is half done, NULL when none is */
} Migration;

/* An INVALID index: a build that failed or was interrupted, and that no query uses. */
typedef struct {
    const char *index;     /* "public.big_a" */
    const char *migration; /* that is half done and left it; NULL when none is known */
    const char *message;   /* with the command that mends it */
} MigrateInvalid;

typedef struct {
    MigrationFiles files;
    Ledger ledger;
    Migration *items; /* files in their order, then the missing in the order of the ledger */
    size_t count;
    LedgerEntry *entries; /* in the order they were applied */
    size_t entry_count;
    MigrateInvalid *invalid; /* that nobody builds at the moment */
    size_t invalid_count;
    StrList warnings;    /* what is odd and does not stop anything, for people */
    StrList adoptable;   /* the last of them: of what a baseline would take over */
    const char *running; /* a run in progress, or a statement that an ended one left; NULL */
} MigrateStatus;

/* Reads only: makes no table, takes no lock. */
bool migrate_status(Arena *arena, Session *session, const char *directory, const char *ledger_table,
                    MigrateStatus *status, Error *err) MUST_CHECK;
size_t migrate_status_count(const MigrateStatus *status, MigrationState state);
/* The migration of that name that has a file; NULL for none. */
const Migration *migrate_status_file(const MigrateStatus *status, const char *name);

typedef struct {
    const char *name;
    const char
        *problem; /* changed, missing, partial, orphan, duplicate, unreadable, invalid, ... */
    const char *message;
} MigrateFinding;

typedef struct {
    MigrateFinding *items;
    size_t count, capacity;
} MigrateFindings;

/* Everything that keeps the ledger, the folder and each other from agreeing; pending files are also
 * read and understood. */
bool migrate_verify(Arena *arena, Session *session, const char *directory, const char *ledger_table,
                    MigrateFindings *findings, Error *err) MUST_CHECK;

/* ---- the schema as the last run left it -------------------------------------------------- */

typedef enum {
    DRIFT_NONE,
    DRIFT_FOUND,
    DRIFT_NO_SNAPSHOT, /* no run of this version has ended here yet */
    DRIFT_STALE,       /* something ran since that left none: a run that was killed, or by hand */
    DRIFT_OTHER_MAJOR, /* of the server, whose texts differ */
} DriftState;

/* "none", "found", "no_snapshot", "stale", "other_major" */
const char *drift_state_name(DriftState state);

typedef struct {
    DriftState state;
    SchemaDiff diff;      /* from the snapshot to now; listed drift left out */
    const char *since;    /* newest entry of the ledger, "" when there is none */
    const char *taken_at; /* NULL: no snapshot */
    const char *reason;   /* why it was taken for right; NULL: it is what a run left */
    int snapshot_major, server_major;
    char fingerprint[HASH_HEX_SIZE]; /* of now, without grants, nothing else left out */
} MigrateDrift;

/* What the ledger alone tells: does the newest snapshot belong to it as it is now? DRIFT_NONE where
 * it does. Nothing is read of the schema. */
bool migrate_drift_books(Arena *arena, Session *session, const Ledger *ledger, MigrateDrift *drift,
                         Error *err) MUST_CHECK;
/* The live schema against the newest snapshot, owners and privileges too if asked. Reads only. */
bool migrate_drift(Arena *arena, Session *session, const char *ledger_table, const StrList *ignore,
                   bool with_grants, MigrateDrift *drift, Error *err) MUST_CHECK;

/* The migration of that name, with or without its ".sql"; the nearest is named where there is none.
 */
bool migrate_status_find(Arena *arena, const MigrateStatus *status, const char *name,
                         const Migration **migration, Error *err) MUST_CHECK;

/* ---- what will be done ------------------------------------------------------------------- */

typedef struct {
    const char *name;      /* in the ledger */
    const char *file_name; /* the file that runs */
    RunDirection direction;
    Script script;
    const Migration *migration;
} MigrateStep;

typedef struct {
    MigrateStep *steps;
    size_t count;
} MigratePlan;

/* The files up to and with `to` (NULL: all) that up would run. Refuses what up refuses. */
bool migrate_plan_up(Arena *arena, const MigrateStatus *status, const char *to, MigratePlan *plan,
                     Error *err) MUST_CHECK;
/* Refuses a plan with pending files that sort before the newest applied one. */
bool migrate_check_order(Arena *arena, const MigrateStatus *status, const MigratePlan *plan,
                         Error *err) MUST_CHECK;
/* The newest `steps` ones, or all that were applied after `to`, newest first. */
bool migrate_plan_down(Arena *arena, const MigrateStatus *status, int64_t steps, const char *to,
                       MigratePlan *plan, Error *err) MUST_CHECK;

/* ---- doing it ---------------------------------------------------------------------------- */

/* What is about to run, for approval: the locks are held, nothing of it has run. */
typedef struct {
    const MigrateStatus *status;
    const MigratePlan *plan;
    const MigrateDrift *drift; /* since the run before */
    Session *session;          /* idle, outside a transaction; for reading */
    /* Set by whoever approves, recorded with each run; NULL for none. */
    const char *backup_id; /* of the backup that was made for it */
    const char *overrides; /* JSON: guards that were passed by, and why */
} MigrateReview;

typedef struct {
    const char *conninfo;
    const char *dbname;       /* replaces the database of conninfo; NULL keeps it */
    const char *directory;    /* of migrations, absolute */
    const char *ledger_table; /* "schema_migrations" */
    int64_t lock_timeout_ms;  /* for each lock, inside transactions; then retry */
    int lock_attempts;        /* tries of a file until its locks are had */
    int64_t wait_ms;          /* for another run to end */
    UnknownOutcome unknown;
    bool no_snapshot;        /* of the schema, at the end: for databases that are soon dropped */
    bool allow_out_of_order; /* files before the newest applied one may run */
    const StrList *drift_ignore; /* listed drift, that is not spoken of; NULL: none */
    Log *log;
    /* All may be NULL. `locked` comes first, when the locks are held and nothing is planned yet (up
     * and redo). A run that is not approved runs nothing and fails with the error given; it is not
     * asked when there is nothing to do, and a redo asks once more between its down and its up. One
     * whose `applied` fails stops after that file, which stays applied. */
    bool (*locked)(void *data, const MigrateStatus *status, Session *session, Error *err);
    bool (*approve)(void *data, MigrateReview *review, Error *err);
    bool (*applied)(void *data, const MigrateStep *step, Session *session, int64_t duration_ms,
                    Error *err);
    void (*started)(void *data, const MigrateEvent *event);
    void (*finished)(void *data, const MigrateEvent *event);
    void *data;     /* of started and finished */
    void *guardian; /* of locked, approve and applied */
} MigrateOptions;

typedef struct {
    StrList done;       /* names in the ledger, in the order they were done */
    const char *failed; /* name of the file that failed, NULL */
    ScriptPlace place;  /* in it */
    StrList warnings;
} MigrateReport;

/* The report is filled also on failure, with what was done before it. */
bool migrate_up(Arena *arena, const MigrateOptions *options, const char *to, MigrateReport *report,
                Error *err) MUST_CHECK;
bool migrate_down(Arena *arena, const MigrateOptions *options, int64_t steps, const char *to,
                  MigrateReport *report, Error *err) MUST_CHECK;
bool migrate_redo(Arena *arena, const MigrateOptions *options, MigrateReport *report,
                  Error *err) MUST_CHECK;

/* Takes a snapshot under the locks of a run: what is there now is right, for that reason. */
bool migrate_accept_drift(Arena *arena, const MigrateOptions *options, const char *reason,
                          Error *err) MUST_CHECK;

/* The books put right by somebody who knows better; no file runs. */
typedef enum {
    REPAIR_ACCEPT_CHECKSUM, /* the changed file is right as it is now */
    REPAIR_APPLIED,         /* all of it is there, whatever the books say */
    REPAIR_PENDING,         /* nothing of it is there */
} RepairKind;

typedef struct {
    const char *name; /* in the ledger */
    MigrationState before, after;
    const char *old_checksum, *checksum; /* in the ledger; NULL for none */
    bool needed;                         /* false: it is so already, nothing is written */
} MigrateRepair;

/* What a repair would do; refuses what cannot be meant. name may lack its ".sql". */
bool migrate_repair_plan(Arena *arena, const MigrateStatus *status, const char *name,
                         RepairKind kind, MigrateRepair *repair, Error *err) MUST_CHECK;
/* Does it under the locks of a run, in one transaction, and records the reason in the table of
 * runs. What is known of the schema since the last run stays known. */
bool migrate_repair(Arena *arena, const MigrateOptions *options, const char *name, RepairKind kind,
                    const char *reason, MigrateRepair *repair, Error *err) MUST_CHECK;

/* Why an entry of the ledger is not believed. */
typedef struct {
    size_t expected;       /* objects of it that should be there */
    StrList missing;       /* of those: "table public.a" */
    const char *undone_by; /* a down that was recorded after it; NULL */
    const char *doubt;     /* a file with code that may have removed what is missing; NULL */
} MigrateSuspicion;

typedef struct {
    const Migration *migration;
    const char *applied_at;            /* by the other tool's ledger; NULL: not known */
    const MigrateSuspicion *suspicion; /* NULL: none */
} MigrateBaselined;

typedef struct {
    MigrateBaselined *items; /* that are entered, in their order */
    size_t count;
    size_t already; /* that the ledger had before */
    StrList warnings;
    StrList unmatched; /* entries of the other tool's ledger without a file */
    StrList noted;     /* entries of ours that are no migration: downs, and those without a file */
} MigrateBaseline;

/* An existing database taken over: what it holds is entered in the ledger, and not run. `to` or
 * `from` says what that is. Where `from` is our own ledger, another script wrote it: then what no
 * run of ours has recorded is judged, and entered in the table of runs. */
typedef struct {
    const char *to;             /* the newest migration that is there */
    const char *from;           /* table of another tool: dbmate, golang-migrate, Flyway, Sqitch */
    const char *project;        /* of Sqitch, whose ledger holds several; NULL: there is one */
    const char *accept_missing; /* why entries under suspicion are taken over; NULL: they are not */
    /* Sets suspicions of what an earlier script has recorded. May be NULL. */
    bool (*judge)(Arena *arena, Session *session, const MigrateStatus *status,
                  MigrateBaseline *baseline, Error *err);
} BaselineSpec;

/* What a baseline would enter. Refuses half-done ones, files that differ from what the other tool
 * ran, and its ledger where that has the place of ours. It points into status. */
bool migrate_baseline_plan(Arena *arena, Session *session, const MigrateOptions *options,
                           const MigrateStatus *status, const BaselineSpec *spec,
                           MigrateBaseline *baseline, Error *err) MUST_CHECK;
/* ERR_PROBLEMS where entries are under suspicion, and spec does not accept that. */
bool migrate_baseline_verdict(const BaselineSpec *spec, const MigrateBaseline *baseline,
                              Error *err) MUST_CHECK;
/* Does it under the locks of a run, in one transaction, with a snapshot of the schema. Afterwards
 * options->applied is called for all that this and earlier baselines entered; where that fails the
 * entries stay. */
bool migrate_baseline(Arena *arena, const MigrateOptions *options, const BaselineSpec *spec,
                      MigrateBaseline *baseline, Error *err) MUST_CHECK;
/* The other tool's ledger alone: can it be read, and is it not in the place of ours? */
bool migrate_baseline_check(Arena *arena, Session *session, const BaselineSpec *spec,
                            const char *ledger_table, Error *err) MUST_CHECK;

typedef struct {
    const char *up_path, *down_path;
} MigrateNew;

/* Makes the next number's pair of files, with a template, and the folder where it is missing. */
bool migrate_new(Arena *arena, const char *directory, const char *name, MigrateNew *made,
                 Error *err) MUST_CHECK;
