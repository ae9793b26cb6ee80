#include "migrate/migrate.h"

#include "base/str.h"

static void add(Arena *arena, MigrateFindings *findings, const char *name, const char *problem,
                const char *message)
{
    const MigrateFinding finding = {name, problem, message};
    ARENA_PUSH(arena, findings->items, findings->count, findings->capacity, finding);
}

typedef bool (*ReadScript)(Arena *, const char *, Script *, Error *);

static void check_script(Arena *arena, MigrateFindings *findings, const char *name,
                         const char *path, ReadScript read)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    Script script;
    Error err = {0};
    if (!read(scratch, path, &script, &err))
        add(arena, findings, name, "unreadable", arena_strdup(arena, err.message));
}

static const char *partial_message(Arena *arena, const LedgerRun *run)
{
    return arena_printf(arena,
                        "%s stopped after %lld statements%s%s; `vaxdb migrate %s` continues it",
                        run->direction == RUN_UP ? "the up" : "the down", (long long)run->completed,
                        run->error ? ": " : "", run->error ? run->error : "",
                        run->direction == RUN_UP ? "up" : "down");
}

static void check_migration(Arena *arena, MigrateFindings *findings, const Migration *migration)
{
    const char *name = migration->name;
    if (migration->state == MIGRATION_CHANGED)
        add(arena, findings, name, "changed",
            arena_printf(arena, "applied with checksum %.12s..., the file has %.12s...",
                         migration->checksum, migration->file->checksum));
    else if (migration->state == MIGRATION_MISSING)
        add(arena, findings, name, "missing", "applied, and the file is not in the folder");
    else if (migration->state == MIGRATION_PARTIAL)
        add(arena, findings, name, "partial", partial_message(arena, migration->run));
    if (!migration->file)
        return;
    if (!migration->entry)
        check_script(arena, findings, name, migration->file->path, script_read);
    if (migration->file->down_path)
        check_script(arena, findings, migration->file->down_name, migration->file->down_path,
                     script_read_down);
}

static void check_numbers(Arena *arena, MigrateFindings *findings, const MigrateStatus *status)
{
    const Migration *last = NULL;
    for (size_t i = 0; i < status->files.count; i++) {
        const Migration *migration = &status->items[i];
        if (migration->state != MIGRATION_PENDING)
            continue;
        const char *number = migration_number(arena, migration->name);
        if (last && *number && str_equal(number, migration_number(arena, last->name)))
            add(arena, findings, migration->name, "duplicate",
                arena_printf(arena, "the same number as %s", last->name));
        last = migration;
    }
}

bool migrate_verify(Arena *arena, Session *session, const char *directory, const char *ledger_table,
                    MigrateFindings *findings, Error *err)
{
    *findings = (MigrateFindings){0};
    MigrateStatus status;
    if (!migrate_status(arena, session, directory, ledger_table, &status, err))
        return false;
    for (size_t i = 0; i < status.count; i++)
        check_migration(arena, findings, &status.items[i]);
    check_numbers(arena, findings, &status);
    for (size_t i = 0; i < status.invalid_count; i++)
        add(arena, findings, status.invalid[i].index, "invalid", status.invalid[i].message);
    for (size_t i = 0; i < status.files.orphans.count; i++)
        add(arena, findings, status.files.orphans.items[i], "orphan",
            "a down without its migration");
    for (size_t i = 0; i < status.files.problems.count; i++)
        add(arena, findings, status.files.problems.items[i], "name",
            status.files.problems.items[i]);
    return true;
}
