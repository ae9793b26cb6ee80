/* How one file runs: in one transaction, or its statements each on their own. */
#include "migrate/runner.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "migrate/leftovers.h"

#define RETRY_FIRST_MS ((int64_t)200)
#define RETRY_LAST_MS  ((int64_t)10000)
#define RETRY_TIMEOUTS 10 /* the longest pause, in lock timeouts */

#define SQLSTATE_LOCK_NOT_AVAILABLE  "55P03"
#define SQLSTATE_DEADLOCK            "40P01"
#define SQLSTATE_UNIQUE_VIOLATION    "23505"
#define SQLSTATE_IN_TRANSACTION      "25001"
#define SQLSTATE_INVALID_TERMINATION "2D000"
#define SQLSTATE_UNSAFE_NEW_VALUE    "55P04"
#define SQLSTATE_DIVISION_BY_ZERO    "22012"

/* ---- a clean session, and locks ------------------------------------------------------------- */

/* DISCARD ALL piece by piece, because it may not stand in one message with others: settings, roles,
 * prepared statements, temporary tables and advisory locks of the file before are gone, and what we
 * rely on is set. Nobody else takes the work lock while the run lock is ours; where that was lost
 * with its connection and another run came first, the division by zero ends the message. */
const char *step_clean_session(const StepRun *now, int64_t lock_timeout_ms)
{
    MigrateLock lock = migrate_lock(LOCK_WORK, now->runner->ledger.plain);
    return arena_printf(
        now->arena,
        "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; "
        "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_advisory_unlock_all(); "
        "SELECT 1 / pg_try_advisory_lock(%d, %d)::int; SET standard_conforming_strings = on; "
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
        "SET lock_timeout = %lld;%s%s",
        (int)lock.class, (int)lock.key, (long long)lock_timeout_ms,
        now->runner->version >= 140000 ? " SET client_connection_check_interval = '1s';" : "",
        now->runner->version >= 170000 ? " SET transaction_timeout = 0;" : "");
}

static bool is_lock_failure(const Error *err)
{
    return str_equal(err->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) ||
           str_equal(err->sqlstate, SQLSTATE_DEADLOCK);
}

bool step_retry_locks(StepRun *now, StepAttempt attempt, Error *err)
{
    const MigrateOptions *options = now->runner->options;
    int64_t pause_ms = RETRY_FIRST_MS;
    int64_t longest_ms = RETRY_TIMEOUTS * options->lock_timeout_ms;
    if (longest_ms > RETRY_LAST_MS)
        longest_ms = RETRY_LAST_MS;
    for (int tries = 1;; tries++) {
        if (attempt(now, err))
            return true;
        Session *work = now->runner->work;
        if (err->code != ERR_FAILED || !is_lock_failure(err) || tries >= options->lock_attempts)
            return false;
        if (options->log)
            log_info(options->log, "%s: a lock was not to be had in time; trying again (%d of %d)",
                     now->step->file_name, tries + 1, options->lock_attempts);
        statement_watch_tell_blockers(&now->runner->watch);
        if (session_in_transaction(work) && !session_execute(work, "ROLLBACK", err))
            return false;
        if (!clock_sleep_ms(clock_jittered_ms(pause_ms)))
            return interrupt_check(err);
        pause_ms = pause_ms * 2 < longest_ms ? pause_ms * 2 : longest_ms;
    }
}

/* ---- one transaction --------------------------------------------------------------------- */

bool step_explain_lock(const StepRun *now, Error *err)
{
    if (!str_equal(err->sqlstate, SQLSTATE_DIVISION_BY_ZERO))
        return error_context(err, "%s", now->step->file_name);
    (void)error_set(
        err, ERR_REFUSED,
        "the connection that held this run's lock was lost, and another run has it now");
    return error_hint(err, "nothing of %s has run; run the command again when the other has ended",
                      now->step->file_name);
}

