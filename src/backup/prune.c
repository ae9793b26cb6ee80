#include "backup/backup.h"
#include "base/clock.h"
#include "state/backups.h"

#define DAY_S 86400

/* Retention counts within one database of one environment. */
static bool same_line(const Manifest *a, const Manifest *b)
{
    return str_equal(a->name, b->name) && str_equal(a->env, b->env) &&
           str_equal(a->database, b->database);
}

/* A file that is damaged on sight is no verified backup, whatever was remembered. */
static bool counts_as_verified(const PruneRow *row)
{
    return row->verified && !row->entry->problem;
}

static int64_t newer_verified(const PruneRow *rows, size_t at)
{
    int64_t count = 0;
    for (size_t i = 0; i < at; i++) {
        if (counts_as_verified(&rows[i]) &&
            same_line(&rows[i].entry->manifest, &rows[at].entry->manifest))
            count++;
    }
    return count;
}

void backup_prune_decide(Arena *arena, PruneRow *rows, size_t count, int64_t now_unix_s,
                         int64_t retention_days, int64_t keep_min)
{
    for (size_t i = 0; i < count; i++) {
        PruneRow *row = &rows[i];
        int64_t age_s = now_unix_s - row->entry->manifest.finished_at;
        int64_t newer = newer_verified(rows, i);
        row->remove = false;
        if (age_s <= retention_days * DAY_S)
            row->reason = arena_printf(arena, "younger than %lld days", (long long)retention_days);
        else if (row->keep_until > now_unix_s)
            row->reason = arena_printf(arena, "%s, kept until %.10s", row->keep_reason,
                                       clock_iso_utc(arena, row->keep_until));
        else if (row->last_drilled)
            row->reason = "the last one that a drill restored";
        else if (counts_as_verified(row) && newer == 0)
            row->reason = "the newest verified one";
        else if (newer < keep_min)
            row->reason = arena_printf(arena, "only %lld verified newer, %lld are kept",
                                       (long long)newer, (long long)keep_min);
        else {
            row->remove = true;
            row->reason = arena_printf(arena, "%lld days old", (long long)(age_s / DAY_S));
        }
    }
}

/* The last drilled of each line stays. */
static bool look_up(Arena *arena, State *state, const BackupList *list, PruneRow *rows, Error *err)
{
    size_t *last = arena_array(arena, list->count, sizeof(*last));
    int64_t *drilled_at = arena_array(arena, list->count, sizeof(*drilled_at));
    for (size_t i = 0; i < list->count; i++) {
        StateBackup memory;
        rows[i].entry = &list->items[i];
        if (!state_backup_get(state, list->items[i].manifest.sha256, &memory, err))
            return false;
        rows[i].verified = memory.verified;
        rows[i].keep_until = memory.keep_until;
        rows[i].keep_reason = arena_strdup(arena, memory.keep_reason);
        drilled_at[i] = memory.drill_passed ? memory.drilled_at : 0;
        last[i] = i;
    }
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < list->count; j++) {
            if (same_line(&list->items[i].manifest, &list->items[j].manifest) &&
                drilled_at[j] > drilled_at[last[i]])
                last[i] = j;
        }
        rows[i].last_drilled = last[i] == i && drilled_at[i] > 0;
    }
    return true;
}

static bool list_whole(Arena *arena, const char *directory, BackupList *list, Error *err)
{
    if (!backup_list(arena, directory, list, err))
        return false;
    if (!list->unreadable.count)
        return true;
    (void)error_set(err, ERR_REFUSED,
                    "the list of backups is incomplete, so nothing is deleted: %s",
                    list->unreadable.items[0]);
    return error_hint(err, "move that file out of %s, then prune again", directory);
}

/* Drops the backups of other environments from the list. */
static void keep_environment(BackupList *list, const char *env)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i].manifest.env, env))
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

bool backup_prune(Arena *arena, State *state, const char *directory, const char *env,
                  int64_t retention_days, int64_t keep_min, bool dry_run, PruneRow **rows,
                  size_t *count, Error *err)
{
    BackupList *list = arena_alloc(arena, sizeof(*list));
    if (!list_whole(arena, directory, list, err))
        return false;
    keep_environment(list, env);
    *count = list->count;
    *rows = arena_array(arena, list->count, sizeof(**rows));
    if (!look_up(arena, state, list, *rows, err))
        return false;
    backup_prune_decide(arena, *rows, *count, clock_unix_s(), retention_days, keep_min);
    /* Oldest first: what an interruption leaves is what should have stayed longest. */
    for (size_t i = *count; i-- > 0 && !dry_run;) {
        if ((*rows)[i].remove && !backup_delete(arena, (*rows)[i].entry->path, err))
            return false;
    }
    return true;
}
