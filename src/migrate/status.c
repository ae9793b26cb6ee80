#include "migrate/foreign.h"
#include "migrate/leftovers.h"
#include "migrate/lock.h"
#include "migrate/migrate.h"
#include "pg/blockers.h"

#include "base/str.h"

const char *migration_state_name(MigrationState state)
{
    static const char *const names[] = {"applied", "pending", "partial", "changed", "missing"};
    return names[state];
}

size_t migrate_status_count(const MigrateStatus *status, MigrationState state)
{
    size_t count = 0;
    for (size_t i = 0; i < status->count; i++)
        count += status->items[i].state == state;
    return count;
}

/* ---- finding by name --------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
    return strcmp((*(const LedgerEntry *const *)a)->name, (*(const LedgerEntry *const *)b)->name);
}

/* By name, the latest first. */
static int compare_runs(const void *a, const void *b)
{
    const LedgerRun *one = a, *two = b;
    int order = strcmp(one->name, two->name);
    return order ? order : (one->id < two->id) - (one->id > two->id);
}

typedef struct {
    const LedgerEntry **entries; /* sorted by name */
    size_t entry_count;
    LedgerRun *runs; /* likewise */
    size_t run_count;
} Names;

static const LedgerEntry *find_entry(const Names *names, const char *name)
{
    const LedgerEntry wanted = {.name = name};
    const LedgerEntry *key = &wanted;
    const LedgerEntry *const *found = names->entry_count
                                          ? bsearch(&key, names->entries, names->entry_count,
                                                    sizeof(*names->entries), compare_entries)
                                          : NULL;
    return found ? *found : NULL;
}