static bool clean_session(const StepRun *now, Error *err)
{
    Runner *runner = now->runner;
    const char *sql = step_clean_session(now, runner->options->lock_timeout_ms);
    if (!runner->clean && !session_execute(runner->work, sql, err))
        return step_explain_lock(now, err);
    runner->clean = true;
    return true;
}

static const char *begin_sql(const StepRun *now, size_t *statements)
{
    const Ledger *ledger = &now->runner->ledger;
    const MigrateStep *step = now->step;
    bool up = step->direction == RUN_UP;
    *statements = up ? 2 : 3;
    return up ? arena_printf(
                    now->arena, "BEGIN; %s\n",
                    ledger_sql_insert(now->arena, ledger, step->name, step->script.checksum))
              : arena_printf(now->arena, "BEGIN; %s%s\n",
                             ledger_sql_delete(now->arena, ledger, step->name),
                             ledger_sql_undo_partial(now->arena, ledger, step->name));
}

static bool explain_begin(const StepRun *now, Error *err)
{
    if (!str_equal(err->sqlstate, SQLSTATE_UNIQUE_VIOLATION))
        return error_context(err, "%s", now->step->file_name);
    (void)error_set(err, ERR_FAILED, "%s was recorded in the ledger by somebody else meanwhile",
                    now->step->name);
    return error_hint(err, "`vaxdb migrate status` shows what is applied now");
}

static const char *commit_sql(const StepRun *now)
{
    const Script *script = &now->step->script;
    const char *chain = script->count ? script->items[script->count - 1].chain : "";
    return arena_printf(now->arena,
                        "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE; %s COMMIT;",
                        ledger_sql_run_done(now->arena, &now->runner->ledger, now->facts, chain));
}

/* The whole file in one message, which also makes the session clean for the next one. Where only
 * that fails, the file is done; the next one tries again and says why. */
static bool run_together(StepRun *now, Error *err)
{
    Runner *runner = now->runner;
    size_t begin_count = 0;
    const char *begin = begin_sql(now, &begin_count);
    const char *end = arena_printf(now->arena, "%s %s", commit_sql(now),
                                   step_clean_session(now, runner->options->lock_timeout_ms));
    bool began = true;
    Error failure = {0};
    runner->clean = step_send_together(now, begin, begin_count, end, &began, &failure);
    if (runner->clean)
        return true;
    if (session_committed(runner->work)) {
        if (session_is_lost(runner->work))
            session_close(TAKE(runner->work));
        return true;
    }
    *err = failure;
    return began ? false : explain_begin(now, err);
}

static bool run_one_by_one(StepRun *now, Error *err)
{
    Runner *runner = now->runner;
    const Script *script = &now->step->script;
    size_t begin_count = 0;
    runner->clean = false;
    if (!session_execute(runner->work, begin_sql(now, &begin_count), err))
        return explain_begin(now, err);
    for (size_t i = 0; i < script->count; i++) {
        now->at = i;
        if (!step_send(now, i, err))
            return false;
        if (!session_in_transaction(runner->work))
            return error_set(err, ERR_FAILED, "the statement ended the file's transaction");
    }
    now->at = script->count;
    return session_execute(runner->work, commit_sql(now), err);
}

static bool attempt_transaction(StepRun *now, Error *err)
{
    const Script *script = &now->step->script;
    now->at = script->count;
    if (!clean_session(now, err))
        return false;
    return step_fits_message(script) ? run_together(now, err) : run_one_by_one(now, err);
}

/* ---- one file ---------------------------------------------------------------------------- */

