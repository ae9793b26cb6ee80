/* What a person says of a migration against the books: its reason is kept in the table of runs. */
#include "base/json.h"
#include "base/str.h"
#include "migrate/runner.h"

static bool plan_checksum(const Migration *migration, MigrateRepair *repair, Error *err)
{
    if (!migration->entry || !migration->file) {
        (void)error_set(err, ERR_REFUSED, "%s is %s: it has no checksum to accept", repair->name,
                        migration_state_name(repair->before));
        return error_hint(err, migration->entry
                                   ? "bring the file back, or make it pending with --pending REASON"
                                   : "only what is applied has one in the ledger");
    }
    repair->checksum = migration->file->checksum;
    repair->needed = strcasecmp(repair->old_checksum, repair->checksum) != 0;
    repair->after = migration->run ? MIGRATION_PARTIAL : MIGRATION_APPLIED;
    return true;
}

static bool plan_applied(const Migration *migration, MigrateRepair *repair, Error *err)
{
    if (!migration->entry) {
        repair->checksum = migration->file->checksum;
        repair->needed = true;
        repair->after = MIGRATION_APPLIED;
        return true;
    }
    repair->needed = migration->run != NULL;
    repair->after = repair->needed ? MIGRATION_APPLIED : repair->before;
    if (repair->before != MIGRATION_CHANGED)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s is applied, and its file has changed since",
                    repair->name);
    return error_hint(err, "accept the file as it is now with --accept-checksum REASON");
}

bool migrate_repair_plan(Arena *arena, const MigrateStatus *status, const char *name,
                         RepairKind kind, MigrateRepair *repair, Error *err)
{
    const Migration *migration = NULL;
    if (!migrate_status_find(arena, status, name, &migration, err))
        return false;
    const char *recorded = migration->entry ? migration->entry->checksum : NULL;
    *repair = (MigrateRepair){.name = migration->name,
                              .before = migration->state,
                              .old_checksum = recorded,
                              .checksum = recorded};
    if (kind == REPAIR_ACCEPT_CHECKSUM)
        return plan_checksum(migration, repair, err);
    if (kind == REPAIR_APPLIED)
        return plan_applied(migration, repair, err);
    repair->needed = migration->entry || migration->run;
    repair->after = MIGRATION_PENDING;
    repair->checksum = NULL;
    return true;
}

/* ---- doing it ---------------------------------------------------------------------------- */

/* What is half done of it, in both directions, is settled by what was said. */
static char *settle_runs(Arena *arena, const Ledger *ledger, const char *name, RepairKind kind)
{
    if (kind == REPAIR_ACCEPT_CHECKSUM)
        return arena_strdup(arena, "");
    return arena_printf(arena,
                        "UPDATE %s SET state = 'undone', attempting = NULL, before = NULL WHERE "
                        "name = %s AND state IN ('running', 'failed');",
                        ledger->runs_table, sql_literal(arena, name));
}

static char *change_ledger(Arena *arena, const Ledger *ledger, const MigrateRepair *repair,
                           RepairKind kind)
{
    if (kind == REPAIR_PENDING)
        return ledger_sql_delete(arena, ledger, repair->name);
    if (!repair->old_checksum)
        return ledger_sql_insert(arena, ledger, repair->name, repair->checksum);
    return arena_printf(arena, "UPDATE %s SET checksum = %s WHERE name = %s;", ledger->table,
                        sql_literal(arena, repair->checksum), sql_literal(arena, repair->name));
}

static char *record(Arena *arena, const Ledger *ledger, const MigrateRepair *repair,
                    RepairKind kind, const char *reason)
{
    static const char *const kinds[] = {"accept_checksum", "applied", "pending"};
    _cleanup_json_ json_t *said = json_pack("{s:s, s:s, s:s?}", "repair", kinds[kind], "reason",
                                            reason, "old_checksum", repair->old_checksum);
    return arena_printf(
        arena,
        "INSERT INTO %s (name, direction, checksum, transactional, statements, overrides, state, "
        "finished_at, duration_ms) VALUES (%s, 'up', %s, true, 0, %s, 'repaired', "
        "clock_timestamp(), 0);",
        ledger->runs_table, sql_literal(arena, repair->name),
        sql_literal(arena, repair->checksum ? repair->checksum : ""),
        sql_literal(arena, json_compact(arena, said)));
}

/* The schema stays as it is, and so does what is known of it. */
static bool write_repair(Runner *runner, const MigrateRepair *repair, RepairKind kind,
                         const char *reason, bool follow, Error *err)
{
    Arena *arena = runner->arena;
    const Ledger *ledger = &runner->ledger;
    return session_execute(runner->guard,
                           arena_printf(arena, "BEGIN;%s%s%s%sCOMMIT",
                                        settle_runs(arena, ledger, repair->name, kind),
                                        change_ledger(arena, ledger, repair, kind),
                                        record(arena, ledger, repair, kind, reason),
                                        follow ? snapshot_sql_follow(arena, ledger) : ""),
                           err) ||
           error_context(err, "%s could not be repaired, nothing was changed", repair->name);
}

bool migrate_repair(Arena *arena, const MigrateOptions *options, const char *name, RepairKind kind,
                    const char *reason, MigrateRepair *repair, Error *err)
{
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus status;
    bool current = false;
    if (!runner_open(&runner, arena, options, err) ||
        !migrate_status(arena, runner.guard, options->directory, options->ledger_table, &status,
                        err) ||
        !migrate_repair_plan(arena, &status, name, kind, repair, err))
        return false;
    if (!repair->needed)
        return true;
    return snapshot_is_current(arena, runner.guard, &runner.ledger, &current, err) &&
           write_repair(&runner, repair, kind, reason, current, err);
}
