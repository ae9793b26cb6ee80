#include "migrate/migrate.h"

#include "base/str.h"

#define NAMED_MAX 10 /* names in one message */

static bool is_named(const char *name, const char *wanted)
{
    size_t length = strlen(wanted);
    return str_equal(name, wanted) ||
           (strncmp(name, wanted, length) == 0 && str_equal(name + length, ".sql"));
}

static bool no_such_migration(Arena *arena, const MigrateStatus *status, const char *name,
                              Error *err)
{
    const char **names = arena_array(arena, status->count, sizeof(*names));
    for (size_t i = 0; i < status->count; i++)
        names[i] = status->items[i].name;
    (void)error_set(err, ERR_USAGE, "there is no migration %s in %s", name,
                    status->files.directory);
    /* The beginning of a name first: a suffix would hide that it is one. */
    const char *nearest = str_nearest(name, names, status->count);
    if (!nearest || !str_starts(nearest, name))
        nearest = str_nearest(str_ends(name, ".sql") ? name : arena_printf(arena, "%s.sql", name),
                              names, status->count);
    return nearest ? error_hint(err, "did you mean %s?", nearest)
                   : error_hint(err, "`vaxdb migrate status` lists them");
}

bool migrate_status_find(Arena *arena, const MigrateStatus *status, const char *name,
                         const Migration **migration, Error *err)
{
    for (size_t i = 0; i < status->count; i++) {
        if (is_named(status->items[i].name, name)) {
            *migration = &status->items[i];
            return true;
        }
    }
    return no_such_migration(arena, status, name, err);
}

/* "a, b, c and 5 more" */
static char *join_names(Arena *arena, const StrList *names)
{
    StrList some = *names;
    size_t rest = names->count > NAMED_MAX ? names->count - NAMED_MAX : 0;
    some.count -= rest;
    char *joined = str_list_join(&some, arena, ", ");
    return rest ? arena_printf(arena, "%s and %zu more", joined, rest) : joined;
}

static bool refuse_changed(Arena *arena, const MigrateStatus *status, Error *err)
{
    StrList changed;
    str_list_init(&changed, arena);
    for (size_t i = 0; i < status->count; i++) {
        if (status->items[i].state == MIGRATION_CHANGED)
            str_list_add(&changed, status->items[i].name);
    }
    if (changed.count == 0)
        return true;
    (void)error_set(err, ERR_REFUSED, "changed since applied: %s", join_names(arena, &changed));
    return error_hint(err, "bring the file back as it was (git checkout) and put the change into a "
                           "new migration: `vaxdb migrate new NAME`");
}

static bool check_folder(Arena *arena, const MigrationFiles *files, Error *err)
{
    if (files->problems.count > 0)
        return error_set(err, ERR_REFUSED, "%s", join_names(arena, &files->problems));
    if (files->orphans.count == 0)
        return true;
    (void)error_set(err, ERR_REFUSED, "a down without its migration: %s",
                    join_names(arena, &files->orphans));
    return error_hint(err, "each NAME.down.sql belongs to a NAME.sql in the same folder; rename or "
                           "remove it");
}

/* Files are in order, so equal numbers are neighbours. */
static bool check_numbers(Arena *arena, const MigrateStatus *status, Error *err)
{
    const char *last = "", *last_name = "";
    for (size_t i = 0; i < status->files.count; i++) {
        if (status->items[i].state != MIGRATION_PENDING)
            continue;
        const char *number = migration_number(arena, status->items[i].name);
        if (*number && str_equal(number, last)) {
            (void)error_set(err, ERR_REFUSED, "two pending migrations have the same number: %s, %s",
                            last_name, status->items[i].name);
            return error_hint(err, "rename one of them (with its down) to the next free number");
        }
        last = number;
        last_name = status->items[i].name;
    }
    return true;
}

static bool add_up(Arena *arena, const Migration *migration, MigratePlan *plan, Error *err)
{
    if (migration->state == MIGRATION_PARTIAL && migration->run->direction == RUN_DOWN) {
        (void)error_set(err, ERR_REFUSED, "the down of %s was interrupted", migration->name);
        return error_hint(err, "finish it first: `vaxdb migrate down`");
    }
    MigrateStep *step = &plan->steps[plan->count];
    *step = (MigrateStep){.name = migration->name,
                          .file_name = migration->name,
                          .direction = RUN_UP,
                          .migration = migration};
    if (!script_read(arena, migration->file->path, &step->script, err))
        return false;
    plan->count++;
    return true;
}

