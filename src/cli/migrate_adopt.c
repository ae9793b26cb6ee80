#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* clang-format off */
static const OptionSpec repair_options[] = {
    DIR_OPTION,
    {.name = "accept-checksum", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "the changed file is right as it is now"},
    {.name = "applied", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "all of it is there: a half-done or pending migration is applied"},
    {.name = "pending", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "nothing of it is there: the next up runs it from its beginning"},
    OPTION_END,
};
/* clang-format on */

static bool read_kind(const Context *context, RepairKind *kind, const char **reason, Error *err)
{
    static const char *const names[] = {"accept-checksum", "applied", "pending"};
    int given = 0;
    for (int i = 0; i < (int)COUNT_OF(names); i++) {
        if (!options_given(context->options, names[i]))
            continue;
        *kind = (RepairKind)i;
        *reason = options_text(context->options, names[i]);
        given++;
    }
    if (given != 1) {
        (void)error_set(err, ERR_USAGE, "give one of --accept-checksum, --applied and --pending");
        return error_hint(err, "`vaxdb migrate repair --help` says what each means");
    }
    return !str_empty(*reason) || error_set(err, ERR_USAGE, "--%s wants a reason", names[*kind]);
}

static bool print_repair(Context *context, const MigrateRepair *repair, Error *err)
{
    const char *before = migration_state_name(repair->before);
    const char *after = migration_state_name(repair->after);
    if (context->json)
        return command_print_json(
            context,
            json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:b, s:b}", "name", repair->name, "before",
                      before, "after", after, "old_checksum", repair->old_checksum, "checksum",
                      repair->checksum, "changed", repair->needed && !context->dry_run, "dry_run",
                      context->dry_run),
            err);
    if (!repair->needed)
        (void)fprintf(context->out, "%s: nothing to repair\n", repair->name);
    else
        (void)fprintf(context->out, "%s: %s -> %s%s\n", repair->name, before, after,
                      context->dry_run ? " (dry run, nothing was changed)" : "");
    return true;
}

static bool run_repair(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    const char *name = command_argument(context, 0), *reason = NULL;
    RepairKind kind = REPAIR_APPLIED;
    MigrateRepair repair;
    MigrateStatus status;
    if (!read_kind(context, &kind, &reason, err) || !migrate_work_open(context, &work, err))
        return false;
    if (context->dry_run)
        return migrate_work_status(&work, &status, err) &&
               migrate_repair_plan(context->arena, &status, name, kind, &repair, err) &&
               print_repair(context, &repair, err);
    return target_guard(&work.target, "migrate repair", options_text(context->options, "confirm"),
                        err) &&
           migrate_repair(context->arena, &work.options, name, kind, reason, &repair, err) &&
           print_repair(context, &repair, err);
}

/* ---- baseline ---------------------------------------------------------------------------- */

/* clang-format off */
static const OptionSpec baseline_options[] = {
    DIR_OPTION,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION",
     .help = "the newest migration that the database holds already"},
    {.name = "from", .kind = OPTION_TEXT, .argument = "TABLE",
     .help = "take over what the ledger of dbmate, golang-migrate, Flyway or Sqitch lists"},
    {.name = "project", .kind = OPTION_TEXT, .argument = "NAME",
     .help = "the project of Sqitch, where its ledger holds several"},
    OPTION_END,
};
/* clang-format on */

static bool print_baseline(Context *context, const MigrateBaseline *baseline, Error *err)
{
    migrate_print_warnings(context, &baseline->warnings);
    json_t *names = json_array();
    for (size_t i = 0; i < baseline->count; i++) {
        const char *name = baseline->items[i].migration->name;
        (void)json_array_append_new(names, json_text(name));
        if (!context->json)
            (void)fprintf(context->out, "%s: pending -> applied, not run%s\n", name,
                          context->dry_run ? " (dry run, nothing was changed)" : "");
    }
    for (size_t i = 0; i < baseline->unmatched.count; i++)
        log_warn(context->log, "no file for %s of the other ledger", baseline->unmatched.items[i]);
    if (context->json)
        return command_print_json(context,
                                  json_pack("{s:o, s:I, s:o, s:o, s:b}", "baselined", names,
                                            "already", (json_int_t)baseline->already, "unmatched",
                                            migrate_list_json(&baseline->unmatched), "warnings",
                                            migrate_list_json(&baseline->warnings), "dry_run",
                                            context->dry_run),
                                  err);
    json_decref(names);
    if (baseline->count == 0)
        (void)fprintf(context->out, "Nothing to do: all of it is in the ledger\n");
    return true;
}

static bool read_baseline(const Context *context, BaselineSpec *spec, Error *err)
{
    *spec = (BaselineSpec){.to = options_text(context->options, "to"),
                           .from = options_text(context->options, "from"),
                           .project = options_text(context->options, "project")};
    if (str_empty(spec->to) != str_empty(spec->from))
        return true;
    (void)error_set(err, ERR_USAGE, "baseline wants one of --to MIGRATION and --from TABLE");
    return error_hint(err, "--to names the newest migration that the database holds already, "
                           "--from the ledger of another tool that lists them");
}

/* What would be done; nothing is changed by a baseline that is refused. */
static bool plan_baseline(MigrateWork *work, const BaselineSpec *what, MigrateBaseline *baseline,
                          Error *err)
{
    MigrateStatus *status = arena_alloc(work->context->arena, sizeof(*status));
    return (!what->from || migrate_baseline_check(work->context->arena, work->session, what,
                                                  work->options.ledger_table, err)) &&
           migrate_work_status(work, status, err) &&
           migrate_baseline_plan(work->context->arena, work->session, &work->options, status, what,
                                 baseline, err);
}

static bool run_baseline(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    BaselineSpec what;
    MigrateBaseline baseline;
    GuardSpec spec;
    if (!read_baseline(context, &what, err) || !migrate_work_open(context, &work, err) ||
        !plan_baseline(&work, &what, &baseline, err))
        return false;
    if (context->dry_run)
        return print_baseline(context, &baseline, err);
    if (!target_guard(&work.target, "migrate baseline", options_text(context->options, "confirm"),
                      err))
        return false;
    migrate_work_guards(&work, &spec);
    return guarded_baseline(context->arena, context->log, work.state, &work.target, work.session,
                            &work.options, &what, &spec, &baseline, err) &&
           print_baseline(context, &baseline, err);
}

const Command cli_migrate_adopt_commands[] = {
    {"migrate baseline", "", "take over a database that holds its migrations already",
     "Enters every migration up to --to, or all that another tool's ledger lists (--from), in the "
     "ledger without running it, in one transaction, and remembers the schema as it is. Entries "
     "that are there already are left alone, and so is the other tool's ledger. On production it "
     "wants --confirm DATABASE.",
     "vaxdb migrate baseline --to 003_add_indexes     what is after it is pending",
     baseline_options, 0, 0, true, run_baseline},
    {"migrate repair", "MIGRATION", "put the ledger right about one migration",
     "For when the ledger and the database disagree and you know which is right. No file runs; the "
     "ledger changes in one transaction, and the reason is kept in the table of runs. On "
     "production it wants --confirm DATABASE.",
     "vaxdb migrate repair 004_x --accept-checksum \"only a comment was changed\"", repair_options,
     1, 1, true, run_repair},
    COMMAND_END,
};
