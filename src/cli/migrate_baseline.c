#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* clang-format off */
static const OptionSpec baseline_options[] = {
    DIR_OPTION,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION",
     .help = "the newest migration that the database holds already"},
    {.name = "from", .kind = OPTION_TEXT, .argument = "TABLE",
     .help = "take over what the ledger of dbmate, golang-migrate, Flyway, Sqitch or an earlier "
             "script lists"},
    {.name = "accept-missing", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "take over also what an earlier script recorded and the database lacks"},
    {.name = "project", .kind = OPTION_TEXT, .argument = "NAME",
     .help = "the project of Sqitch, where its ledger holds several"},
    OPTION_END,
};
/* clang-format on */

/* ---- printing ---------------------------------------------------------------------------- */

/* What to do about it, as a command to type; flags: "-e production". */
static const char *cure_of(Arena *arena, const MigrateBaselined *item, const char *flags)
{
    const MigrateSuspicion *suspicion = item->suspicion;
    const char *repair = arena_printf(arena, "vaxdb migrate repair %s --pending REASON %s",
                                      item->migration->name, flags);
    if (suspicion->missing.count == suspicion->expected)
        return repair;
    return arena_printf(arena, "make what is missing by hand; or drop what there is of it, then %s",
                        repair);
}

static void print_suspicion(const Context *context, const MigrateBaselined *item, const char *flags)
{
    const MigrateSuspicion *suspicion = item->suspicion;
    FILE *out = context->out;
    if (suspicion->expected == 0)
        (void)fprintf(out, "%s: it leaves nothing that could be looked for\n",
                      item->migration->name);
    else
        (void)fprintf(out, "%s: %zu of %zu missing\n", item->migration->name,
                      suspicion->missing.count, suspicion->expected);
    for (size_t i = 0; i < suspicion->missing.count; i++)
        (void)fprintf(out, "    %s\n", suspicion->missing.items[i]);
    if (suspicion->undone_by)
        (void)fprintf(out, "  %s was recorded after it\n", suspicion->undone_by);
    if (suspicion->doubt)
        (void)fprintf(out, "  unless code in %s removed it on purpose\n", suspicion->doubt);
    (void)fprintf(out, "  %s\n", cure_of(context->arena, item, flags));
}

static void print_text(const Context *context, const MigrateBaseline *baseline, bool refused,
                       const char *flags)
{
    const char *dry = context->dry_run ? " (dry run, nothing was changed)" : "";
    for (size_t i = 0; i < baseline->count; i++) {
        const MigrateBaselined *item = &baseline->items[i];
        const char *name = item->migration->name;
        if (item->suspicion)
            print_suspicion(context, item, flags);
        else if (!refused)
            (void)fprintf(context->out, "%s: %s%s\n", name,
                          item->migration->entry ? "applied, and found in the database"
                                                 : "pending -> applied, not run",
                          dry);
    }
    if (baseline->count == 0)
        (void)fprintf(context->out, "Nothing to do: all of it is in the ledger\n");
}

static json_t *suspicion_json(Arena *arena, const MigrateBaselined *item, const char *flags)
{
    const MigrateSuspicion *suspicion = item->suspicion;
    return json_pack("{s:s, s:I, s:o, s:s?, s:s?, s:s}", "name", item->migration->name, "expected",
                     (json_int_t)suspicion->expected, "missing",
                     migrate_list_json(&suspicion->missing), "undone_by", suspicion->undone_by,
                     "doubt", suspicion->doubt, "help", cure_of(arena, item, flags));
}

static bool print_json(Context *context, const MigrateBaseline *baseline, bool refused,
                       const char *flags, Error *err)
{
    json_t *names = json_array(), *suspects = json_array();
    for (size_t i = 0; i < baseline->count; i++) {
        const MigrateBaselined *item = &baseline->items[i];
        if (!refused)
            (void)json_array_append_new(names, json_text(item->migration->name));
        if (item->suspicion)
            (void)json_array_append_new(suspects, suspicion_json(context->arena, item, flags));
    }
    return command_print_json(
        context,
        json_pack("{s:o, s:I, s:o, s:o, s:o, s:b}", "baselined", names, "already",
                  (json_int_t)baseline->already, "unmatched",
                  migrate_list_json(&baseline->unmatched), "suspects", suspects, "warnings",
                  migrate_list_json(&baseline->warnings), "dry_run", context->dry_run),
        err);
}

static bool print_baseline(Context *context, const MigrateBaseline *baseline, bool refused,
                           const char *flags, Error *err)
{
    migrate_print_warnings(context, &baseline->warnings);
    for (size_t i = 0; i < baseline->unmatched.count; i++)
        log_warn(context->log, "no file for %s of the ledger that is taken over",
                 baseline->unmatched.items[i]);
    if (context->json)
        return print_json(context, baseline, refused, flags, err);
    print_text(context, baseline, refused, flags);
    return true;
}

/* ---- doing it ---------------------------------------------------------------------------- */

static bool read_baseline(const Context *context, BaselineSpec *spec, Error *err)
{
    *spec = (BaselineSpec){.to = options_text(context->options, "to"),
                           .from = options_text(context->options, "from"),
                           .project = options_text(context->options, "project"),
                           .accept_missing = options_text(context->options, "accept-missing"),
                           .judge = guarded_history_judge};
    const char *reason = spec->accept_missing;
    if (reason && !reason[strspn(reason, " \t\n")])
        return error_set(err, ERR_USAGE, "--accept-missing wants a reason, which is recorded");
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

static bool do_baseline(MigrateWork *work, const BaselineSpec *what, const GuardSpec *spec,
                        MigrateBaseline *baseline, Error *err)
{
    Context *context = work->context;
    return target_guard(&work->target, "migrate baseline",
                        options_text(context->options, "confirm"), err) &&
           guarded_baseline(context->arena, context->log, work->state, &work->target, work->session,
                            &work->options, what, spec, baseline, err) &&
           print_baseline(context, baseline, false, spec->retry, err);
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
    migrate_work_guards(&work, &spec);
    if (!migrate_baseline_verdict(&what, &baseline, err)) {
        Error unprinted = {0};
        (void)!print_baseline(context, &baseline, true, spec.retry, &unprinted);
        return false;
    }
    return context->dry_run ? print_baseline(context, &baseline, false, spec.retry, err)
                            : do_baseline(&work, &what, &spec, &baseline, err);
}

const Command cli_migrate_baseline_commands[] = {
    {"migrate baseline", "", "take over a database that holds its migrations already",
     "Enters every migration up to --to, or all that another tool's ledger lists (--from), in the "
     "ledger without running it, in one transaction, and remembers the schema as it is. Entries "
     "that are there already are left alone, and so is the other tool's ledger. On production it "
     "wants --confirm DATABASE.\n\n"
     "Where --from names the ledger of vaxdb itself, an earlier script wrote it, which may have "
     "listed downs and files that failed. What each recorded migration makes is looked for in the "
     "database; where something is missing it is listed with what to do, the exit status is 4, and "
     "nothing is written.",
     "vaxdb migrate baseline --to 003_add_indexes     what is after it is pending",
     baseline_options, 0, 0, true, run_baseline},
    COMMAND_END,
};
