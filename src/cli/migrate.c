#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* clang-format off */
static const OptionSpec up_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION", .help = "stop after this migration"},
    {.name = "no-lint", .kind = OPTION_FLAG, .help = "for later versions, which lint first; no effect yet"},
    {.name = "skip-staging", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "for later versions, which ask for staging's evidence; no effect yet"},
    {.name = "no-backup", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "for later versions, which ask for a backup; no effect yet"},
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

static bool dry_up(MigrateWork *work, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return migrate_work_status(work, &status, err) &&
           migrate_plan_up(work->context->arena, &status, to, &plan, err) &&
           migrate_print_plan(work->context, &plan, err);
}

static bool run_up(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *to = options_text(context->options, "to");
    int64_t started_ms = clock_monotonic_ms();
    if (!migrate_work_open(context, &work, err) || !migrate_work_run_options(&work, err))
        return false;
    if (context->dry_run)
        return dry_up(&work, to, err);
    MigrateReport report = {0};
    bool done = migrate_up(context->arena, &work.options, to, &report, err);
    return migrate_print_report(context, "applied", &report, NULL, started_ms, done, err);
}

static bool dry_down(MigrateWork *work, int64_t steps, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return migrate_work_status(work, &status, err) &&
           migrate_plan_down(work->context->arena, &status, steps, to, &plan, err) &&
           migrate_print_plan(work->context, &plan, err);
}

static bool run_down(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *to = options_text(context->options, "to");
    int64_t steps = 1, started_ms = clock_monotonic_ms();
    if (!migrate_read_steps(context, &steps, err) || !migrate_work_open(context, &work, err) ||
        !migrate_work_run_options(&work, err))
        return false;
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
    if (!migrate_work_open(context, &work, err) || !migrate_work_run_options(&work, err) ||
        !target_guard(&work.target, "migrate redo", options_text(context->options, "confirm"), err))
        return false;
    MigrateReport report = {0};
    bool done = migrate_redo(context->arena, &work.options, &report, err);
    return migrate_print_report(context, "done", &report, NULL, started_ms, done, err);
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
     "applied after MIGRATION. A migration that stopped half-way counts as the last. On production "
     "it "
     "wants --confirm DATABASE.",
     "vaxdb migrate down 2     undo the last two", down_options, 0, 1, true, run_down},
    {"migrate redo", "", "undo the last migration and run it again",
     "For trying a migration while writing it. On production it wants --confirm DATABASE.",
     "vaxdb migrate redo", redo_options, 0, 0, false, run_redo},
    COMMAND_END,
};
