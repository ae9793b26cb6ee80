/* Inside of the room: a run in progress, and how one file runs. */
#pragma once

#include "migrate/lock.h"
#include "migrate/migrate.h"
#include "migrate/progress.h"

typedef struct {
    const MigrateOptions *options;
    Arena *arena;
    Session *guard; /* holds the lock of the run and keeps the books; never in a transaction */
    Session *work;  /* runs the files; NULL after a failure */
    bool clean;     /* work has met no file since it was made clean */
    Ledger ledger;
    int version; /* of the server */
    MigrateReview review;
    MigrateDrift drift;   /* since the run before, as far as it was looked for */
    bool behind;          /* the run before left no snapshot of the schema */
    const char *taken_in; /* what the next one takes in unseen, for the record; NULL: nothing */
    StatementWatch watch; /* of work, by guard */
} Runner;

/* Connects, takes both locks, makes the ledger. */
bool runner_open(Runner *runner, Arena *arena, const MigrateOptions *options,
                 Error *err) MUST_CHECK;
void runner_close(Runner *runner);
#define _cleanup_runner_ _cleanup_(runner_close)
/* A work session that holds its lock. */
bool runner_need_work(Runner *runner, Error *err) MUST_CHECK;

/* snapshot.c: the schema as the last run left it, bound to a position of the books. */

/* Reads it; the session must be outside of a transaction. */
bool snapshot_read(Arena *arena, Session *session, const Ledger *ledger, Schema *schema,
                   Error *err) MUST_CHECK;
/* Stores it for the books as they are, or as they are in the transaction. reason: NULL, or why it
 * is taken for right otherwise than by a run that ended. */
bool snapshot_write(Session *session, const Ledger *ledger, const Schema *schema,
                    const char *reason, Error *err) MUST_CHECK;
/* Both. */
bool snapshot_take(Session *session, const Ledger *ledger, const char *reason,
                   Error *err) MUST_CHECK;
/* Is there one of the books as they are? */
bool snapshot_is_current(Arena *arena, Session *session, const Ledger *ledger, bool *current,
                         Error *err) MUST_CHECK;
/* For whoever changes the books and not the schema: takes a current one along. */
char *snapshot_sql_follow(Arena *arena, const Ledger *ledger);
/* What the books tell of it, and what has changed since: where the books have gone on, and with
 * with_schema always. */
bool snapshot_look(Arena *arena, Session *session, const Ledger *ledger, const StrList *ignore,
                   bool with_schema, MigrateDrift *drift, Error *err) MUST_CHECK;
/* At the end of a run that may have changed the schema; a failure is a warning in the report. */
void runner_take_snapshot(Runner *runner, MigrateReport *report);

/* look_back.c: before a run, what has changed since the one before; the next snapshot takes it in.
 * What keeps from looking is said and recorded like drift. */
bool runner_look_back(Runner *runner, bool will_run, MigrateReport *report, Error *err) MUST_CHECK;
/* Says it, once the run is approved, and has it recorded with the run. */
void runner_tell_drift(Runner *runner, MigrateReport *report);
void runner_record_drift(Runner *runner);

/* Runs one file. On failure *report's place is set where it is known, and what failed is recorded.
 */
bool runner_run_step(Runner *runner, const MigrateStep *step, MigrateReport *report,
                     Error *err) MUST_CHECK;

/* A file that runs statement by statement; the run is recorded already (run). */
typedef struct {
    Runner *runner;
    Arena *arena; /* of this file */
    const MigrateStep *step;
    const RunFacts *facts;
    int64_t run;
    int64_t started_ms;
    size_t at;          /* the statement that runs */
    const char *before; /* what was there before it, where that was noted; NULL */
} StepRun;

/* Sends one statement, with its COPY data. */
bool step_send(StepRun *now, size_t index, Error *err) MUST_CHECK;
/* May its statements be sent in one message? */
bool step_fits_message(const Script *script);
/* Sends them between `begin`, which holds so many statements, and `end`. On failure now->at is the
 * statement, or the count for begin and end; *began says which of those. */
bool step_send_together(StepRun *now, const char *begin, size_t begin_count, const char *end,
                        bool *began, Error *err) MUST_CHECK;
/* Text that makes the session as new, for the front of a file. */
const char *step_clean_session(const StepRun *now, int64_t lock_timeout_ms);
/* Why that text failed. Returns false. */
bool step_explain_lock(const StepRun *now, Error *err);
/* Tries again while locks are not had, as often as the options say. Fails with the last error. */
typedef bool (*StepAttempt)(StepRun *now, Error *err);
bool step_retry_locks(StepRun *now, StepAttempt attempt, Error *err) MUST_CHECK;
bool step_run_each(StepRun *now, const LedgerRun *resume, Error *err) MUST_CHECK;

/* outside.c: statements that cannot run in a transaction, whose outcome a kill leaves unknown. */
typedef enum { OUTCOME_RUN, OUTCOME_DONE } Outcome;
/* What must be remembered before the statement runs, to tell its outcome later. NULL: nothing. */
bool outside_prepare(const StepRun *now, size_t index, const char **before, Error *err) MUST_CHECK;
/* After a kill or failure in the middle of it: clears what it left, and says whether it is done. */
bool outside_settle(const StepRun *now, size_t index, const LedgerRun *run, Outcome *outcome,
                    Error *err) MUST_CHECK;
/* After it ran: is what it made good? */
bool outside_check(const StepRun *now, size_t index, Error *err) MUST_CHECK;
