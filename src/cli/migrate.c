#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "flows/migrations.h"

/* clang-format off */
#define DIR_OPTION                                                                                 \
    {.name = "dir", .kind = OPTION_PATH, .argument = "DIR", .key = "migrations",                   \
     .help = "folder of migrations"}
#define RUN_OPTIONS                                                                                \
    DIR_OPTION,                                                                                    \
    {.name = "lock-timeout", .kind = OPTION_DURATION, .argument = "TIME", .key = "lock_timeout",   \
     .help = "how long a file waits for a lock before it lets others pass and tries again"},       \
    {.name = "wait", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "10min",             \
     .help = "how long to wait for another migration run to end"},                                 \
    {.name = "interrupted", .kind = OPTION_TEXT, .argument = "done|again",                         \
     .help = "whether a statement that a kill interrupted is to be skipped or run again, where "   \
             "the database cannot tell (a CALL)"}

static const OptionSpec dir_options[] = {DIR_OPTION, OPTION_END};
static const OptionSpec up_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "NAME", .help = "stop after this migration"},
    {.name = "no-lint", .kind = OPTION_FLAG, .help = "for later versions, which lint first; no effect yet"},
    {.name = "skip-staging", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "for later versions, which ask for staging's evidence; no effect yet"},
    {.name = "no-backup", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "for later versions, which ask for a backup; no effect yet"},
    OPTION_END,
};
static const OptionSpec down_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "NAME",
     .help = "undo what was applied after this migration, which stays"},
    OPTION_END,
};
static const OptionSpec redo_options[] = {RUN_OPTIONS, OPTION_END};
/* clang-format on */

/* ---- shared ------------------------------------------------------------------------------ */

typedef struct {
    Context *context;
    State *state;
    Session *session;
    Target target;
    MigrateOptions options;
} Work;

static void close_work(Work *work)
{
    session_close(work->session);
    state_close(work->state);
}

static bool open_work(Context *context, Work *work, Error *err)
{
    *work = (Work){.context = context};
    return command_connect(context, &work->state, &work->target, &work->session, err) &&
           migrations_options(context->arena, context->log, context->config, &work->target,
                              &work->options, err);
}

static void tell_started(void *data, const MigrateEvent *event)
{
    const Context *context = data;
    const char *what = event->direction == RUN_UP ? "migration" : "rollback";
    if (!context->json)
        (void)fprintf(context->out, "[INFO] Running %s: %s\n", what, event->name);
    (void)fflush(context->out);
    if (event->first > 0)
        log_info(context->log, "%s: continuing at statement %zu of %zu", event->name,
                 event->first + 1, event->statements);
    else if (!event->transactional)
        log_debug(context->log, "%s: %zu statements, each on its own", event->name,
                  event->statements);
    if (event->statements == 0)
        log_warn(context->log, "%s holds no statement", event->name);
}

static void tell_finished(void *data, const MigrateEvent *event)
{
    const Context *context = data;
    const char *what = event->direction == RUN_UP ? "Migration" : "Rollback";
    if (!context->json)
        (void)fprintf(context->out, "[SUCCESS] \xE2\x9C\x93 %s completed\n", what);
    (void)fflush(context->out);
    log_debug(context->log, "%s took %lld ms", event->name, (long long)event->duration_ms);
}

static bool read_run_options(Context *context, MigrateOptions *options, Error *err)
{
    const char *interrupted = options_text(context->options, "interrupted");
    options->wait_ms = options_int(context->options, "wait");
    options->started = tell_started;
    options->finished = tell_finished;
    options->data = context;
    if (str_equal(interrupted, "done"))
        options->unknown = UNKNOWN_DONE;
    else if (str_equal(interrupted, "again"))
        options->unknown = UNKNOWN_AGAIN;
    else if (interrupted)
        return error_set(err, ERR_USAGE, "--interrupted is done or again, not %s", interrupted);
    return true;
}

static json_t *list_json(const StrList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_text(list->items[i]));
    return array;
}

static void print_warnings(const Context *context, const StrList *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        log_warn(context->log, "%s", warnings->items[i]);
}

