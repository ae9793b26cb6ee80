#include "base/clock.h"
#include "base/file.h"
#include "base/table.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "cli/drilling.h"
#include "flows/offsite.h"
#include "state/drills.h"

#include <string.h>

#define LIST_MAX    1000
#define PAGE_DRILLS 24 /* earlier ones on the page of a report */

/* --html FILE: the page, beside what is printed. */
static bool write_page(const Context *context, State *state, const DrillReport *report,
                       const char *env, Error *err)
{
    const char *file = options_text(context->options, "html");
    StateDrill *history = NULL;
    size_t count = 0;
    if (!file)
        return true;
    if (!state_drill_list(state, context->arena, env, PAGE_DRILLS, &history, &count, err))
        return false;
    const char *page = drill_report_html(context->arena, report, env, history, count);
    if (!file_write_atomic(file, page, strlen(page), 0600, err))
        return false;
    log_info(context->log, "The report is in %s", file);
    return true;
}

/* The backup that is meant, here or off-site. */
static bool drill_one(const Context *context, State *state, DrillSpec *spec, DrillReport *report,
                      Error *err)
{
    const char *word = command_argument(context, 0);
    bool offsite = options_flag(context->options, "from-store") ||
                   (word ? offsite_is_place(word)
                         : config_int(context->config, context->env, "drill_from_store") != 0);
    if (offsite)
        return drill_run_offsite(context->arena, context->log, state, context->config, context->env,
                                 word, spec, report, err);
    if (!backup_files_find(context, word, &spec->path, err))
        return false;
    log_info(context->log, "Drill of %s", path_basename(spec->path));
    return drill_run(context->arena, context->log, state, spec, report, err);
}

static bool run_drill(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    DrillReport report;
    DrillSpec spec = drilling_spec(context, NULL);
    spec.conninfo = options_text(context->options, "on");
    if (command_url(context)) {
        (void)error_set(err, ERR_USAGE,
                        "a drill restores into a PostgreSQL of its own: --url means nothing to it");
        return error_hint(err, "to restore on a server instead: vaxdb drill run --on CONNINFO");
    }
    if (!state_open(config_state_directory(context->config), &state, err) ||
        !drill_one(context, state, &spec, &report, err) ||
        !write_page(context, state, &report, spec.env, err))
        return false;
    if (context->json) {
        if (!command_print_json(context, drill_report_json(&report), err))
            return false;
    } else {
        drilling_print(context, &report);
    }
    return drilling_verdict(&report, err);
}

static json_t *drill_json(const Context *context, const StateDrill *drill)
{
    Error ignored = {0};
    json_t *object = NULL;
    if (!json_parse(drill->report, strlen(drill->report), "drill", &object, &ignored))
        object = json_object();
    (void)json_object_set_new(object, "id", json_integer(drill->id));
    (void)json_object_set_new(object, "started_at",
                              json_text(clock_iso_utc(context->arena, drill->started_at)));
    (void)json_object_set_new(object, "env", json_text(drill->env));
    (void)json_object_set_new(object, "sha256", json_text(drill->sha256));
    return object;
}

static bool run_list(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    StateDrill *drills = NULL;
    size_t count = 0;
    if (!state_open(config_state_directory(context->config), &state, err) ||
        !state_drill_list(state, context->arena, backup_files_env(context), LIST_MAX, &drills,
                          &count, err))
        return false;
    if (context->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(list, drill_json(context, &drills[i]));
        json_t *object = json_object();
        (void)json_object_set_new(object, "drills", list);
        return command_print_json(context, object, err);
    }
    if (!count) {
        log_info(context->log, "No drill was run yet. Run one: vaxdb drill run -e production");
        return true;
    }
    Table *table = table_create(context->arena);
    table_column(table, "ID", TABLE_RIGHT);
    table_column(table, "When (UTC)", TABLE_LEFT);
    table_column(table, "For", TABLE_LEFT);
    table_column(table, "Backup", TABLE_LEFT);
    table_column(table, "Verdict", TABLE_LEFT);
    table_column(table, "Seconds", TABLE_RIGHT);
    for (size_t i = 0; i < count; i++)
        table_row(table, (const char *[]){
                             arena_printf(context->arena, "%lld", (long long)drills[i].id),
                             clock_iso_utc(context->arena, drills[i].started_at), drills[i].env,
                             path_basename(drills[i].path), drills[i].passed ? "pass" : "FAIL",
                             arena_printf(context->arena, "%.1f", drills[i].seconds)});
    table_print(table, context->out, table_terminal_width(context->out));
    return true;
}

