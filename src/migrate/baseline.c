/* An existing database taken over: what it holds already is entered in the ledger, and not run. */
#include "base/str.h"
#include "migrate/runner.h"

#include <string.h>

/* Files come first in a status, in their order. */
static bool find_last(Arena *arena, const MigrateStatus *status, const char *to, size_t *last,
                      Error *err)
{
    const Migration *migration = NULL;
    if (!migrate_status_find(arena, status, to, &migration, err))
        return false;
    *last = (size_t)(migration - status->items);
    if (migration->file)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s has no file", migration->name);
    return error_hint(err, "bring the file back, or name one that is in %s",
                      status->files.directory);
}

static bool refuse_partial(const Migration *migration, Error *err)
{
    (void)error_set(err, ERR_REFUSED, "%s is half done", migration->name);
    return error_hint(err,
                      "finish it with `vaxdb migrate up`, or say which it is: vaxdb migrate "
                      "repair %s --applied REASON (or --pending REASON)",
                      migration->name);
}

bool migrate_baseline_plan(Arena *arena, const MigrateStatus *status, const char *to,
                           MigrateBaseline *baseline, Error *err)
{
    size_t last = 0;
    *baseline = (MigrateBaseline){0};
    str_list_init(&baseline->warnings, arena);
    for (size_t i = 0; i < status->warnings.count; i++)
        str_list_add(&baseline->warnings, status->warnings.items[i]);
    if (status->files.problems.count > 0)
        return error_set(err, ERR_REFUSED, "%s", status->files.problems.items[0]);
    if (!find_last(arena, status, to, &last, err))
        return false;
    baseline->items = arena_array(arena, last + 1, sizeof(const Migration *));
    for (size_t i = 0; i <= last; i++) {
        const Migration *migration = &status->items[i];
        if (migration->state == MIGRATION_PARTIAL)
            return refuse_partial(migration, err);
        if (migration->state == MIGRATION_CHANGED)
            str_list_addf(&baseline->warnings,
                          "%s was applied before and its file has changed since: if the file is "
                          "right, vaxdb migrate repair %s --accept-checksum REASON",
                          migration->name, migration->name);
        if (migration->state == MIGRATION_PENDING)
            baseline->items[baseline->count++] = migration;
        else
            baseline->already++;
    }
    return true;
}

/* ---- doing it ---------------------------------------------------------------------------- */

static char *record(Arena *arena, const Ledger *ledger, const Migration *migration)
{
    return arena_printf(
        arena,
        "%sINSERT INTO %s (name, direction, checksum, transactional, statements, state, "
        "finished_at, duration_ms) VALUES (%s, 'up', %s, true, 0, 'baseline', clock_timestamp(), "
        "0);",
        ledger_sql_insert(arena, ledger, migration->name, migration->checksum), ledger->runs_table,
        sql_literal(arena, migration->name), sql_literal(arena, migration->checksum));
}

static bool enter(Runner *runner, const MigrateBaseline *baseline, Error *err)
{
    StrList texts;
    str_list_init(&texts, runner->arena);
    str_list_add(&texts, "BEGIN;");
    for (size_t i = 0; i < baseline->count; i++)
        str_list_add(&texts, record(runner->arena, &runner->ledger, baseline->items[i]));
    str_list_add(&texts, "COMMIT");
    return session_execute(runner->guard, str_list_join(&texts, runner->arena, ""), err) ||
           error_context(err, "the baseline could not be entered, nothing was changed");
}

/* Whoever listens for what was applied hears of these as well, still under the locks. */
static bool tell(Runner *runner, const MigrateBaseline *baseline, Error *err)
{
    const MigrateOptions *options = runner->options;
    for (size_t i = 0; options->applied && i < baseline->count; i++) {
        const Migration *migration = baseline->items[i];
        MigrateStep step = {.name = migration->name,
                            .file_name = migration->name,
                            .direction = RUN_UP,
                            .migration = migration};
        memcpy(step.script.checksum, migration->file->checksum, sizeof(step.script.checksum));
        if (!options->applied(options->guardian, &step, runner->guard, 0, err))
            return false;
    }
    return true;
}

bool migrate_baseline(Arena *arena, const MigrateOptions *options, const char *to,
                      MigrateBaseline *baseline, Error *err)
{
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus *status = arena_alloc(arena, sizeof(*status));
    MigrateReport report = {0};
    if (!runner_open(&runner, arena, options, err) ||
        !migrate_status(arena, runner.guard, options->directory, options->ledger_table, status,
                        err) ||
        !migrate_baseline_plan(arena, status, to, baseline, err))
        return false;
    if (baseline->count == 0)
        return true;
    if (!enter(&runner, baseline, err))
        return false;
    report.warnings = baseline->warnings;
    runner_take_snapshot(&runner, &report);
    baseline->warnings = report.warnings;
    return tell(&runner, baseline, err);
}
