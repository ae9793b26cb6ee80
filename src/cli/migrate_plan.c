#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"
#include "flows/plan.h"

static const OptionSpec plan_options[] = {
    DIR_OPTION,
    {.name = "to", .kind = OPTION_TEXT, .argument = "MIGRATION", .help = "the last one to show"},
    OPTION_END};

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *count_json(int64_t count)
{
    return count < 0 ? json_null() : json_integer(count);
}

static json_t *lock_json(const PlanLock *lock)
{
    const Effect *effect = &lock->effect;
    json_t *object = json_object();
    (void)json_object_set_new(object, "schema", json_text(effect->schema));
    (void)json_object_set_new(object, "table", json_text(effect->table));
    (void)json_object_set_new(object, "lock", json_text(table_lock_name(effect->lock)));
    (void)json_object_set_new(object, "meaning", json_text(table_lock_meaning(effect->lock)));
    (void)json_object_set_new(object, "what", json_text(effect->what));
    (void)json_object_set_new(object, "rows", count_json(lock->rows));
    (void)json_object_set_new(object, "bytes", count_json(lock->bytes));
    (void)json_object_set_new(object, "scans", json_boolean(effect->scans));
    (void)json_object_set_new(object, "rewrites", json_boolean(effect->rewrites));
    (void)json_object_set_new(object, "loses", json_boolean(effect->loses));
    (void)json_object_set_new(object, "new", json_boolean(lock->is_new));
    return object;
}

static json_t *down_json(const PlanFile *file)
{
    json_t *losses = json_array();
    for (size_t i = 0; i < file->loss_count; i++) {
        json_t *loss = json_object();
        (void)json_object_set_new(loss, "what", json_text(file->losses[i].what));
        (void)json_object_set_new(loss, "table", json_text(file->losses[i].table));
        (void)json_object_set_new(loss, "rows", count_json(file->losses[i].rows));
        (void)json_array_append_new(losses, loss);
    }
    const MigrationFile *pair = file->step->migration->file;
    json_t *object = json_object();
    (void)json_object_set_new(object, "file", json_text(pair ? pair->down_name : NULL));
    (void)json_object_set_new(object, "loses", losses);
    (void)json_object_set_new(object, "problem", json_text(file->down_problem));
    return object;
}

static json_t *file_json(const PlanFile *file)
{
    const Script *script = &file->step->script;
    json_t *locks = json_array(), *object = json_object();
    for (size_t i = 0; i < file->lock_count; i++)
        (void)json_array_append_new(locks, lock_json(&file->locks[i]));
    (void)json_object_set_new(object, "name", json_text(file->step->name));
    (void)json_object_set_new(object, "transaction",
                              json_text(script->transaction ? "one" : "none"));
    (void)json_object_set_new(object, "why", json_text(script->why_none));
    (void)json_object_set_new(object, "statements", json_integer((json_int_t)script->count));
    (void)json_object_set_new(object, "not_analysed", json_integer((json_int_t)file->not_analysed));
    (void)json_object_set_new(object, "locks", locks);
    (void)json_object_set_new(object, "measured_ms", count_json(file->measured_ms));
    (void)json_object_set_new(object, "measured_on", json_text(file->measured_env));
    (void)json_object_set_new(object, "down", down_json(file));
    return object;
}

/* ---- text ---------------------------------------------------------------------------------- */

static const char *size_of(const Context *context, const PlanLock *lock)
{
    const char *rows = lock->rows < 0 ? "rows not known"
                                      : arena_printf(context->arena, "%s row%s",
                                                     str_count(context->arena, lock->rows),
                                                     lock->rows == 1 ? "" : "s");
    return lock->bytes < 0 ? rows
                           : arena_printf(context->arena, "%s, %s", rows,
                                          str_bytes(context->arena, lock->bytes));
}