static json_t *error_json(const MigrateReport *report, const Error *err)
{
    json_t *error = json_object();
    (void)json_object_set_new(error, "code", json_text(error_code_name(err->code)));
    (void)json_object_set_new(error, "message", json_text(err->message));
    (void)json_object_set_new(error, "hint", json_text(err->hint[0] ? err->hint : NULL));
    (void)json_object_set_new(error, "sqlstate",
                              json_text(err->sqlstate[0] ? err->sqlstate : NULL));
    (void)json_object_set_new(error, "file", json_text(report->failed));
    if (report->place.line) {
        (void)json_object_set_new(error, "line", json_integer(report->place.line));
        (void)json_object_set_new(error, "column", json_integer(report->place.column));
    }
    return error;
}

/* Prints the report, of a failed run too. done is what the run returned. */
static bool print_report(Context *context, const char *key, const MigrateReport *report,
                         int64_t started_ms, bool done, Error *err)
{
    print_warnings(context, &report->warnings);
    if (!context->json) {
        if (done && report->done.count == 0)
            (void)fprintf(context->out, "[INFO] Nothing to do\n");
        return done;
    }
    json_t *object = json_object();
    double seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    (void)json_object_set_new(object, key, list_json(&report->done));
    (void)json_object_set_new(object, "backup", json_null());
    (void)json_object_set_new(object, "seconds", json_real(seconds));
    (void)json_object_set_new(object, "warnings", list_json(&report->warnings));
    if (!done)
        (void)json_object_set_new(object, "error", error_json(report, err));
    Error print = {0};
    if (command_print_json(context, object, &print) || !done)
        return done;
    *err = print;
    return false;
}

/* ---- dry run ----------------------------------------------------------------------------- */

static json_t *step_json(const MigrateStep *step)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "name", step->name, "file", step->file_name,
                     "direction", step->direction == RUN_UP ? "up" : "down", "transaction",
                     step->script.transaction ? "one" : "none", "statements",
                     (int)step->script.count, "sql", step->script.text);
}

static void print_step(const Context *context, const MigrateStep *step)
{
    const Script *script = &step->script;
    (void)fprintf(context->out, "-- %s: %zu statements, %s%s%s\n", step->file_name, script->count,
                  script->transaction ? "one transaction" : "no transaction",
                  script->why_none ? ": " : "", script->why_none ? script->why_none : "");
    (void)fprintf(context->out, "%s%s%s%s\n", script->transaction ? "BEGIN;\n" : "", script->text,
                  str_ends(script->text, "\n") ? "" : "\n", script->transaction ? "COMMIT;" : "");
}

static bool print_plan(Context *context, const MigratePlan *plan, Error *err)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        if (context->json)
            (void)json_array_append_new(steps, step_json(&plan->steps[i]));
        else
            print_step(context, &plan->steps[i]);
    }
    if (context->json)
        return command_print_json(context, json_pack("{s:o}", "plan", steps), err);
    json_decref(steps);
    if (plan->count == 0)
        (void)fprintf(context->out, "-- nothing to do\n");
    return true;
}

static bool read_status(Work *work, MigrateStatus *status, Error *err)
{
    return migrate_status(work->context->arena, work->session, work->options.directory,
                          work->options.ledger_table, status, err);
}

/* ---- up, down, redo ---------------------------------------------------------------------- */

static bool dry_up(Work *work, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return read_status(work, &status, err) &&
           migrate_plan_up(work->context->arena, &status, to, &plan, err) &&
           print_plan(work->context, &plan, err);
}

static bool run_up(Context *context, Error *err)
{
    _cleanup_(close_work) Work work = {0};
    const char *to = options_text(context->options, "to");
    int64_t started_ms = clock_monotonic_ms();
    if (!open_work(context, &work, err) || !read_run_options(context, &work.options, err))
        return false;
    if (context->dry_run)
        return dry_up(&work, to, err);
    MigrateReport report = {0};
    bool done = migrate_up(context->arena, &work.options, to, &report, err);
    return print_report(context, "applied", &report, started_ms, done, err);
}

static bool read_steps(const Context *context, int64_t *steps, Error *err)
{
    const char *given = command_argument(context, 0);
    *steps = 1;
    if (given && options_given(context->options, "to"))
        return error_set(err, ERR_USAGE, "give either a number of migrations or --to, not both");
    if (given && !str_to_int64(given, 1, INT32_MAX, steps))
        return error_set(err, ERR_USAGE, "\"%s\" is not a number of migrations to undo", given);
    return true;
}

static bool dry_down(Work *work, int64_t steps, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return read_status(work, &status, err) &&
           migrate_plan_down(work->context->arena, &status, steps, to, &plan, err) &&
           print_plan(work->context, &plan, err);
}

