#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

static const OptionSpec dir_options[] = {DIR_OPTION, OPTION_END};

static json_t *migration_json(const Migration *migration)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_text(migration->name));
    (void)json_object_set_new(object, "state", json_text(migration_state_name(migration->state)));
    (void)json_object_set_new(object, "checksum", json_text(migration->checksum));
    (void)json_object_set_new(object, "applied_at", json_text(migration->applied_at));
    (void)json_object_set_new(object, "down",
                              json_text(migration->file ? migration->file->down_name : NULL));
    if (migration->run) {
        const LedgerRun *run = migration->run;
        (void)json_object_set_new(object, "direction",
                                  json_text(run->direction == RUN_UP ? "up" : "down"));
        (void)json_object_set_new(object, "completed", json_integer(run->completed));
        (void)json_object_set_new(object, "error", json_text(run->error));
    }
    return object;
}

static json_t *invalid_json(const MigrateStatus *status)
{
    json_t *array = json_array();
    for (size_t i = 0; i < status->invalid_count; i++) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "index", json_text(status->invalid[i].index));
        (void)json_object_set_new(object, "migration", json_text(status->invalid[i].migration));
        (void)json_object_set_new(object, "message", json_text(status->invalid[i].message));
        (void)json_array_append_new(array, object);
    }
    return array;
}

/* What somebody wrote into the table by hand is shown as text. */
static json_t *said_json(const LedgerOverride *override)
{
    Error ignored = {0};
    json_t *said = NULL;
    const char *text = override->overrides;
    return json_parse(text, strlen(text), "overrides", &said, &ignored) ? said : json_text(text);
}

static json_t *overrides_json(const LedgerOverride *overrides, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "name", json_text(overrides[i].name));
        (void)json_object_set_new(object, "direction",
                                  json_text(overrides[i].direction == RUN_UP ? "up" : "down"));
        (void)json_object_set_new(object, "state", json_text(overrides[i].state));
        (void)json_object_set_new(object, "at", json_text(overrides[i].at));
        (void)json_object_set_new(object, "backup", json_text(overrides[i].backup_id));
        (void)json_object_set_new(object, "said", said_json(&overrides[i]));
        (void)json_array_append_new(array, object);
    }
    return array;
}

static bool status_json(Context *context, const MigrateStatus *status,
                        const LedgerOverride *overrides, size_t count, Error *err)
{
    json_t *migrations = json_array();
    for (size_t i = 0; i < status->count; i++)
        (void)json_array_append_new(migrations, migration_json(&status->items[i]));
    json_t *object = json_object();
    (void)json_object_set_new(object, "migrations", migrations);
    (void)json_object_set_new(object, "running", json_text(status->running));
    (void)json_object_set_new(object, "invalid_indexes", invalid_json(status));
    (void)json_object_set_new(object, "overrides", overrides_json(overrides, count));
    (void)json_object_set_new(object, "orphans", migrate_list_json(&status->files.orphans));
    (void)json_object_set_new(object, "warnings", migrate_list_json(&status->warnings));
    return command_print_json(context, object, err);
}

static void status_table(Context *context, const MigrateStatus *status)
{
    Table *table = table_create(context->arena);
    table_column(table, "Migration", TABLE_LEFT);
    table_column(table, "State", TABLE_LEFT);
    table_column(table, "Applied at", TABLE_LEFT);
    table_column(table, "Down", TABLE_LEFT);
    for (size_t i = 0; i < status->count; i++) {
        const Migration *migration = &status->items[i];
        const char *at = migration->applied_at;
        table_row(table, (const char *[]){
                             migration->name, migration_state_name(migration->state),
                             at ? arena_printf(context->arena, "%.10s %.8s", at, at + 11) : NULL,
                             migration->file && migration->file->down_path ? "yes" : "no"});
    }
    table_print(table, context->out, table_terminal_width(context->out));
}