/* Locks that others notice: on tables that are there, and stronger than those of a query. */
static void print_locks(const Context *context, const PlanFile *file)
{
    size_t shown = 0;
    for (size_t i = 0; i < file->lock_count; i++) {
        const PlanLock *lock = &file->locks[i];
        const Effect *effect = &lock->effect;
        if (lock->is_new || effect->lock <= TABLE_LOCK_ROW_SHARE)
            continue;
        shown++;
        (void)fprintf(context->out, "  %s (%s): %s\n", effect->table, size_of(context, lock),
                      effect->what);
        (void)fprintf(context->out, "    %s lock: %s\n", table_lock_name(effect->lock),
                      table_lock_meaning(effect->lock));
        if (effect->rewrites)
            (void)fprintf(context->out, "    writes the whole table anew under it\n");
        else if (effect->scans)
            (void)fprintf(context->out, "    reads the whole table under it\n");
        if (effect->loses)
            (void)fprintf(context->out, "    data is gone afterwards\n");
    }
    if (shown == 0)
        (void)fprintf(context->out, "  nobody waits: no lock on a table that is in use\n");
    if (file->not_analysed > 0)
        (void)fprintf(context->out, "  %zu statement%s not analysed: its locks are not known\n",
                      file->not_analysed, file->not_analysed == 1 ? "" : "s");
}

static void print_down(const Context *context, const PlanFile *file)
{
    const MigrationFile *pair = file->step->migration->file;
    if (!pair || !pair->down_name) {
        (void)fprintf(context->out, "  there is no way back: it has no down file\n");
        return;
    }
    if (file->down_problem) {
        (void)fprintf(context->out, "  its down cannot be read: %s\n", file->down_problem);
        return;
    }
    for (size_t i = 0; i < file->loss_count; i++) {
        const PlanLoss *loss = &file->losses[i];
        const char *rows = loss->rows > 0    ? arena_printf(context->arena, "%s rows now",
                                                            str_count(context->arena, loss->rows))
                           : loss->rows == 0 ? "what is written after the up"
                                             : "rows not known";
        (void)fprintf(context->out, "  its down loses: %s of %s (%s)\n", loss->what, loss->table,
                      rows);
    }
    if (file->loss_count == 0)
        (void)fprintf(context->out, "  its down loses no data\n");
}

static void print_file(const Context *context, const PlanFile *file)
{
    const Script *script = &file->step->script;
    (void)fprintf(context->out, "%s\n", file->step->name);
    if (script->transaction)
        (void)fprintf(context->out, "  %zu statement%s in one transaction: locks last to its end\n",
                      script->count, script->count == 1 ? "" : "s");
    else
        (void)fprintf(context->out, "  %zu statement%s on its own (%s)\n", script->count,
                      script->count == 1 ? "" : "s, each", script->why_none);
    print_locks(context, file);
    if (file->measured_ms >= 0)
        (void)fprintf(context->out, "  took %s on %s\n",
                      str_duration(context->arena, (double)file->measured_ms), file->measured_env);
    else
        (void)fprintf(context->out, "  how long it takes was not measured yet\n");
    print_down(context, file);
}

static bool print_plan(Context *context, const PlanReport *report, Error *err)
{
    if (context->json) {
        json_t *files = json_array();
        for (size_t i = 0; i < report->plan.count; i++)
            (void)json_array_append_new(files, file_json(&report->files[i]));
        return command_print_json(context, json_pack("{s:o}", "files", files), err);
    }
    for (size_t i = 0; i < report->plan.count; i++) {
        if (i > 0)
            (void)fputc('\n', context->out);
        print_file(context, &report->files[i]);
    }
    if (report->plan.count == 0)
        (void)fprintf(context->out, "Nothing is pending\n");
    else
        log_info(context->log, "Nothing was changed. To run it: `vaxdb migrate up -e %s`",
                 env_name(context->env));
    return true;
}

static bool run_plan(Context *context, Error *err)
{
    _cleanup_migrate_work_ MigrateWork work = {0};
    MigrateStatus status;
    PlanReport report;
    if (!migrate_work_open(context, &work, err) || !migrate_work_status(&work, &status, err) ||
        !plan_read(context->arena, work.state, work.session, &status,
                   options_text(context->options, "to"), &report, err))
        return false;
    migrate_print_warnings(context, &status.warnings);
    return print_plan(context, &report, err);
}

const Command cli_migrate_plan_commands[] = {
    {"migrate plan", "", "what `migrate up` would do: transactions, locks, rows, what a down loses",
     "For each pending file: whether it runs in one transaction, which tables it locks with how "
     "many rows and what that means for others, how long the same file took on staging, and what "
     "its down would lose. Reads only, and takes no lock.",
     "vaxdb migrate plan -e production", plan_options, 0, 0, false, run_plan},
    COMMAND_END,
};