static void explain_by_sqlstate(const StatementWatch *watch, Error *err)
{
    static const struct {
        const char *sqlstate;
        const char *hint;
    } hints[] = {
        {SQLSTATE_IN_TRANSACTION, "begin the file with `-- migrate:transaction none`"},
        {SQLSTATE_INVALID_TERMINATION,
         "the code commits by itself: begin the file with `-- migrate:transaction none`"},
        {SQLSTATE_UNSAFE_NEW_VALUE,
         "a new enum value can be used only after its transaction: use it in a later migration"},
        {SQLSTATE_LOCK_NOT_AVAILABLE,
         "other sessions hold the lock (`vaxdb monitor locks` shows them); run the command again "
         "when they are done, or wait longer with --lock-timeout 1min"},
    };
    for (size_t i = 0; i < COUNT_OF(hints); i++) {
        if (str_equal(err->sqlstate, hints[i].sqlstate))
            (void)error_hint(err, "%s", hints[i].hint);
    }
    if (str_equal(err->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) && watch->blockers[0])
        (void)error_hint(
            err,
            "the lock is held by\n    %s\n      run the command again when that is done, "
            "or wait longer with --lock-timeout 1min",
            watch->blockers);
}

/* What stayed of the file, at the end of the hint. */
static void explain_remains(const StepRun *now, int64_t completed, Error *err)
{
    const Script *script = &now->step->script;
    const char *command = now->step->direction == RUN_UP ? "up" : "down";
    _cleanup_free_ char *remains = NULL;
    int written = 0;
    if (script->transaction)
        written =
            asprintf(&remains, "nothing of %s was kept (one transaction)", now->step->file_name);
    else if (completed >= 0 && (size_t)completed < script->count)
        written = asprintf(&remains,
                           "%lld of %zu statements of %s have taken effect; `vaxdb migrate %s` "
                           "continues at line %d",
                           (long long)completed, script->count, now->step->file_name, command,
                           script->items[completed].piece.line);
    if (written > 0 && remains)
        (void)error_hint(err, "%s%s%s", err->hint, err->hint[0] ? "\n      " : "", remains);
}

static void explain_leftovers(const StepRun *now, Error *err)
{
    const Script *script = &now->step->script;
    if (script->transaction || now->at >= script->count)
        return;
    const char *left =
        leftovers_describe(now->arena, now->runner->guard, &script->items[now->at].what,
                           now->before, now->step->direction);
    if (left)
        (void)error_hint(err, "%s%s%s", err->hint, err->hint[0] ? "\n      " : "", left);
}

static int64_t completed_statements(const StepRun *now)
{
    Error ignored = {0};
    const char *value = NULL;
    int64_t completed = -1;
    if (now->run &&
        session_scalar(now->runner->guard, now->arena,
                       arena_printf(now->arena, "SELECT completed FROM %s WHERE id = %lld",
                                    now->runner->ledger.runs_table, (long long)now->run),
                       &value, &ignored))
        (void)!str_to_int64(value, 0, INT32_MAX, &completed);
    return completed;
}

/* The books are closed even when Ctrl-C ended the file: that is quick. */
static void close_failed(StepRun *now, MigrateReport *report, Error *err)
{
    Runner *runner = now->runner;
    const Script *script = &now->step->script;
    bool in_statement = now->at < script->count;
    report->failed = now->step->file_name;
    Error plain = *err;
    explain_by_sqlstate(&runner->watch, err);
    if (in_statement) {
        report->place = script_place_of(script, now->at, err);
        (void)script_fail_in(script, now->at, err);
    }
    interrupt_clear();
    Error ignored = {0};
    if (runner->work && session_in_transaction(runner->work))
        (void)!session_execute(runner->work, "ROLLBACK", &ignored);
    session_close(TAKE(runner->work)); /* what the file did to the session goes with it */
    runner->clean = false;
    if (session_is_lost(runner->guard))
        return;
    (void)!ledger_run_fail(now->arena, runner->guard, &runner->ledger, now->run, now->facts, &plain,
                           clock_monotonic_ms() - now->started_ms, &ignored);
    explain_leftovers(now, err);
    explain_remains(now, completed_statements(now), err);
}