/* By its ID; without one the newest, of -e where it was given. */
static bool find_drill(const Context *context, State *state, StateDrill *drill, Error *err)
{
    const char *word = command_argument(context, 0);
    const char *env = backup_files_env(context);
    int64_t id = 0;
    bool found = false;
    if (!word) {
        StateDrill *newest = NULL;
        size_t count = 0;
        if (!state_drill_list(state, context->arena, env, 1, &newest, &count, err))
            return false;
        if (count) {
            *drill = newest[0];
            return true;
        }
        (void)error_set(err, ERR_USAGE, "no drill%s%s was run yet", env ? " of " : "",
                        env ? env : "");
        (void)error_hint(err, "run one: vaxdb drill run -e %s", env ? env : "production");
        return false;
    }
    if (!str_to_int64(word, 1, INT64_MAX, &id)) {
        (void)error_set(err, ERR_USAGE, "\"%s\" is no ID of a drill", word);
        (void)error_hint(err, "`vaxdb drill list` shows them: 1, 2, ...");
        return false;
    }
    if (!state_drill_get(state, context->arena, id, drill, &found, err))
        return false;
    if (found)
        return true;
    (void)error_set(err, ERR_USAGE, "there is no drill %s", word);
    (void)error_hint(err, "`vaxdb drill list` shows those that there are");
    return false;
}

static bool run_show(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    StateDrill drill = {0};
    DrillReport report;
    if (!state_open(config_state_directory(context->config), &state, err) ||
        !find_drill(context, state, &drill, err) ||
        !drill_report_read(context->arena, &drill, &report, err) ||
        !write_page(context, state, &report, drill.env, err))
        return false;
    if (context->json)
        return command_print_json(context, drill_json(context, &drill), err);
    (void)fprintf(context->out, "Drill %lld of %s, %s%s%s\n\n", (long long)drill.id, drill.env,
                  clock_iso_utc(context->arena, drill.started_at),
                  str_empty(report.server) ? "" : ", restored on ", report.server);
    drilling_print(context, &report);
    return true;
}

/* clang-format off */
#define OPTION_HTML                                                                            \
    {                                                                                          \
        .name = "html", .kind = OPTION_PATH, .argument = "FILE",                               \
        .help = "write the report as a page of HTML, too"                                      \
    }

static const OptionSpec run_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "from-store", .kind = OPTION_FLAG,
     .help = "fetch it from the off-site store (setting drill_from_store)"},
    {.name = "on", .kind = OPTION_TEXT, .argument = "CONNINFO",
     .help = "server to restore on, instead of a scratch cluster"},
    OPTION_HTML,
    OPTION_END,
};

static const OptionSpec show_options[] = {
    OPTION_HTML,
    OPTION_END,
};

const Command cli_drill_commands[] = {
    {.name = "drill run", .synopsis = "[FILE]", .summary = "restore a backup on trial and examine it",
     .details = "FILE is a path, the name of a backup, or newest (the default: of -e). It is verified,\n"
                "restored, and examined by the guide's checklist: restored, all tables, row counts,\n"
                "indexes, every row by its digest, the application connects (as app_role), its\n"
                "queries run (queries_dir). A difference exits 4.\n\n"
                "It is restored into a PostgreSQL of its own, of the same major, that is made for the\n"
                "drill in the state directory and removed at its end: it listens on a socket only,\n"
                "runs no jobs and no subscriptions, and where root starts it, belongs to the user\n"
                "vaxdb-drill. No other server is asked for anything. With --on it is a scratch\n"
                "database of that server, which is dropped again.\n\n"
                "With --from-store, or where FILE is a place such as s3://BUCKET/PREFIX/NAME, the\n"
                "backup is fetched from the off-site store for the drill, which proves that copy\n"
                "and the way to it; the phase \"pull\" is how long that takes.",
     .example = "vaxdb drill run -e production          every month, and before it matters",
     .options = run_options, .max_arguments = 1, .run = run_drill},
    {.name = "drill list", .synopsis = "", .summary = "list past drills",
     .details = "Of every environment, or of one with -e.",
     .example = "vaxdb drill list                       the newest first",
     .run = run_list},
    {.name = "drill show", .synopsis = "[ID]", .summary = "show the report of a past drill",
     .details = "ID is what `vaxdb drill list` shows; without one it is the newest drill, with -e\n"
                "the newest of that environment. --html writes it as one page that needs nothing\n"
                "else, to keep or to send. Exits 0 also where the drill had failed.",
     .example = "vaxdb drill show --html drill.html     the newest, for the file of the auditors",
     .options = show_options, .max_arguments = 1, .run = run_show},
    COMMAND_END,
};
/* clang-format on */
