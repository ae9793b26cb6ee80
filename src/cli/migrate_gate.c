#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* clang-format off */
static const OptionSpec rollback_options[] = {
    RUN_OPTIONS,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION",
     .help = "undo what was applied after this migration, which stays"},
    OPTION_END,
};
/* clang-format on */

static void tell_step(void *data, RollbackStep step, const char *text)
{
    const Context *context = data;
    if (context->json)
        return;
    (void)fprintf(context->out, "[%d/%d] %s\n", (int)step + 1, ROLLBACK_DONE, text);
    (void)fflush(context->out);
}

static json_t *rollback_json(const Context *context, const RollbackReport *report)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "backup", json_text(report->backup));
    (void)json_object_set_new(
        object, "keep_until",
        json_text(report->keep_until ? clock_iso_utc(context->arena, report->keep_until) : NULL));
    (void)json_object_set_new(object, "reached", json_text(rollback_step_name(report->reached)));
    (void)json_object_set_new(object, "queries", json_integer((json_int_t)report->queries));
    (void)json_object_set_new(object, "broken", migrate_list_json(&report->broken));
    (void)json_object_set_new(object, "broken_before", migrate_list_json(&report->broken_before));
    return object;
}

static bool dry_rollback(MigrateWork *work, int64_t steps, const char *to, Error *err)
{
    MigrateStatus status;
    MigratePlan plan;
    return migrate_work_status(work, &status, err) &&
           migrate_plan_down(work->context->arena, &status, steps, to, &plan, err) &&
           migrate_print_plan(work->context, &plan, NULL, err);
}

static bool run_rollback(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *to = options_text(context->options, "to");
    int64_t steps = 1, started_ms = clock_monotonic_ms();
    GuardSpec spec;
    RollbackReport report;
    if (!migrate_read_steps(context, &steps, err) || !migrate_work_open(context, &work, err))
        return false;
    migrate_work_run_options(&work);
    if (context->dry_run)
        return dry_rollback(&work, steps, to, err);
    if (!target_guard(&work.target, "migrate rollback", options_text(context->options, "confirm"),
                      err))
        return false;
    migrate_work_guards(&work, &spec);
    spec.step = tell_step;
    spec.data = context;
    bool done = guarded_rollback(context->arena, context->log, work.state, &work.target,
                                 work.session, &work.options, steps, to, &spec, &report, err);
    return migrate_print_report(context, "undone", &report.run, rollback_json(context, &report),
                                started_ms, done, err);
}

const Command cli_migrate_gate_commands[] = {
    {"migrate rollback", "[N]", "undo migrations in five safe steps: backup to working queries",
     "1 makes a backup, 2 verifies all of it, 3 undoes the N migrations that were applied last (1 "
     "by default; or with --to all after MIGRATION), 4 runs the application's queries "
     "(queries_dir): "
     "those that worked before must work after, 5 keeps the backup for at least 7 days, whatever "
     "`backup prune` would delete. Where a step fails it stops, and says where the database stands "
     "and what to type next. On production it wants --confirm DATABASE.",
     "vaxdb migrate rollback -e production --confirm vaxtrace     undo the last migration",
     rollback_options, 0, 1, true, run_rollback},
    COMMAND_END,
};