static bool run_down(Context *context, Error *err)
{
    _cleanup_(close_work) Work work = {0};
    const char *to = options_text(context->options, "to");
    int64_t steps = 1, started_ms = clock_monotonic_ms();
    if (!read_steps(context, &steps, err) || !open_work(context, &work, err) ||
        !read_run_options(context, &work.options, err))
        return false;
    if (context->dry_run)
        return dry_down(&work, steps, to, err);
    if (!target_guard(&work.target, "migrate down", options_text(context->options, "confirm"), err))
        return false;
    MigrateReport report = {0};
    bool done = migrate_down(context->arena, &work.options, steps, to, &report, err);
    return print_report(context, "undone", &report, started_ms, done, err);
}

static bool run_redo(Context *context, Error *err)
{
    _cleanup_(close_work) Work work = {0};
    int64_t started_ms = clock_monotonic_ms();
    if (!open_work(context, &work, err) || !read_run_options(context, &work.options, err) ||
        !target_guard(&work.target, "migrate redo", options_text(context->options, "confirm"), err))
        return false;
    MigrateReport report = {0};
    bool done = migrate_redo(context->arena, &work.options, &report, err);
    return print_report(context, "done", &report, started_ms, done, err);
}

/* ---- status, verify, new ----------------------------------------------------------------- */

static json_t *migration_json(const Migration *migration)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_text(migration->name));
    (void)json_object_set_new(object, "state", json_text(migration_state_name(migration->state)));
    (void)json_object_set_new(object, "checksum", json_text(migration->checksum));
    (void)json_object_set_new(object, "applied_at", json_text(migration->applied_at));
    (void)json_object_set_new(object, "down",
                              json_text(migration->file ? migration->file->down_name : NULL));
    if (migration->run) {
        const LedgerRun *run = migration->run;
        (void)json_object_set_new(object, "direction",
                                  json_text(run->direction == RUN_UP ? "up" : "down"));
        (void)json_object_set_new(object, "completed", json_integer(run->completed));
        (void)json_object_set_new(object, "error", json_text(run->error));
    }
    return object;
}

static bool status_json(Context *context, const MigrateStatus *status, Error *err)
{
    json_t *migrations = json_array();
    for (size_t i = 0; i < status->count; i++)
        (void)json_array_append_new(migrations, migration_json(&status->items[i]));
    json_t *object = json_object();
    (void)json_object_set_new(object, "migrations", migrations);
    (void)json_object_set_new(object, "running", json_text(status->running));
    (void)json_object_set_new(object, "orphans", list_json(&status->files.orphans));
    (void)json_object_set_new(object, "warnings", list_json(&status->warnings));
    return command_print_json(context, object, err);
}

static void status_table(Context *context, const MigrateStatus *status)
{
    Table *table = table_create(context->arena);
    table_column(table, "Migration", TABLE_LEFT);
    table_column(table, "State", TABLE_LEFT);
    table_column(table, "Applied at", TABLE_LEFT);
    table_column(table, "Down", TABLE_LEFT);
    for (size_t i = 0; i < status->count; i++) {
        const Migration *migration = &status->items[i];
        const char *at = migration->applied_at;
        table_row(table, (const char *[]){
                             migration->name, migration_state_name(migration->state),
                             at ? arena_printf(context->arena, "%.10s %.8s", at, at + 11) : NULL,
                             migration->file && migration->file->down_path ? "yes" : "no"});
    }
    table_print(table, context->out, table_terminal_width(context->out));
}

static void status_talk(const Context *context, const MigrateStatus *status)
{
    print_warnings(context, &status->warnings);
    for (size_t i = 0; i < status->files.orphans.count; i++)
        log_warn(context->log, "%s is a down without its migration",
                 status->files.orphans.items[i]);
    for (size_t i = 0; i < status->count; i++) {
        const LedgerRun *run = status->items[i].run;
        if (run)
            log_warn(context->log, "%s: its %s stopped after %lld statements%s%s",
                     status->items[i].name, run->direction == RUN_UP ? "up" : "down",
                     (long long)run->completed, run->error ? ": " : "",
                     run->error ? run->error : "");
    }
    if (status->running)
        log_info(context->log, "Now: %s", status->running);
    size_t pending = migrate_status_count(status, MIGRATION_PENDING) +
                     migrate_status_count(status, MIGRATION_PARTIAL);
    if (pending > 0)
        log_info(context->log, "%zu to do: `vaxdb migrate up -e %s`", pending,
                 env_name(context->env));
}

