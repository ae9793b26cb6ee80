/* The ledger of an earlier script, which listed downs as migrations and went on after errors: what
 * it lists is believed where the catalogue has it. */
#include "base/str.h"
#include "flows/guarded.h"
#include "lint/history.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const LedgerEntry *entry;
    const Migration *migration; /* NULL: of a down */
} Event;

/* A file that was run again kept its row, with a new time. */
static int compare_events(const void *a, const void *b)
{
    const LedgerEntry *one = ((const Event *)a)->entry, *two = ((const Event *)b)->entry;
    int order =
        strcmp(one->applied_at ? one->applied_at : "", two->applied_at ? two->applied_at : "");
    return order ? order : (one->id > two->id) - (one->id < two->id);
}

static const Migration *undone_by(Arena *arena, const MigrateStatus *status, const char *down)
{
    static const char *const ends[] = {".sql", ".up.sql"};
    const char *stem = arena_strndup(arena, down, strlen(down) - strlen(".down.sql"));
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        const Migration *found =
            migrate_status_file(status, arena_printf(arena, "%s%s", stem, ends[i]));
        if (found)
            return found;
    }
    return NULL;
}

/* What ran, in its order. */
static Event *list_events(Arena *arena, const MigrateStatus *status, size_t *count)
{
    Event *events = arena_array(arena, status->files.count + status->entry_count, sizeof(*events));
    *count = 0;
    for (size_t i = 0; i < status->files.count; i++)
        if (status->items[i].entry)
            events[(*count)++] = (Event){status->items[i].entry, &status->items[i]};
    for (size_t i = 0; i < status->entry_count; i++)
        if (str_ends(status->entries[i].name, ".down.sql"))
            events[(*count)++] = (Event){&status->entries[i], NULL};
    if (*count > 1)
        qsort(events, *count, sizeof(*events), compare_events);
    return events;
}

typedef struct {
    LintHistory *items;
    size_t count;
    size_t *place;      /* of each file's history, by its place in the status; SIZE_MAX: none */
    const char **downs; /* recorded after it, likewise; NULL: none */
} Histories;

static void take_events(Arena *arena, const MigrateStatus *status, Histories *all)
{
    size_t count = 0;
    const Event *events = list_events(arena, status, &count);
    all->items = arena_array(arena, count, sizeof(*all->items));
    all->place = arena_array(arena, status->files.count, sizeof(*all->place));
    all->downs = arena_array(arena, status->files.count, sizeof(*all->downs));
    for (size_t i = 0; i < status->files.count; i++) {
        all->place[i] = SIZE_MAX;
        all->downs[i] = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const Migration *up = events[i].migration;
        if (up) {
            all->place[up - status->items] = all->count;
            all->items[all->count++] = (LintHistory){.file = up->file};
        } else {
            const char *down = events[i].entry->name;
            up = undone_by(arena, status, down);
            if (up && all->place[up - status->items] != SIZE_MAX)
                all->downs[up - status->items] = down;
        }
    }
}

/* Where a down came after an up that left nothing to be looked for, nobody can tell. */
static void judge_one(Arena *arena, const LintHistory *history, const char *down,
                      MigrateBaselined *item, StrList *warnings)
{
    const char *name = item->migration->name;
    if (history->cut)
        str_list_addf(warnings,
                      "%s has commands of psql, which are not followed: only the SQL in it was "
                      "looked for",
                      name);
    if (history->missing.count > 0 || (down && history->expected == 0)) {
        MigrateSuspicion *suspicion = arena_alloc(arena, sizeof(*suspicion));
        *suspicion = (MigrateSuspicion){.expected = history->expected,
                                        .missing = history->missing,
                                        .undone_by = down,
                                        .doubt = history->doubt};
        item->suspicion = suspicion;
    } else if (down) {
        str_list_addf(warnings, "%s was recorded after %s, and yet all that %s makes is there",
                      down, name, name);
    }
}

bool guarded_history_judge(Arena *arena, Session *session, const MigrateStatus *status,
                           MigrateBaseline *baseline, Error *err)
{
    Histories all = {0};
    take_events(arena, status, &all);
    if (!lint_history(arena, session, all.items, all.count, err))
        return false;
    for (size_t i = 0; i < baseline->count; i++) {
        MigrateBaselined *item = &baseline->items[i];
        size_t at = (size_t)(item->migration - status->items);
        judge_one(arena, &all.items[all.place[at]], all.downs[at], item, &baseline->warnings);
    }
    return true;
}
