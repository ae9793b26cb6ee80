#include "cli/migrate_work.h"

#include "base/clock.h"
#include "base/str.h"
#include "cli/backup_files.h"
#include "pg/blockers.h"

void migrate_work_close(MigrateWork *work)
{
    session_close(work->session);
    state_close(work->state);
}

bool migrate_work_open(Context *context, MigrateWork *work, Error *err)
{
    *work = (MigrateWork){.context = context};
    return command_connect(context, &work->state, &work->target, &work->session, err) &&
           read_session_begin(work->session, err) &&
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

void migrate_work_run_options(MigrateWork *work)
{
    Context *context = work->context;
    MigrateOptions *options = &work->options;
    const char *interrupted = options_text(context->options, "interrupted");
    options->wait_ms = options_int(context->options, "wait");
    options->started = tell_started;
    options->finished = tell_finished;
    options->data = context;
    if (interrupted)
        options->unknown = str_equal(interrupted, "done") ? UNKNOWN_DONE : UNKNOWN_AGAIN;
}

void migrate_work_guards(const MigrateWork *work, GuardSpec *spec)
{
    const Context *context = work->context;
    const Config *config = context->config;
    EnvKind env = work->target.guard == ENV_PRODUCTION ? ENV_PRODUCTION : context->env;
    const char *name = env_name(context->env);
    *spec = (GuardSpec){
        .backup_directory = backup_files_directory(context, env),
        .backup_name = config_text(config, env, "name"),
        .pg_bindir = config_text(config, env, "pg_bindir"),
        .keys = backup_files_keys(context, env),
        .backup_max_age_s = config_int(config, env, "backup_max_age") / 1000,
        .queries_directory = config_folder(config, env, "queries_dir"),
        .ignore = work->options.drift_ignore,
        .retry =
            arena_printf(context->arena, work->target.from_url ? "-e %s --url URL" : "-e %s", name),
    };
}

bool migrate_read_steps(const Context *context, int64_t *steps, Error *err)
{
    const char *given = command_argument(context, 0);
    *steps = 1;
    if (given && options_given(context->options, "to"))
        return error_set(err, ERR_USAGE, "give either a number of migrations or --to, not both");
    if (given && !str_to_int64(given, 1, INT32_MAX, steps))
        return error_set(err, ERR_USAGE, "\"%s\" is not a number of migrations to undo", given);
    return true;
}

json_t *migrate_list_json(const StrList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_text(list->items[i]));
    return array;
}

void migrate_print_warnings(const Context *context, const StrList *warnings)
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
bool migrate_print_report(Context *context, const char *key, const MigrateReport *report,
                          json_t *extra, int64_t started_ms, bool done, Error *err)
{
    migrate_print_warnings(context, &report->warnings);
    if (!context->json) {
        json_decref(extra);
        if (done && report->done.count == 0)
            (void)fprintf(context->out, "[INFO] Nothing to do\n");
        return done;
    }
    json_t *object = json_object();
    double seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    (void)json_object_set_new(object, key, migrate_list_json(&report->done));
    (void)json_object_set_new(object, "backup", json_null());
    (void)json_object_set_new(object, "seconds", json_real(seconds));
    (void)json_object_set_new(object, "warnings", migrate_list_json(&report->warnings));
    if (!done)
        (void)json_object_set_new(object, "error", error_json(report, err));
    if (extra)
        (void)json_object_update(object, extra);
    json_decref(extra);
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

static void print_says(const Context *context, const StrList *says)
{
    for (size_t i = 0; says && i < says->count; i++) {
        StrList lines;
        str_list_init(&lines, context->arena);
        str_split(&lines, says->items[i], "\n");
        (void)fprintf(context->out, "-- %s\n", str_list_join(&lines, context->arena, "\n--   "));
    }
}

bool migrate_print_plan(Context *context, const MigratePlan *plan, const StrList *says, Error *err)
{
    json_t *steps = json_array();
    StrList none = {0};
    for (size_t i = 0; i < plan->count; i++) {
        if (context->json)
            (void)json_array_append_new(steps, step_json(&plan->steps[i]));
        else
            print_step(context, &plan->steps[i]);
    }
    if (context->json)
        return command_print_json(context,
                                  json_pack("{s:o, s:o}", "plan", steps, "guards",
                                            migrate_list_json(says ? says : &none)),
                                  err);
    json_decref(steps);
    print_says(context, says);
    if (plan->count == 0)
        (void)fprintf(context->out, "-- nothing to do\n");
    return true;
}

bool migrate_work_status(MigrateWork *work, MigrateStatus *status, Error *err)
{
    return migrate_status(work->context->arena, work->session, work->options.directory,
                          work->options.ledger_table, status, err);
}
