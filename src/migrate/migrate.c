#include "migrate/migrate.h"

#include "base/file.h"
#include "base/str.h"
#include "migrate/runner.h"
#include "pg/blockers.h"
#include "pg/pooler.h"

#define APPLICATION "vaxdb migrate"

/* ---- the runner -------------------------------------------------------------------------- */

static SessionOptions session_options(const MigrateOptions *options, int64_t lock_timeout_ms)
{
    return (SessionOptions){.conninfo = options->conninfo,
                            .dbname = options->dbname,
                            .application_name = APPLICATION,
                            .lock_timeout_ms = lock_timeout_ms,
                            .log = options->log};
}

/* A pooler gives its own number for the process: the server is asked. */
static bool watch_work(Runner *runner, Error *err)
{
    const MigrateOptions *options = runner->options;
    const char *value = NULL;
    int64_t process = 0;
    if (!session_scalar(runner->work, runner->arena, "SELECT pg_backend_pid()", &value, err))
        return false;
    (void)!str_to_int64(value, 0, INT32_MAX, &process);
    statement_watch_begin(&runner->watch, runner->work, (int)process, runner->guard, options->log,
                          options->lock_timeout_ms);
    return true;
}

bool runner_need_work(Runner *runner, Error *err)
{
    if (runner->work)
        return true;
    const MigrateOptions *options = runner->options;
    const SessionOptions session = session_options(options, options->lock_timeout_ms);
    if (!session_open(&session, &runner->work, err))
        return false;
    runner->clean = false;
    return watch_work(runner, err) &&
           migrate_lock_take(runner->work, migrate_lock(LOCK_WORK, options->ledger_table),
                             options->wait_ms, options->log, err);
}

bool runner_open(Runner *runner, Arena *arena, const MigrateOptions *options, Error *err)
{
    *runner = (Runner){.options = options, .arena = arena};
    const SessionOptions session = session_options(options, WRITE_LOCK_TIMEOUT_MS);
    if (!session_open(&session, &runner->guard, err))
        return false;
    runner->version = session_server_version(runner->guard);
    return session_check_pooler(runner->guard, &session, MIGRATE_PURPOSE, err) &&
           migrate_lock_take(runner->guard, migrate_lock(LOCK_RUN, options->ledger_table),
                             options->wait_ms, options->log, err) &&
           runner_need_work(runner, err) &&
           ledger_find(arena, runner->guard, options->ledger_table, &runner->ledger, err) &&
           ledger_create(arena, runner->guard, &runner->ledger, err);
}

void runner_close(Runner *runner)
{
    session_close(TAKE(runner->work));
    session_close(TAKE(runner->guard));
}

/* ---- running a plan ---------------------------------------------------------------------- */

/* What our grammar does not know the server must: before anything of it has run. */
static bool check_not_analysed(Runner *runner, const MigrateStep *step, MigrateReport *report,
                               Error *err)
{
    const Script *script = &step->script;
    for (size_t i = 0; script->not_analysed && i < script->count; i++) {
        const SqlPiece *piece = &script->items[i].piece;
        if (script->items[i].what.analysed)
            continue;
        _cleanup_free_ char *sql = strndup(script->text + piece->start, piece->length);
        if (sql && session_check_syntax(runner->work, sql, err))
            continue;
        report->failed = step->file_name;
        report->place = script_place_of(script, i, err);
        (void)script_fail_in(script, i, err);
        return err->hint[0] ? false : error_hint(err, "nothing of %s has run", step->file_name);
    }
    return true;
}

static bool read_status(Runner *runner, MigrateStatus *status, Error *err)
{
    const MigrateOptions *options = runner->options;
    return migrate_status(runner->arena, runner->guard, options->directory, options->ledger_table,
                          status, err);
}

static bool approve(Runner *runner, const MigrateStatus *status, const MigratePlan *plan,
                    MigrateReport *report, Error *err)
{
    const MigrateOptions *options = runner->options;
    runner->review = (MigrateReview){
        .status = status, .plan = plan, .drift = &runner->drift, .session = runner->guard};
    if (!runner_look_back(runner, plan->count > 0, report, err))
        return false;
    if (options->approve && plan->count &&
        !options->approve(options->guardian, &runner->review, err))
        return false;
    runner_tell_drift(runner, report);
    return true;
}

static bool run_steps(Runner *runner, const MigratePlan *plan, MigrateReport *report, Error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (!check_not_analysed(runner, &plan->steps[i], report, err))
            return false;
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (!runner_run_step(runner, &plan->steps[i], report, err))
            return false;
    }
    return true;
}

/* Also what a failed run has done before it failed is what the next verify finds; one that did
 * nothing hides no drift. Where the run before was killed too early for its snapshot, this one
 * makes that good, even with nothing to do. */
static void remember_schema(Runner *runner, bool ran, MigrateReport *report)
{
    bool current = false;
    Error ignored = {0};
    if (runner->behind || (ran && (!snapshot_is_current(runner->arena, runner->guard,
                                                        &runner->ledger, &current, &ignored) ||
                                   !current)))
        runner_take_snapshot(runner, report);
}

