/* Retention in a store. */
#include "backup/offsite_internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "state/backups.h"

/* All backups of env that are there, or an error. */
static bool list_backups(Arena *arena, Store *store, const char *env, BackupList *list, Error *err)
{
    StoreList objects;
    *list = (BackupList){0};
    if (!store_list(store, arena, "", &objects, err))
        return false;
    for (size_t i = 0; i < objects.count; i++) {
        BackupEntry entry = {0};
        const char *text = NULL;
        int64_t moment = 0;
        if (!offsite_name(arena, objects.items[i].name, env, &entry.path, &moment))
            continue;
        if (!offsite_manifest(arena, store, entry.path, &text, &entry.manifest, err)) {
            if (err->code == ERR_PROBLEMS)
                err->code = ERR_REFUSED;
            return error_context(err, "the list of backups is incomplete, so nothing is deleted");
        }
        if (!text || !str_equal(entry.manifest.env, env))
            continue; /* deleted meanwhile by another; or its name only ends like ours */
        bool has = false;
        if (!offsite_has_data(arena, store, &entry.manifest, &has, err))
            return false;
        entry.problem = has ? NULL : "its data is not there, or not all of it";
        ARENA_PUSH(arena, list->items, list->count, list->capacity, entry);
    }
    return true;
}

/* The manifest first, so that it is never listed without its data. */
static bool delete_backup(Arena *arena, State *state, Store *store, const Manifest *manifest,
                          Error *err)
{
    const char *file = manifest->file;
    const char *globals = path_basename(backup_globals_path(arena, file));
    return store_delete(store, arena_printf(arena, "%s%s", file, MANIFEST_SUFFIX), err) &&
           store_delete(store, file, err) &&
           store_delete(store, arena_printf(arena, "%s%s", file, CHECKSUM_SUFFIX), err) &&
           (!manifest->globals.sha256 || store_delete(store, globals, err)) &&
           state_backup_not_offsite(state, manifest->sha256, err);
}

/* A machine that has lost its memory, or is not the one that pushed, knows too little. */
static void keep_unknown(PruneRow *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].remove || rows[i].verified)
            continue;
        rows[i].remove = false;
        rows[i].reason = "never verified on this machine";
    }
}

bool backup_prune_offsite(Arena *arena, State *state, Store *store, const char *env,
                          const RetentionPolicy *policy, bool dry_run, PruneRow **rows,
                          size_t *count, Error *err)
{
    BackupList *list = arena_alloc(arena, sizeof(*list));
    if (!list_backups(arena, store, env, list, err))
        return false;
    backup_list_sort(list);
    *count = list->count;
    *rows = arena_array(arena, list->count, sizeof(**rows));
    if (!prune_look_up(arena, state, list, *rows, err))
        return false;
    backup_prune_decide(arena, *rows, *count, clock_unix_s(), policy);
    keep_unknown(*rows, *count);
    for (size_t i = *count; i-- > 0 && !dry_run;) {
        if ((*rows)[i].remove &&
            !delete_backup(arena, state, store, &(*rows)[i].entry->manifest, err))
            return false;
    }
    return true;
}
