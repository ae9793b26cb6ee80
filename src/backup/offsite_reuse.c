/* The members of a backup that another one, in the store, has too. */
#include "backup/offsite_internal.h"

#include <string.h>

#define CANDIDATES_MAX 3 /* manifests that are read, at most */

/* The newest backups of the same name and environment, by the time in their names. */
typedef struct {
    const char *files[CANDIDATES_MAX];
    int64_t moments[CANDIDATES_MAX];
    size_t count;
} Candidates;

static void add_candidate(Candidates *candidates, const char *file, int64_t moment)
{
    size_t at = 0;
    while (at < candidates->count && candidates->moments[at] >= moment)
        at++;
    if (at == CANDIDATES_MAX)
        return;
    if (candidates->count < CANDIDATES_MAX)
        candidates->count++;
    for (size_t i = candidates->count - 1; i > at; i--) {
        candidates->files[i] = candidates->files[i - 1];
        candidates->moments[i] = candidates->moments[i - 1];
    }
    candidates->files[at] = file;
    candidates->moments[at] = moment;
}

static bool find_candidates(Arena *arena, Store *store, const Manifest *ours,
                            Candidates *candidates, Error *err)
{
    StoreList list;
    const char *prefix = arena_printf(arena, "%s-%s-", ours->name, ours->env);
    *candidates = (Candidates){0};
    if (!store_list(store, arena, prefix, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const char *file = NULL;
        int64_t moment = 0;
        if (offsite_name(arena, list.items[i].name, ours->env, &file, &moment) &&
            !str_equal(file, ours->file))
            add_candidate(candidates, file, moment);
    }
    return true;
}

/* ---- what is in both ---------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
    return strcmp((*(const Member *const *)a)->sha256, (*(const Member *const *)b)->sha256);
}

static const Member **sort_members(Arena *arena, const ArchiveIndex *index)
{
    const Member **sorted = arena_array(arena, index->count, sizeof(const Member *));
    for (size_t i = 0; i < index->count; i++)
        sorted[i] = &index->members[i];
    qsort(sorted, index->count, sizeof(const Member *), by_hash);
    return sorted;
}

static bool is_equal(const Member *a, const Member *b)
{
    return a->packed_bytes == b->packed_bytes && str_equal(a->sha256, b->sha256);
}

/* The same member in theirs; the one behind the last that was found where that is it, so that what
 * is in a row there is so here. */
static const Member *find_member(const ArchiveIndex *theirs, const Member *const *sorted,
                                 const Member *wanted, const Member *last)
{
    if (last && last + 1 < theirs->members + theirs->count && is_equal(last + 1, wanted))
        return last + 1;
    const Member *const *found =
        bsearch(&wanted, sorted, theirs->count, sizeof(const Member *), by_hash);
    return found && is_equal(*found, wanted) ? *found : NULL;
}

static void compare(Arena *arena, const Manifest *ours, const Manifest *theirs, StoreReuse *reuse)
{
    const Member **sorted = sort_members(arena, &theirs->index);
    StoreRange *ranges = arena_array(arena, ours->index.count + 1, sizeof(*ranges));
    const Member *last = NULL;
    int64_t header = ours->index.begin_bytes;
    *reuse = (StoreReuse){.object = theirs->file,
                          .ranges = ranges,
                          .scratch = arena_printf(arena, "%s-%s", ours->name, ours->env)};
    /* A header is kept with its key (seal_store.h). */
    if (header && header == theirs->index.begin_bytes && str_equal(ours->key_id, theirs->key_id))
        ranges[reuse->count++] = (StoreRange){.length = header};
    for (size_t i = 0; i < ours->index.count; i++) {
        const Member *member = &ours->index.members[i];
        last = find_member(&theirs->index, sorted, member, last);
        if (last)
            ranges[reuse->count++] =
                (StoreRange){member->offset, member->packed_bytes, last->offset};
    }
}

bool offsite_reuse(Arena *arena, Log *log, Store *store, const Manifest *ours, StoreReuse *reuse,
                   Error *err)
{
    Candidates candidates;
    Error failure = {0};
    *reuse = (StoreReuse){0};
    if (!store_composes(store) || !ours->index.count)
        return true;
    bool read = find_candidates(arena, store, ours, &candidates, &failure);
    for (size_t i = 0; read && !reuse->count && i < candidates.count; i++) {
        Manifest theirs;
        const char *text = NULL;
        read = offsite_manifest(arena, store, candidates.files[i], &text, &theirs, &failure);
        if (read && text && theirs.index.count)
            compare(arena, ours, &theirs, reuse);
        else if (!read && failure.code == ERR_PROBLEMS) /* the next one will do, too */
            read = true;
    }
    if (read)
        return true;
    if (failure.code != ERR_REFUSED) {
        *err = failure;
        return false;
    }
    log_debug(log, "all of it is sent: %s", failure.message); /* credentials that may only write */
    return true;
}
