#include "base/file.h"
#include "base/str.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"
#include "flows/roundtrip.h"

/* Changes of one migration that are printed; --json has them all. */
#define SHOWN 20

/* clang-format off */
static const OptionSpec roundtrip_options[] = {
    DIR_OPTION,
    {.name = "data", .kind = OPTION_FLAG,
     .help = "with the rows of the newest verified backup, and name those that are lost"},
    {.name = "backup", .kind = OPTION_TEXT, .argument = "FILE", .help = "with the rows of this backup"},
    OPTION_END,
};
/* clang-format on */

static void print_diff(const Context *context, const char *title, const SchemaDiff *diff)
{
    StrList lines;
    str_list_init(&lines, context->arena);
    schema_diff_lines(context->arena, diff, SHOWN, &lines);
    if (lines.count)
        (void)fprintf(context->out, "    %s:\n", title);
    for (size_t i = 0; i < lines.count; i++)
        (void)fprintf(context->out, "      %s\n", lines.items[i]);
}

static void print_step(const Context *context, const RoundtripStep *step)
{
    static const char *const words[] = {"passed", "FAILED", "no down", "not possible", "not run"};
    (void)fprintf(context->out, "%s: %s", step->name, words[step->verdict]);
    if (step->down_ms >= 0)
        (void)fprintf(context->out, " (up %lld ms, down %lld ms)", (long long)step->up_ms,
                      (long long)step->down_ms);
    bool shown = step->not_undone.count || step->not_redone.count;
    if (*step->detail && !shown && !step->lost.count && !step->not_undone.reordered.count)
        (void)fprintf(context->out, ": %s", step->detail);
    (void)fprintf(context->out, "\n");
    print_diff(context, "after the down, against before the up", &step->not_undone);
    print_diff(context, "after the second up, against the first", &step->not_redone);
    for (size_t i = 0; i < step->lost.count; i++)
        (void)fprintf(context->out, "    lost: %s\n", step->lost.items[i]);
    for (size_t i = 0; i < step->not_undone.reordered.count; i++)
        log_warn(context->log, "%s: the columns of %s come back in another order", step->name,
                 step->not_undone.reordered.items[i]);
}

static bool verdict(const Context *context, const RoundtripReport *report, Error *err)
{
    StrList bad;
    str_list_init(&bad, context->arena);
    for (size_t i = 0; i < report->count; i++) {
        RoundtripVerdict found = report->steps[i].verdict;
        if (found == ROUNDTRIP_FAILED || found == ROUNDTRIP_NOT_RUN)
            str_list_add(&bad, report->steps[i].name);
    }
    if (report->count == 0)
        log_info(context->log, "Nothing is pending; name migrations to try those that are applied");
    if (report->passed)
        return true;
    (void)error_set(err, ERR_PROBLEMS, "the round trip failed or did not run: %s",
                    str_list_join(&bad, context->arena, ", "));
    return error_hint(err, "mend the down files; the database itself was not touched");
}

/* NULL: schema alone. It is verified before it is restored. */
static bool choose_backup(Context *context, const char **path, Error *err)
{
    const char *given = options_text(context->options, "backup");
    *path = NULL;
    return (!given && !options_given(context->options, "data")) ||
           backup_files_find(context, given, path, err);
}

static bool run_roundtrip(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    GuardSpec guards;
    RoundtripReport report;
    StrList names;
    str_list_init(&names, context->arena);
    for (size_t i = 0; command_argument(context, i); i++)
        str_list_add(&names, path_basename(command_argument(context, i)));
    RoundtripSpec spec = {0};
    if (!choose_backup(context, &spec.backup, err) || !migrate_work_open(context, &work, err))
        return false;
    migrate_work_guards(&work, &guards);
    spec.target = &work.target;
    spec.session = work.session;
    spec.migrate = &work.options;
    spec.names = names.count ? &names : NULL;
    spec.ignore = guards.ignore;
    spec.pg_bindir = guards.pg_bindir;
    spec.keys = guards.keys;
    if (!roundtrip_run(context->arena, context->log, &spec, &report, err))
        return false;
    if (context->json && !command_print_json(context, roundtrip_report_json(&report), err))
        return false;
    for (size_t i = 0; !context->json && i < report.count; i++)
        print_step(context, &report.steps[i]);
    if (report.count)
        log_info(context->log, "%zu migration%s tried on %s in %.1f s", report.count,
                 report.count == 1 ? "" : "s", report.database, report.seconds);
    return verdict(context, &report, err);
}

const Command cli_migrate_roundtrip_commands[] = {
    {"migrate roundtrip", "[MIGRATION...]", "show that each down undoes its up",
     "Runs each pending migration, its down and again itself, in a scratch database beside the "
     "target's that is made from its schema and dropped afterwards; what differs after the down "
     "is shown as added +, dropped - and changed ~. MIGRATIONs that are applied already are tried "
     "in a "
     "database made from nothing by all migrations before them. A migration that reaches beyond "
     "its database (roles, databases, tablespaces) is not run.\n\n"
     "With --data or --backup FILE the scratch database is a restored backup, and rows and values "
     "that do not survive up and down are named; they are no failure.",
     "vaxdb migrate roundtrip -e staging --data", roundtrip_options, 0, -1, false, run_roundtrip},
    COMMAND_END,
};