bool migrate_plan_up(Arena *arena, const MigrateStatus *status, const char *to, MigratePlan *plan,
                     Error *err)
{
    *plan = (MigratePlan){.steps = arena_array(arena, status->files.count, sizeof(*plan->steps))};
    size_t last = status->files.count;
    for (size_t i = 0; to && i < status->files.count; i++) {
        if (is_named(status->items[i].name, to))
            last = i + 1;
    }
    if (to && (last == 0 || !is_named(status->items[last - 1].name, to)))
        return no_such_migration(arena, status, to, err);
    if (!check_folder(arena, &status->files, err) || !refuse_changed(arena, status, err) ||
        !check_numbers(arena, status, err))
        return false;
    for (size_t i = 0; i < last; i++) {
        MigrationState state = status->items[i].state;
        if ((state == MIGRATION_PENDING || state == MIGRATION_PARTIAL) &&
            !add_up(arena, &status->items[i], plan, err))
            return false;
    }
    return true;
}

bool migrate_check_order(Arena *arena, const MigrateStatus *status, const MigratePlan *plan,
                         Error *err)
{
    const Migration *newest = NULL;
    for (size_t i = 0; i < status->files.count; i++) {
        if (status->items[i].entry)
            newest = &status->items[i];
    }
    if (!newest)
        return true;
    StrList early;
    str_list_init(&early, arena);
    for (size_t i = 0; i < plan->count; i++) {
        /* A half-done one has begun in its turn and only goes on. */
        if (plan->steps[i].migration->state == MIGRATION_PENDING &&
            migration_name_compare(plan->steps[i].name, newest->name) < 0)
            str_list_add(&early, plan->steps[i].name);
    }
    if (early.count == 0)
        return true;
    (void)error_set(err, ERR_REFUSED, "pending before %s, which is applied already: %s",
                    newest->name, join_names(arena, &early));
    return error_hint(err,
                      "give %s a number behind it (with the down), or run it all the same "
                      "with --allow-out-of-order",
                      early.count == 1 ? "it" : "them");
}

/* ---- down -------------------------------------------------------------------------------- */

static const Migration *migration_of_entry(const MigrateStatus *status, const LedgerEntry *entry)
{
    for (size_t i = 0; i < status->count; i++) {
        if (status->items[i].entry == entry)
            return &status->items[i];
    }
    return NULL; /* a down that another tool recorded */
}

static bool add_down(Arena *arena, const Migration *migration, MigratePlan *plan, Error *err)
{
    if (!migration->file || !migration->file->down_path) {
        (void)error_set(err, ERR_REFUSED, "%s cannot be undone: there is no down file for it",
                        migration->name);
        return error_hint(err, "write it beside %s; nothing was changed", migration->name);
    }
    MigrateStep *step = &plan->steps[plan->count];
    *step = (MigrateStep){.name = migration->name,
                          .file_name = migration->file->down_name,
                          .direction = RUN_DOWN,
                          .migration = migration};
    if (!script_read_down(arena, migration->file->down_path, &step->script, err))
        return false;
    plan->count++;
    return true;
}

/* A partial up has no ledger row yet and is newer than all that have one. */
static bool add_partial_ups(Arena *arena, const MigrateStatus *status, int64_t *steps,
                            MigratePlan *plan, Error *err)
{
    for (size_t i = status->count; i-- > 0 && *steps > 0;) {
        const Migration *migration = &status->items[i];
        if (migration->state != MIGRATION_PARTIAL || migration->entry)
            continue;
        if (!add_down(arena, migration, plan, err))
            return false;
        (*steps)--;
    }
    return true;
}

static bool find_entry_to_keep(Arena *arena, const MigrateStatus *status, const char *to,
                               const LedgerEntry **keep, Error *err)
{
    for (size_t i = 0; i < status->entry_count; i++) {
        if (is_named(status->entries[i].name, to)) {
            *keep = &status->entries[i];
            return true;
        }
    }
    for (size_t i = 0; i < status->count; i++) {
        if (is_named(status->items[i].name, to))
            return error_set(err, ERR_USAGE, "%s is not applied, so it cannot stay", to);
    }
    return no_such_migration(arena, status, to, err);
}

bool migrate_plan_down(Arena *arena, const MigrateStatus *status, int64_t steps, const char *to,
                       MigratePlan *plan, Error *err)
{
    *plan = (MigratePlan){.steps = arena_array(arena, status->count, sizeof(*plan->steps))};
    const LedgerEntry *keep = NULL;
    if (to) {
        steps = INT64_MAX;
        if (!find_entry_to_keep(arena, status, to, &keep, err))
            return false;
    }
    if (!add_partial_ups(arena, status, &steps, plan, err))
        return false;
    for (size_t i = status->entry_count; i-- > 0 && steps > 0;) {
        if (&status->entries[i] == keep)
            break;
        const Migration *migration = migration_of_entry(status, &status->entries[i]);
        if (!migration)
            continue;
        if (!add_down(arena, migration, plan, err))
            return false;
        steps--;
    }
    return true;
}