/* The up of a redo, now that its down has run. */
static bool run_again(Runner *runner, const MigratePlan *up, MigrateReport *report, Error *err)
{
    MigrateStatus *status = arena_alloc(runner->arena, sizeof(*status));
    const MigrateOptions *options = runner->options;
    runner->review.status = status;
    runner->review.plan = up;
    runner->review.overrides = NULL;
    if (options->approve && (!read_status(runner, status, err) ||
                             !options->approve(options->guardian, &runner->review, err)))
        return error_context(err, "the down has run, the up has not");
    runner_record_drift(runner);
    return run_steps(runner, up, report, err);
}

static bool run_plans(Runner *runner, const MigratePlan *first, const MigratePlan *second,
                      MigrateReport *report, Error *err)
{
    bool done = run_steps(runner, first, report, err) &&
                (!second || run_again(runner, second, report, err));
    remember_schema(runner, first->count > 0, report);
    return done;
}

static void init_report(Arena *arena, MigrateReport *report)
{
    *report = (MigrateReport){0};
    str_list_init(&report->done, arena);
    str_list_init(&report->warnings, arena);
}

static void take_warnings(const MigrateStatus *status, MigrateReport *report)
{
    for (size_t i = 0; i < status->warnings.count; i++)
        str_list_add(&report->warnings, status->warnings.items[i]);
    for (size_t i = 0; i < status->count; i++) {
        if (status->items[i].state == MIGRATION_MISSING)
            str_list_addf(&report->warnings, "%s is applied and its file is missing",
                          status->items[i].name);
    }
}

static bool begin(Runner *runner, MigrateStatus *status, Error *err)
{
    const MigrateOptions *options = runner->options;
    return read_status(runner, status, err) &&
           (!options->locked || options->locked(options->guardian, status, runner->guard, err));
}

bool migrate_up(Arena *arena, const MigrateOptions *options, const char *to, MigrateReport *report,
                Error *err)
{
    init_report(arena, report);
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus status;
    MigratePlan plan = {0};
    if (!file_is_directory(options->directory)) {
        MigrationFiles files;
        return migration_files_scan(arena, options->directory, &files, err);
    }
    if (!runner_open(&runner, arena, options, err) || !begin(&runner, &status, err))
        return false;
    take_warnings(&status, report);
    return migrate_plan_up(arena, &status, to, &plan, err) &&
           (options->allow_out_of_order || migrate_check_order(arena, &status, &plan, err)) &&
           approve(&runner, &status, &plan, report, err) &&
           run_plans(&runner, &plan, NULL, report, err);
}

bool migrate_down(Arena *arena, const MigrateOptions *options, int64_t steps, const char *to,
                  MigrateReport *report, Error *err)
{
    init_report(arena, report);
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus status;
    MigratePlan plan = {0};
    return runner_open(&runner, arena, options, err) && read_status(&runner, &status, err) &&
           migrate_plan_down(arena, &status, steps, to, &plan, err) &&
           approve(&runner, &status, &plan, report, err) &&
           run_plans(&runner, &plan, NULL, report, err);
}

/* The up is read and checked before the down has run. */
static bool redo_plan(Arena *arena, const MigrateStatus *status, MigratePlan *down, MigratePlan *up,
                      Error *err)
{
    if (!migrate_plan_down(arena, status, 1, NULL, down, err))
        return false;
    if (down->count == 0)
        return error_set(err, ERR_REFUSED, "nothing is applied, so there is nothing to redo");
    const Migration *migration = down->steps[0].migration;
    Migration *pending = arena_alloc(arena, sizeof(*pending));
    *pending =
        (Migration){.name = migration->name, .state = MIGRATION_PENDING, .file = migration->file};
    *up = (MigratePlan){.steps = arena_array(arena, 1, sizeof(*up->steps)), .count = 1};
    up->steps[0] = (MigrateStep){.name = migration->name,
                                 .file_name = migration->name,
                                 .direction = RUN_UP,
                                 .migration = pending};
    return script_read(arena, migration->file->path, &up->steps[0].script, err);
}

bool migrate_redo(Arena *arena, const MigrateOptions *options, MigrateReport *report, Error *err)
{
    init_report(arena, report);
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus status;
    MigratePlan down = {0}, up = {0};
    return runner_open(&runner, arena, options, err) && read_status(&runner, &status, err) &&
           redo_plan(arena, &status, &down, &up, err) &&
           approve(&runner, &status, &down, report, err) &&
           run_plans(&runner, &down, &up, report, err);
}

bool migrate_accept_drift(Arena *arena, const MigrateOptions *options, const char *reason,
                          Error *err)
{
    _cleanup_runner_ Runner runner = {0};
    return runner_open(&runner, arena, options, err) &&
           snapshot_take(runner.guard, &runner.ledger, reason, err);
}
