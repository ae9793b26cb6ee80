#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_lint.h"
#include "cli/migrate_work.h"

/* clang-format off */
static const OptionSpec up_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION", .help = "stop after this migration"},
    {.name = "allow-out-of-order", .kind = OPTION_FLAG,
     .help = "run files that sort before the newest applied one"},
    {.name = "no-lint", .kind = OPTION_FLAG,
     .help = "run although lint finds errors; recorded with the run"},
    {.name = "skip-staging", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "run on production what staging has not proved, or on staging without a round trip; "
             "the reason is recorded"},
    {.name = "no-backup", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "run on production without a backup; the reason is recorded"},
    OPTION_END,
};
static const OptionSpec down_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION",
     .help = "undo what was applied after this migration, which stays"},
    OPTION_END,
};
static const OptionSpec redo_options[] = {RUN_OPTIONS, OPTION_END};
/* clang-format on */

static void read_guards(const MigrateWork *work, GuardSpec *spec)
{
    const Options *options = work->context->options;
    migrate_work_guards(work, spec);
    spec->no_lint = options_flag(options, "no-lint");
    spec->skip_staging = options_text(options, "skip-staging");
    spec->no_backup = options_text(options, "no-backup");
}

static bool dry_up(MigrateWork *work, const char *to, const GuardSpec *spec, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    StrList says;
    Context *context = work->context;
    return migrate_work_status(work, &status, err) &&
           migrate_plan_up(context->arena, &status, to, &plan, err) &&
           (work->options.allow_out_of_order ||
            migrate_check_order(context->arena, &status, &plan, err)) &&
           guarded_preview(context->arena, context->log, work->state, &work->target, work->session,
                           &work->options, &status, &plan, spec, &says, err) &&
           migrate_print_plan(context, &plan, &says, err);
}

static json_t *guards_json(const GuardedReport *report)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "backup", json_text(report->backup));
    (void)json_object_set_new(object, "backup_is_new", json_boolean(report->backup_is_new));
    (void)json_object_set_new(object, "overrides", migrate_list_json(&report->overrides));
    (void)json_object_set_new(object, "roundtrip",
                              report->roundtrip.count ? roundtrip_report_json(&report->roundtrip)
                                                      : json_null());
    (void)json_object_set_new(object, "lint", lint_report_json(&report->lint));
    return object;
}

static bool run_up(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *to = options_text(context->options, "to");
    int64_t started_ms = clock_monotonic_ms();
    GuardSpec spec;
    GuardedReport report;
    if (!migrate_work_open(context, &work, err))
        return false;
    migrate_work_run_options(&work);
    work.options.allow_out_of_order = options_flag(context->options, "allow-out-of-order");
    read_guards(&work, &spec);
    if (context->dry_run)
        return dry_up(&work, to, &spec, err);
    bool done = guarded_up(context->arena, context->log, work.state, &work.target, work.session,
                           &work.options, to, &spec, &report, err);
    if (report.lint.errors && !context->json)
        lint_print_errors(context, &report.lint);
    return migrate_print_report(context, "applied", &report.run, guards_json(&report), started_ms,
                                done, err);
}

static bool dry_down(MigrateWork *work, int64_t steps, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return migrate_work_status(work, &status, err) &&
           migrate_plan_down(work->context->arena, &status, steps, to, &plan, err) &&
           migrate_print_plan(work->context, &plan, NULL, err);
}

static bool run_down(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *to = options_text(context->options, "to");
    int64_t steps = 1, started_ms = clock_monotonic_ms();
    if (!migrate_read_steps(context, &steps, err) || !migrate_work_open(context, &work, err))
        return false;
    migrate_work_run_options(&work);
    if (context->dry_run)
        return dry_down(&work, steps, to, err);
    if (!target_guard(&work.target, "migrate down", options_text(context->options, "confirm"), err))
        return false;
    MigrateReport report = {0};
    bool done = migrate_down(context->arena, &work.options, steps, to, &report, err);
    return migrate_print_report(context, "undone", &report, NULL, started_ms, done, err);
}

static bool run_redo(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    int64_t started_ms = clock_monotonic_ms();
    GuardSpec spec;
    GuardedReport report;
    if (!migrate_work_open(context, &work, err) ||
        !target_guard(&work.target, "migrate redo", options_text(context->options, "confirm"), err))
        return false;
    migrate_work_run_options(&work);
    migrate_work_guards(&work, &spec);
    bool done = guarded_redo(context->arena, context->log, work.state, &work.target, work.session,
                             &work.options, &spec, &report, err);
    if (report.lint.errors && !context->json)
        lint_print_errors(context, &report.lint);
    return migrate_print_report(context, "done", &report.run, NULL, started_ms, done, err);
}

const Command cli_migrate_commands[] = {
    {"migrate up", "", "run the migrations that are pending",
     "Runs the files of the migrations folder that the ledger (schema_migrations) does not have "
     "yet, in order, each in one transaction, and records them. A file whose statements cannot run "
     "in a transaction (CREATE INDEX CONCURRENTLY, ...) runs statement by statement; one that "
     "mixes both kinds must begin with `-- migrate:transaction none`. Whatever stops a run, the "
     "next one goes on where it stopped.\n\n"
     "Before anything runs: lint, whose errors refuse (exit 3). On staging the round trip (up, "
     "down, "
     "up) in a scratch database, and after each file its evidence. On production that evidence is "
     "asked for, equal to the file and the schema that are here; and a verified backup that is "
     "younger than backup_max_age, else one is made. What is passed by is recorded.\n\n"
     "Only one run works at a time; another waits for it.",
     "vaxdb migrate up -e production     run everything that is pending", up_options, 0, 0, true,
     run_up},
    {"migrate down", "[N]", "undo the last migrations by their .down.sql files",
     "Undoes the N migrations that were applied last (1 by default), or with --to all that were "
     "applied after MIGRATION. A migration that stopped half-way counts as the last. On production "
     "it "
     "wants --confirm DATABASE.",
     "vaxdb migrate down 2     undo the last two", down_options, 0, 1, true, run_down},
    {"migrate redo", "", "undo the last migration and run it again",
     "For trying a migration while writing it. On staging the up is proved anew, as by `migrate "
     "up`. On production it wants --confirm DATABASE, and redoes only the file as it was applied, "
     "after a verified backup.",
     "vaxdb migrate redo", redo_options, 0, 0, false, run_redo},
    COMMAND_END,
};