/* The first run of the name, NULL when there is none; others of the name follow it. */
static const LedgerRun *find_run(const Names *names, const char *name)
{
    const LedgerRun wanted = {.name = name, .id = INT64_MAX};
    size_t low = 0, high = names->run_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_runs(&names->runs[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < names->run_count && str_equal(names->runs[low].name, name);
    return found ? &names->runs[low] : NULL;
}

/* An applied migration is half undone when a down is its latest run; one that is not applied is
 * half done when its latest up is, whatever was undone of it since. */
static const LedgerRun *partial_run(const Names *names, const LedgerEntry *entry, const char *name)
{
    const LedgerRun *latest = find_run(names, name);
    if (!latest)
        return NULL;
    bool half = ledger_run_is_partial(latest);
    if (entry)
        return half && latest->direction == RUN_DOWN ? latest : NULL;
    const LedgerRun *end = names->runs + names->run_count;
    for (const LedgerRun *run = latest; run < end && str_equal(run->name, name); run++) {
        if (run->direction == RUN_UP && ledger_run_is_partial(run))
            return half ? latest : run;
    }
    return NULL;
}

static bool read_names(Arena *arena, Session *session, MigrateStatus *status, Names *names,
                       Error *err)
{
    if (!ledger_read(arena, session, &status->ledger, &status->entries, &status->entry_count,
                     err) ||
        !ledger_read_unfinished(arena, session, &status->ledger, &names->runs, &names->run_count,
                                err))
        return false;
    names->entry_count = status->entry_count;
    names->entries = arena_array(arena, names->entry_count, sizeof(*names->entries));
    for (size_t i = 0; i < names->entry_count; i++)
        names->entries[i] = &status->entries[i];
    if (names->entry_count > 1)
        qsort(names->entries, names->entry_count, sizeof(*names->entries), compare_entries);
    if (names->run_count > 1)
        qsort(names->runs, names->run_count, sizeof(*names->runs), compare_runs);
    return true;
}

/* ---- states ------------------------------------------------------------------------------ */

static bool is_sha256(const char *text)
{
    return strlen(text) == HASH_HEX_SIZE - 1 &&
           strspn(text, "0123456789abcdefABCDEF") == HASH_HEX_SIZE - 1;
}

static bool same_file(const LedgerEntry *entry, const MigrationFile *file)
{
    return strcasecmp(entry->checksum, file->checksum) == 0 ||
           strcasecmp(entry->checksum, file->raw_checksum) == 0;
}

static MigrationState state_of(MigrateStatus *status, const Migration *migration)
{
    const LedgerEntry *entry = migration->entry;
    if (migration->run)
        return MIGRATION_PARTIAL;
    if (!entry)
        return MIGRATION_PENDING;
    if (same_file(entry, migration->file))
        return MIGRATION_APPLIED;
    if (is_sha256(entry->checksum))
        return MIGRATION_CHANGED;
    str_list_addf(&status->warnings,
                  "%s: the ledger's checksum \"%s\" is another tool's and cannot be compared",
                  entry->name, entry->checksum);
    return MIGRATION_APPLIED;
}

static Migration migration_of(MigrateStatus *status, const Names *names, const MigrationFile *file)
{
    Migration migration = {
        .name = file->name, .file = file, .entry = find_entry(names, file->name)};
    migration.run = partial_run(names, migration.entry, file->name);
    migration.state = state_of(status, &migration);
    migration.checksum = migration.entry ? migration.entry->checksum : file->checksum;
    migration.applied_at = migration.entry ? migration.entry->applied_at : NULL;
    return migration;
}

static int compare_files(const void *name, const void *migration)
{
    return migration_name_compare(name, ((const Migration *)migration)->name);
}

/* Files come first in a status, in their order. */
const Migration *migrate_status_file(const MigrateStatus *status, const char *name)
{
    return status->files.count ? bsearch(name, status->items, status->files.count,
                                         sizeof(*status->items), compare_files)
                               : NULL;
}

static void add_missing(MigrateStatus *status)
{
    size_t files = status->count;
    for (size_t i = 0; i < status->entry_count; i++) {
        const LedgerEntry *entry = &status->entries[i];
        if (files &&
            bsearch(entry->name, status->items, files, sizeof(*status->items), compare_files))
            continue;
        if (str_ends(entry->name, ".down.sql")) {
            if (entry->is_known)
                continue;
            str_list_addf(&status->adoptable,
                          "the ledger lists %s: another tool ran a down as a migration; the entry "
                          "is left alone",
                          entry->name);
            continue;
        }
        status->items[status->count++] = (Migration){.name = entry->name,
                                                     .state = MIGRATION_MISSING,
                                                     .checksum = entry->checksum,
                                                     .applied_at = entry->applied_at,
                                                     .entry = entry};
    }
}

/* ---- what is odd ------------------------------------------------------------------------- */

static void warn_of_order(Arena *arena, MigrateStatus *status)
{
    const Migration *newest = NULL;
    for (size_t i = status->count; i-- > 0;) {
        const Migration *migration = &status->items[i];
        if (migration->state == MIGRATION_MISSING)
            continue;
        if (!newest && migration->entry)
            newest = migration;
        else if (newest && !migration->entry)
            str_list_addf(&status->warnings, "%s is pending although the later %s is applied",
                          migration->name, newest->name);
    }
    for (size_t i = 1; i < status->files.count; i++) {
        const Migration *one = &status->items[i - 1], *two = &status->items[i];
        const char *number = migration_number(arena, two->name);
        if (*number && str_equal(number, migration_number(arena, one->name)) &&
            (one->entry || two->entry))
            str_list_addf(&status->warnings, "%s and %s have the same number", one->name,
                          two->name);
    }
}

/* A script that went on after errors lists what failed, too. */
static void warn_of_unknown(MigrateStatus *status)
{
    size_t count = 0;
    for (size_t i = 0; i < status->entry_count; i++)
        count += !status->entries[i].is_known;
    if (count > 0)
        str_list_addf(&status->adoptable,
                      "another script wrote %zu of the %zu entries of %s, and whether they are in "
                      "the database was never checked: vaxdb migrate baseline --from %s",
                      count, status->entry_count, status->ledger.plain, status->ledger.plain);
}

static bool see_running(Arena *arena, Session *session, MigrateStatus *status, Error *err)
{
    const char *run = NULL, *work = NULL;
    const char *table = status->ledger.plain;
    if (!migrate_lock_describe(arena, session, migrate_lock(LOCK_RUN, table), &run, err) ||
        !migrate_lock_describe(arena, session, migrate_lock(LOCK_WORK, table), &work, err))
        return false;
    if (run)
        status->running = arena_printf(arena, "a migration run is in progress: %s", run);
    else if (work)
        status->running =
            arena_printf(arena, "a statement of an interrupted run is still in progress: %s", work);
    return true;
}

/* Of the catalogue nothing is read here that waits, so it was the ledger that is locked. */
static bool explain(Session *session, Error *err)
{
    if (!error_is_lock_timeout(err))
        return false;
    (void)lock_timeout_explain(session, LOCK_TO_READ, err);
    return error_context(err, "reading the ledger");
}

bool migrate_status(Arena *arena, Session *session, const char *directory, const char *ledger_table,
                    MigrateStatus *status, Error *err)
{
    *status = (MigrateStatus){0};
    str_list_init(&status->warnings, arena);
    str_list_init(&status->adoptable, arena);
    Names names = {0};
    if (!migration_files_scan(arena, directory, &status->files, err) ||
        !ledger_find(arena, session, ledger_table, &status->ledger, err) ||
        !see_running(arena, session, status, err) ||
        !read_names(arena, session, status, &names, err))
        return explain(session, err);
    size_t most = status->files.count + status->entry_count;
    status->items = arena_array(arena, most, sizeof(*status->items));
    for (size_t i = 0; i < status->files.count; i++)
        status->items[status->count++] = migration_of(status, &names, &status->files.items[i]);
    add_missing(status);
    warn_of_order(arena, status);
    warn_of_unknown(status);
    if (!foreign_find_others(arena, session, status, err))
        return false;
    for (size_t i = 0; i < status->adoptable.count; i++)
        str_list_add(&status->warnings, status->adoptable.items[i]);
    return leftovers_find(arena, session, status, err);
}
