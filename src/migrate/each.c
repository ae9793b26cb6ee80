/* A file without a transaction: after each statement the side table knows how far it is.
 *
 * What can run in a transaction gets one together with the note that it ran, so that the two cannot
 * disagree. What cannot is announced first, and its outcome looked up when a kill came in between
 * (outside.c). Inside the file's own BEGIN ... COMMIT the notes are part of that transaction. */
#include "migrate/runner.h"

#include "base/clock.h"

static const char as_ourselves[] = "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE; ";

static const char *progress_sql(const StepRun *now, size_t index)
{
    return ledger_sql_progress(now->arena, &now->runner->ledger, now->run, index + 1,
                               now->step->script.items[index].chain);
}

static bool note_progress(const StepRun *now, size_t index, Error *err)
{
    Session *work = now->runner->work;
    const char *role = session_in_transaction(work) ? "" : as_ourselves;
    return session_execute(work, arena_printf(now->arena, "%s%s", role, progress_sql(now, index)),
                           err);
}

static bool attempt_wrapped(StepRun *now, Error *err)
{
    const Runner *runner = now->runner;
    const char *begin = now->step->script.sets_lock_timeout
                            ? "BEGIN"
                            : arena_printf(now->arena, "BEGIN; SET LOCAL lock_timeout = %lld",
                                           (long long)runner->options->lock_timeout_ms);
    return session_execute(runner->work, begin, err) && step_send(now, now->at, err) &&
           session_execute(
               runner->work,
               arena_printf(now->arena, "%s%s COMMIT", as_ourselves, progress_sql(now, now->at)),
               err);
}

static bool run_announced(StepRun *now, size_t index, Error *err)
{
    const Runner *runner = now->runner;
    now->before = NULL;
    return outside_prepare(now, index, &now->before, err) &&
           ledger_run_attempt(now->arena, runner->guard, &runner->ledger, now->run, index,
                              now->before, err) &&
           step_send(now, index, err) && outside_check(now, index, err) &&
           note_progress(now, index, err);
}

static bool runs_bare(StatementKind kind)
{
    return kind == STATEMENT_SET || kind == STATEMENT_BEGIN || kind == STATEMENT_COMMIT ||
           kind == STATEMENT_TRANSACTION || kind == STATEMENT_SAVEPOINT;
}

static bool run_statement(StepRun *now, Error *err)
{
    StatementKind kind = now->step->script.items[now->at].what.kind;
    if (session_in_transaction(now->runner->work) || runs_bare(kind))
        return step_send(now, now->at, err) && note_progress(now, now->at, err);
    if (statement_needs_no_transaction(kind) || kind == STATEMENT_CALL)
        return run_announced(now, now->at, err);
    return step_retry_locks(now, attempt_wrapped, err);
}

/* Settings of the statements that have run already are needed by those that follow. */
static bool replay_settings(StepRun *now, size_t first, Error *err)
{
    for (now->at = 0; now->at < first; now->at++) {
        bool setting = now->step->script.items[now->at].what.kind == STATEMENT_SET;
        if (setting && !step_send(now, now->at, err))
            return false;
    }
    return true;
}

static bool settle_attempt(StepRun *now, const LedgerRun *resume, size_t *first, Error *err)
{
    now->at = *first;
    if (resume->attempting != (int64_t)*first || *first >= now->step->script.count)
        return true;
    Outcome outcome = OUTCOME_RUN;
    if (!outside_settle(now, *first, resume, &outcome, err))
        return false;
    if (outcome == OUTCOME_RUN)
        return true;
    return note_progress(now, (*first)++, err);
}

static bool finish_run(const StepRun *now, Error *err)
{
    const Runner *runner = now->runner;
    const MigrateStep *step = now->step;
    if (session_in_transaction(runner->work))
        return error_set(err, ERR_FAILED, "%s leaves a transaction open: its COMMIT is missing",
                         step->file_name);
    const char *ledger =
        step->direction == RUN_UP
            ? ledger_sql_insert(now->arena, &runner->ledger, step->name, step->script.checksum)
            : arena_printf(now->arena, "%s%s",
                           ledger_sql_delete(now->arena, &runner->ledger, step->name),
                           ledger_sql_undo_partial(now->arena, &runner->ledger, step->name));
    return session_execute(runner->work,
                           arena_printf(now->arena, "%s%s %s", as_ourselves, ledger,
                                        ledger_sql_finish(now->arena, &runner->ledger, now->run,
                                                          clock_monotonic_ms() - now->started_ms)),
                           err);
}

bool step_run_each(StepRun *now, const LedgerRun *resume, Error *err)
{
    size_t count = now->step->script.count;
    size_t first = resume ? (size_t)resume->completed : 0;
    now->at = count;
    now->runner->clean = false;
    if (!session_execute(now->runner->work, step_clean_session(now, 0), err))
        return step_explain_lock(now, err);
    if (!replay_settings(now, first, err))
        return false;
    if (resume && !settle_attempt(now, resume, &first, err))
        return false;
    for (now->at = first; now->at < count; now->at++) {
        if (!run_statement(now, err))
            return false;
    }
    return finish_run(now, err);
}
