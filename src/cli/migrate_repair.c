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

const Command cli_migrate_repair_commands[] = {
    {"migrate repair", "MIGRATION", "put the ledger right about one migration",
     "For when the ledger and the database disagree and you know which is right. No file runs; the "
     "ledger changes in one transaction, and the reason is kept in the table of runs. On "
     "production it wants --confirm DATABASE.",
     "vaxdb migrate repair 004_x --accept-checksum \"only a comment was changed\"", repair_options,
     1, 1, true, run_repair},
    COMMAND_END,
};
