#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* Changes that are printed; --json has them all. */
#define SHOWN 50

/* clang-format off */
static const OptionSpec verify_options[] = {
    DIR_OPTION,
    {.name = "accept", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "take the schema as it is now for right; the reason is recorded"},
    {.name = "grants", .kind = OPTION_FLAG, .help = "look at owners and privileges too"},
    OPTION_END,
};
/* clang-format on */

static json_t *drift_json(const MigrateDrift *drift)
{
    json_t *object = schema_diff_json(&drift->diff);
    (void)json_object_set_new(object, "state", json_text(drift_state_name(drift->state)));
    (void)json_object_set_new(object, "since", json_text(drift->since));
    (void)json_object_set_new(object, "taken_at", json_text(drift->taken_at));
    (void)json_object_set_new(object, "accepted", json_text(drift->reason));
    (void)json_object_set_new(object, "fingerprint", json_text(drift->fingerprint));
    return object;
}

static bool print_json(Context *context, const MigrateFindings *findings, const MigrateDrift *drift,
                       Error *err)
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
    bool ok = findings->count == 0 && drift->state != DRIFT_FOUND;
    (void)json_object_set_new(object, "ok", json_boolean(ok));
    (void)json_object_set_new(object, "findings", array);
    (void)json_object_set_new(object, "drift", drift_json(drift));
    return command_print_json(context, object, err);
}

static void print_text(const Context *context, const MigrateFindings *findings,
                       const MigrateDrift *drift)
{
    StrList lines;
    str_list_init(&lines, context->arena);
    for (size_t i = 0; i < findings->count; i++)
        (void)fprintf(context->out, "%s: %s: %s\n", findings->items[i].problem,
                      findings->items[i].name, findings->items[i].message);
    if (drift->state == DRIFT_FOUND) {
        schema_diff_lines(context->arena, &drift->diff, SHOWN, &lines);
        (void)fprintf(context->out, "drift: the schema has changed since %s (%s):\n",
                      drift->reason ? "it was taken for right" : "the last migration",
                      drift->taken_at);
    }
    for (size_t i = 0; i < lines.count; i++)
        (void)fprintf(context->out, "  %s\n", lines.items[i]);
}

/* Where there is nothing to compare with, or only the order of columns differs. */
static void talk(const Context *context, const MigrateDrift *drift)
{
    static const char accept[] = "`vaxdb migrate verify --accept REASON` takes one now";
    Log *log = context->log;
    if (drift->state == DRIFT_NO_SNAPSHOT)
        log_info(log,
                 "Drift cannot be told: no run has left a fingerprint of the schema here yet. The "
                 "next run leaves one; %s",
                 accept);
    else if (drift->state == DRIFT_STALE)
        log_warn(log,
                 "drift cannot be told: no fingerprint since %s. A run was interrupted, or the "
                 "ledger changed by hand: the next `vaxdb migrate up` takes one, or %s",
                 *drift->since ? drift->since : "the last migration was undone", accept);
    else if (drift->state == DRIFT_OTHER_MAJOR)
        log_warn(log,
                 "drift cannot be told: the fingerprint is of PostgreSQL %d, the server is %d now; "
                 "%s",
                 drift->snapshot_major, drift->server_major, accept);
    for (size_t i = 0; i < drift->diff.reordered.count; i++)
        log_warn(log, "the columns of %s stand in another order", drift->diff.reordered.items[i]);
}

static bool verdict(const Context *context, const MigrateFindings *findings,
                    const MigrateDrift *drift, Error *err)
{
    const char *env = env_name(context->env);
    bool drifted = drift->state == DRIFT_FOUND;
    if (findings->count == 0 && !drifted) {
        log_info(context->log, "The ledger and the files agree%s",
                 drift->state == DRIFT_NONE ? ", and the schema is as the last run left it" : "");
        return true;
    }
    if (findings->count == 0)
        (void)error_set(err, ERR_PROBLEMS, "the schema has drifted: %zu change%s",
                        drift->diff.count, drift->diff.count == 1 ? "" : "s");
    else
        (void)error_set(err, ERR_PROBLEMS, "%zu problem%s found%s", findings->count,
                        findings->count == 1 ? "" : "s", drifted ? ", and drift" : "");
    if (drifted)
        return error_hint(
            err,
            "make a migration of it, undo it, or `vaxdb migrate verify -e %s --accept "
            "REASON`; drift_ignore in vaxdb.ini lists what may differ",
            env);
    return error_hint(err, "`vaxdb migrate status -e %s` shows all migrations", env);
}

static bool accept_drift(Context *context, MigrateWork *work, const char *reason, Error *err)
{
    if (str_empty(reason))
        return error_set(err, ERR_USAGE, "--accept wants a reason");
    if (context->dry_run)
        return error_set(err, ERR_USAGE, "--dry-run and --accept do not go together");
    if (!migrate_accept_drift(context->arena, &work->options, reason, err))
        return false;
    log_info(context->log, "The schema as it is now is taken for right: %s", reason);
    return true;
}

static bool run_verify(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    MigrateFindings findings;
    MigrateDrift drift;
    GuardSpec guards;
    if (!migrate_work_open(context, &work, err))
        return false;
    migrate_work_guards(&work, &guards);
    if (options_given(context->options, "accept") &&
        !accept_drift(context, &work, options_text(context->options, "accept"), err))
        return false;
    if (!migrate_verify(context->arena, work.session, work.options.directory,
                        work.options.ledger_table, &findings, err) ||
        !migrate_drift(context->arena, work.session, work.options.ledger_table, guards.ignore,
                       options_given(context->options, "grants"), &drift, err))
        return false;
    if (!context->json)
        print_text(context, &findings, &drift);
    else if (!print_json(context, &findings, &drift, err))
        return false;
    talk(context, &drift);
    return verdict(context, &findings, &drift, err);
}

const Command cli_migrate_verify_commands[] = {
    {"migrate verify", "", "check that the ledger, the files and the schema agree",
     "Names every changed, missing, partial, orphaned and unreadable file, and what was changed in "
     "the schema since the last migration (drift) as added +, dropped - and changed ~; exits 4 "
     "when there is anything. What drift_ignore in vaxdb.ini lists is left out.\n\n"
     "--accept takes the schema as it is now for right, and records why.",
     "vaxdb migrate verify -e production", verify_options, 0, 0, false, run_verify},
    COMMAND_END,
};
