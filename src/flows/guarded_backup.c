/* The backup that a migration leans on. */
#include "base/clock.h"
#include "base/file.h"
#include "flows/guarded_internal.h"
#include "state/backups.h"

#define DAY_S ((int64_t)24 * 3600)

bool guard_backup_make(const Guard *guard, const char *reason, BackupResult *made, Error *err)
{
    const GuardSpec *spec = guard->spec;
    BackupSpec backup = {.conninfo = guard->options->conninfo,
                         .directory = spec->backup_directory,
                         .name = spec->backup_name,
                         .env = env_name(guard->target->guard),
                         .reason = reason,
                         .compression = COMPRESS_BALANCED,
                         .pg_bindir = spec->pg_bindir,
                         .keys = spec->keys};
    return backup_create(guard->arena, guard->log, &backup, made, err);
}

bool guard_backup_verify(const Guard *guard, const BackupResult *made, Error *err)
{
    VerifyReport report;
    return backup_verify_with(guard->arena, guard->log, guard->state, made->path, VERIFY_CONTENT,
                              guard->spec->keys, &report, err) &&
           (report.ok || backup_verify_error(made->path, &report, err));
}

bool guard_backup_hold(const Guard *guard, const char *path, const char *sha256, const char *reason,
                       int64_t *keep_until, Error *err)
{
    *keep_until = clock_unix_s() + ROLLBACK_KEEP_DAYS * DAY_S;
    return state_backup_hold(guard->state, sha256, path, *keep_until, reason, err);
}

/* ---- one that is there ------------------------------------------------------------------- */

/* Of this very database, whatever it was called when it was backed up. */
static bool is_of(const Manifest *manifest, const DatabaseIdentity *identity)
{
    return str_equal(manifest->system_identifier, identity->system_identifier) &&
           str_equal(manifest->database, identity->database);
}

/* Verified once, and its bytes are still those: the hash is read again. */
static bool still_good(const Guard *guard, const BackupEntry *entry, bool *good, Error *err)
{
    StateBackup memory;
    VerifyReport report;
    *good = false;
    if (!state_backup_get(guard->state, entry->manifest.sha256, &memory, err))
        return false;
    if (!memory.verified || entry->problem)
        return true;
    if (!backup_verify(guard->arena, guard->log, guard->state, entry->path, VERIFY_HASH, &report,
                       err))
        return false;
    *good = report.ok;
    if (!report.ok)
        log_warn(guard->log, "%s was verified once and is damaged now: %s", entry->manifest.file,
                 report.errors.items[0]);
    return true;
}

static bool find_young(const Guard *guard, const BackupEntry **found, Error *err)
{
    DatabaseIdentity identity;
    BackupList *list = arena_alloc(guard->arena, sizeof(*list));
    int64_t now = clock_unix_s();
    *found = NULL;
    if (!session_identity(guard->session, guard->arena, &identity, err) ||
        !backup_list(guard->arena, guard->spec->backup_directory, list, err))
        return false;
    for (size_t i = 0; i < list->count && !*found; i++) {
        const BackupEntry *entry = &list->items[i];
        bool good = false;
        if (!is_of(&entry->manifest, &identity) ||
            now - entry->manifest.snapshot_at > guard->spec->backup_max_age_s)
            continue;
        if (!still_good(guard, entry, &good, err))
            return false;
        if (good)
            *found = entry;
    }
    return true;
}

bool guard_backup_look(const Guard *guard, const char **path, Error *err)
{
    const BackupEntry *entry = NULL;
    if (!find_young(guard, &entry, err))
        return false;
    *path = entry ? entry->path : NULL;
    return true;
}

/* ---- either ------------------------------------------------------------------------------ */

static bool find_or_make(const Guard *guard, const char **path, const char **sha256, bool *is_new,
                         Error *err)
{
    const BackupEntry *entry = NULL;
    BackupResult *made = arena_alloc(guard->arena, sizeof(*made));
    if (!find_young(guard, &entry, err))
        return false;
    *is_new = entry == NULL;
    if (entry) {
        *path = entry->path;
        *sha256 = entry->manifest.sha256;
        log_info(guard->log, "The backup %s is verified and %s old: no other is made",
                 entry->manifest.file,
                 str_duration(guard->arena,
                              1000.0 * (double)(clock_unix_s() - entry->manifest.snapshot_at)));
        return true;
    }
    log_info(guard->log, "Backing up %s before it is migrated", guard->target->database);
    if (!guard_backup_make(guard, "before migrate up", made, err) ||
        !guard_backup_verify(guard, made, err))
        return false;
    log_info(guard->log, "%s: %s rows of %zu tables, verified", made->path,
             str_count(guard->arena, manifest_rows(&made->manifest)),
             manifest_table_count(&made->manifest));
    *path = made->path;
    *sha256 = made->manifest.sha256;
    return true;
}

bool guard_backup_need(const Guard *guard, const char **path, bool *is_new, Error *err)
{
    const char *sha256 = NULL;
    int64_t keep_until = 0;
    if (find_or_make(guard, path, &sha256, is_new, err) &&
        guard_backup_hold(guard, *path, sha256, "made before migrate up", &keep_until, err))
        return true;
    if (err->code != ERR_INTERRUPTED && err->code != ERR_UNREACHABLE)
        err->code = ERR_REFUSED;
    (void)error_context(err, "there is no verified backup, so nothing was migrated");
    return error_hint(err, "%s%svaxdb migrate up %s --no-backup REASON goes on without one",
                      err->hint, err->hint[0] ? "\n      " : "", guard->spec->retry);
}