static void status_talk(const Context *context, const MigrateStatus *status)
{
    migrate_print_warnings(context, &status->warnings);
    for (size_t i = 0; i < status->files.orphans.count; i++)
        log_warn(context->log, "%s is a down without its migration",
                 status->files.orphans.items[i]);
    for (size_t i = 0; i < status->count; i++) {
        const LedgerRun *run = status->items[i].run;
        if (run)
            log_warn(context->log, "%s: its %s stopped after %lld statements%s%s",
                     status->items[i].name, run->direction == RUN_UP ? "up" : "down",
                     (long long)run->completed, run->error ? ": " : "",
                     run->error ? run->error : "");
    }
    for (size_t i = 0; i < status->invalid_count; i++)
        log_warn(context->log, "the index %s is %s", status->invalid[i].index,
                 status->invalid[i].message);
    if (status->running)
        log_info(context->log, "Now: %s", status->running);
    size_t pending = migrate_status_count(status, MIGRATION_PENDING) +
                     migrate_status_count(status, MIGRATION_PARTIAL);
    if (pending > 0)
        log_info(context->log, "%zu to do: `vaxdb migrate up -e %s`", pending,
                 env_name(context->env));
}

/* Of a run that goes on nothing can be said yet. */
static void warn_of_stale(MigrateWork *work, MigrateStatus *status)
{
    MigrateDrift drift;
    Error err = {0};
    if (!status->ledger.exists || status->running)
        return;
    if (!migrate_drift_books(work->context->arena, work->session, &status->ledger, &drift, &err))
        str_list_addf(&status->warnings, "whether a run was interrupted cannot be told: %s",
                      err.message);
    else if (drift.state == DRIFT_STALE)
        str_list_addf(&status->warnings,
                      "the schema was not remembered since %s: a run was interrupted, or the "
                      "ledger changed by hand; the next `vaxdb migrate up` does it",
                      *drift.since ? drift.since : "the last migration was undone");
}

static bool run_status(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    MigrateStatus status;
    LedgerOverride *overrides = NULL;
    size_t count = 0;
    if (!migrate_work_open(context, &work, err) || !migrate_work_status(&work, &status, err) ||
        !ledger_read_overrides(context->arena, work.session, &status.ledger, &overrides, &count,
                               err))
        return false;
    warn_of_stale(&work, &status);
    if (context->json)
        return status_json(context, &status, overrides, count, err);
    status_table(context, &status);
    status_talk(context, &status);
    if (count)
        log_info(context->log,
                 "%zu run%s with a reason kept (guards passed by, drift, repairs): `vaxdb migrate "
                 "status -e %s --json`",
                 count, count == 1 ? "" : "s", env_name(context->env));
    return true;
}

static bool run_new(Context *context, Error *err)
{
    const char *directory = NULL;
    MigrateNew made;
    if (!migrations_locate(context->arena, context->config, context->env, &directory, err) ||
        !migrate_new(context->arena, directory, command_argument(context, 0), &made, err))
        return false;
    if (context->json)
        return command_print_json(
            context, json_pack("{s:s, s:s}", "file", made.up_path, "down", made.down_path), err);
    (void)fprintf(context->out, "%s\n%s\n", made.up_path, made.down_path);
    log_info(context->log, "Next: write the change and its way back, then `vaxdb migrate lint`");
    return true;
}

const Command cli_migrate_look_commands[] = {
    {"migrate status", "", "which migrations are applied, pending, partial, changed or missing",
     "Reads only. partial: stopped half-way, `migrate up` continues it. changed: the file differs "
     "from what was applied. missing: applied, and the file is gone. --json also has what was said "
     "with runs: guards that were passed by and why, drift that was taken in, reasons of repairs.",
     "vaxdb migrate status -e staging", dir_options, 0, 0, false, run_status},
    {"migrate new", "NAME", "make the files of a new migration and its way back",
     "The files get the next free number and a template with comments.",
     "vaxdb migrate new add_cold_chain_alerts", dir_options, 1, 1, false, run_new},
    COMMAND_END,
};