static bool run_status(Context *context, Error *err)
{
    _cleanup_(close_work) Work work = {0};
    MigrateStatus status;
    if (!open_work(context, &work, err) || !read_status(&work, &status, err))
        return false;
    if (context->json)
        return status_json(context, &status, err);
    status_table(context, &status);
    status_talk(context, &status);
    return true;
}

static bool verify_json(Context *context, const MigrateFindings *findings, Error *err)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const MigrateFinding *finding = &findings->items[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "name", json_text(finding->name));
        (void)json_object_set_new(object, "problem", json_text(finding->problem));
        (void)json_object_set_new(object, "message", json_text(finding->message));
        (void)json_array_append_new(array, object);
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "ok", json_boolean(findings->count == 0));
    (void)json_object_set_new(object, "findings", array);
    return command_print_json(context, object, err);
}

static bool run_verify(Context *context, Error *err)
{
    _cleanup_(close_work) Work work = {0};
    MigrateFindings findings;
    if (!open_work(context, &work, err) ||
        !migrate_verify(context->arena, work.session, work.options.directory,
                        work.options.ledger_table, &findings, err))
        return false;
    if (context->json && !verify_json(context, &findings, err))
        return false;
    for (size_t i = 0; !context->json && i < findings.count; i++)
        (void)fprintf(context->out, "%s: %s: %s\n", findings.items[i].problem,
                      findings.items[i].name, findings.items[i].message);
    if (findings.count == 0) {
        log_info(context->log, "The ledger and the files agree");
        return true;
    }
    (void)error_set(err, ERR_PROBLEMS, "%zu problem%s found", findings.count,
                    findings.count == 1 ? "" : "s");
    return error_hint(err, "`vaxdb migrate status -e %s` shows all migrations",
                      env_name(context->env));
}

static bool run_new(Context *context, Error *err)
{
    const char *directory = NULL;
    MigrateNew made;
    if (!migrations_locate(context->arena, context->config, context->env, &directory, err) ||
        !migrate_new(context->arena, directory, command_argument(context, 0), &made, err))
        return false;
    if (context->json)
        return command_print_json(
            context, json_pack("{s:s, s:s}", "file", made.up_path, "down", made.down_path), err);
    (void)fprintf(context->out, "%s\n%s\n", made.up_path, made.down_path);
    log_info(context->log, "Next: write the change and its way back, then `vaxdb migrate up`");
    return true;
}

const Command cli_migrate_commands[] = {
    {"migrate up", "", "run the migrations that are pending",
     "Runs the files of the migrations folder that the ledger (schema_migrations) does not have "
     "yet, in order, each in one transaction, and records them. A file whose statements cannot run "
     "in a transaction (CREATE INDEX CONCURRENTLY, ...) runs statement by statement; one that "
     "mixes both kinds must begin with `-- migrate:transaction none`. Whatever stops a run, the "
     "next one goes on where it stopped.\n\n"
     "Only one run works at a time; another waits for it.",
     "vaxdb migrate up -e production     run everything that is pending", up_options, 0, 0, true,
     run_up},
    {"migrate down", "[N]", "undo the last migrations by their .down.sql files",
     "Undoes the N migrations that were applied last (1 by default), or with --to all that were "
     "applied after NAME. A migration that stopped half-way counts as the last. On production it "
     "wants --confirm DATABASE.",
     "vaxdb migrate down 2     undo the last two", down_options, 0, 1, true, run_down},
    {"migrate redo", "", "undo the last migration and run it again",
     "For trying a migration while writing it. On production it wants --confirm DATABASE.",
     "vaxdb migrate redo", redo_options, 0, 0, false, run_redo},
    {"migrate status", "", "which migrations are applied, pending, partial, changed or missing",
     "Reads only. partial: stopped half-way, `migrate up` continues it. changed: the file differs "
     "from what was applied. missing: applied, and the file is gone.",
     "vaxdb migrate status -e staging", dir_options, 0, 0, false, run_status},
    {"migrate verify", "", "check that the ledger and the files agree",
     "Names every changed, missing, partial, orphaned and unreadable file, and exits 4 when there "
     "is one.",
     "vaxdb migrate verify -e production", dir_options, 0, 0, false, run_verify},
    {"migrate new", "NAME", "make the files of a new migration and its way back",
     "The files get the next free number and a template with comments.",
     "vaxdb migrate new add_cold_chain_alerts", dir_options, 1, 1, false, run_new},
    COMMAND_END,
};