static bool start_run(StepRun *now, const LedgerRun *resume, Error *err)
{
    const Runner *runner = now->runner;
    if (!resume)
        return ledger_run_begin(now->arena, runner->guard, &runner->ledger, now->facts, &now->run,
                                err);
    const Script *script = &now->step->script;
    size_t completed = (size_t)resume->completed;
    if (completed > script->count ||
        (completed > 0 && !str_equal(script->items[completed - 1].chain, resume->chain))) {
        (void)error_set(err, ERR_REFUSED,
                        "%s was changed in what has run already (its first %zu statements)",
                        now->step->file_name, completed);
        return error_hint(err, "bring that part back as it was; what comes after it may change");
    }
    now->run = resume->id;
    return ledger_run_resume(now->arena, runner->guard, &runner->ledger, resume->id, now->facts,
                             err);
}

static const LedgerRun *resumable(const MigrateStep *step)
{
    const LedgerRun *run = step->migration->run;
    bool same = step->migration->state == MIGRATION_PARTIAL && !step->script.transaction &&
                run->direction == step->direction;
    return same ? run : NULL;
}

static void tell(const StepRun *now, void (*listener)(void *, const MigrateEvent *),
                 const LedgerRun *resume, int64_t duration_ms)
{
    const MigrateEvent event = {.name = now->step->file_name,
                                .direction = now->step->direction,
                                .transactional = now->step->script.transaction,
                                .statements = now->step->script.count,
                                .first = resume ? (size_t)resume->completed : 0,
                                .duration_ms = duration_ms};
    if (listener)
        listener(now->runner->options->data, &event);
}

/* A half-done up cannot go on in one transaction: what has run is not in it. */
static bool check_mode(const MigrateStep *step, Error *err)
{
    bool half = step->direction == RUN_UP && step->migration->state == MIGRATION_PARTIAL;
    if (!half || !step->script.transaction)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s has run half without a transaction and wants one now",
                    step->file_name);
    return error_hint(err, "begin it with `-- migrate:transaction none` again, or undo it with "
                           "`vaxdb migrate down`");
}

/* Evidence of which down belonged to the up. */
static bool take_down_checksum(Arena *arena, const MigrateStep *step, RunFacts *facts, Error *err)
{
    const char *path = step->migration->file->down_path;
    if (!path)
        return true;
    _cleanup_arena_ Arena *scratch = arena_create();
    char *text = NULL;
    size_t length = 0;
    char checksum[HASH_HEX_SIZE];
    if (!migration_text_read(scratch, path, &text, &length, checksum, NULL, err))
        return false;
    facts->down_checksum = arena_strdup(arena, checksum);
    return true;
}

bool runner_run_step(Runner *runner, const MigrateStep *step, MigrateReport *report, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    RunFacts facts = {.name = step->name,
                      .direction = step->direction,
                      .checksum = step->script.checksum,
                      .transactional = step->script.transaction,
                      .statements = step->script.count,
                      .backup_id = runner->review.backup_id,
                      .overrides = runner->review.overrides};
    StepRun now = {.runner = runner,
                   .arena = arena,
                   .step = step,
                   .facts = &facts,
                   .started_ms = clock_monotonic_ms(),
                   .at = step->script.count};
    const LedgerRun *resume = resumable(step);
    statement_watch_file(&runner->watch, step->file_name);
    if (!take_down_checksum(arena, step, &facts, err) || !check_mode(step, err) ||
        !runner_need_work(runner, err))
        return false;
    tell(&now, runner->options->started, resume, 0);
    if (!step->script.transaction && !start_run(&now, resume, err))
        return false;
    bool done = step->script.transaction ? step_retry_locks(&now, attempt_transaction, err)
                                         : step_run_each(&now, resume, err);
    if (!done) {
        close_failed(&now, report, err);
        return false;
    }
    int64_t duration_ms = clock_monotonic_ms() - now.started_ms;
    tell(&now, runner->options->finished, resume, duration_ms);
    str_list_add(&report->done, step->name);
    if (step->script.loads_library)
        session_close(TAKE(runner->work));
    const MigrateOptions *options = runner->options;
    return !options->applied ||
           options->applied(options->guardian, step, runner->guard, duration_ms, err);
}
