#include "store/parts.h"

#include <string.h>

#define SENT ((int64_t)-1)

typedef struct {
    Arena *arena;
    PartPlan *items;
    size_t count, capacity;
} Runs;

typedef struct {
    int64_t min;
    int64_t send;
    int64_t copy;
} Sizes;

/* One that continues the last becomes a part of it. */
static void add_run(Runs *runs, int64_t offset, int64_t length, int64_t source)
{
    PartPlan *last = runs->count ? &runs->items[runs->count - 1] : NULL;
    bool continues =
        last && (source == SENT ? last->source == SENT
                                : last->source != SENT && source == last->source + last->length);
    if (!length)
        return;
    if (continues) {
        last->length += length;
        return;
    }
    PartPlan run = {offset, length, source};
    ARENA_PUSH(runs->arena, runs->items, runs->count, runs->capacity, run);
}

/* All of the file, as runs that are sent and runs that are there; two of the latter can meet. */
static void list_runs(Runs *runs, int64_t size, const StoreReuse *reuse)
{
    int64_t at = 0;
    for (size_t i = 0; reuse && i < reuse->count; i++) {
        const StoreRange *range = &reuse->ranges[i];
        if (range->offset < at || range->length <= 0 || range->source < 0 || range->offset > size ||
            range->length > size - range->offset)
            continue;
        add_run(runs, at, range->offset - at, SENT);
        add_run(runs, range->offset, range->length, range->source);
        at = range->offset + range->length;
    }
    add_run(runs, at, size - at, SENT);
}

/* Runs that are too short to be a part are sent. */
static Runs drop_short(Arena *arena, const Runs *runs, int64_t min)
{
    Runs kept = {.arena = arena};
    for (size_t i = 0; i < runs->count; i++) {
        const PartPlan *run = &runs->items[i];
        add_run(&kept, run->offset, run->length, run->length < min ? SENT : run->source);
    }
    return kept;
}

static void remove_runs(Runs *runs, size_t at, size_t count)
{
    memmove(&runs->items[at], &runs->items[at + count],
            (runs->count - at - count) * sizeof(*runs->items));
    runs->count -= count;
}

/* items[at] is sent and too short; what follows it is there. */
static void pad_run(Runs *runs, size_t at, int64_t min)
{
    PartPlan *run = &runs->items[at];
    PartPlan *next = run + 1;
    PartPlan *before = at ? run - 1 : NULL;
    int64_t wanted = min - run->length;
    bool next_is_last = at + 2 == runs->count;
    if (next->length - wanted >= min || (next_is_last && next->length > wanted)) {
        next->offset += wanted;
        next->source += wanted;
        next->length -= wanted;
        run->length += wanted;
    } else if (before && before->length - wanted >= min) {
        before->length -= wanted;
        run->offset -= wanted;
        run->length += wanted;
    } else {
        run->length += next->length;
        bool sent_after = !next_is_last && next[1].source == SENT;
        if (sent_after)
            run->length += next[1].length;
        remove_runs(runs, at + 1, sent_after ? 2 : 1);
    }
}

static void pad_runs(Runs *runs, int64_t min)
{
    for (size_t i = 0; i + 1 < runs->count; i++) {
        while (runs->items[i].source == SENT && runs->items[i].length < min && i + 1 < runs->count)
            pad_run(runs, i, min);
    }
}

/* A rest that is too short for a part of its own makes the one before it longer, unless it is the
 * last of all. */
static void split_run(Runs *parts, const PartPlan *run, bool is_last, const Sizes *sizes)
{
    int64_t piece = run->source == SENT ? sizes->send : sizes->copy;
    int64_t done = 0;
    while (done < run->length) {
        int64_t left = run->length - done;
        int64_t rest = left - piece;
        int64_t length = rest <= 0 || (rest < sizes->min && !is_last) ? left : piece;
        PartPlan part = {run->offset + done, length,
                         run->source == SENT ? SENT : run->source + done};
        ARENA_PUSH(parts->arena, parts->items, parts->count, parts->capacity, part);
        done += length;
    }
}

static Runs make_parts(Arena *arena, const Runs *all, const Sizes *sizes)
{
    Runs parts = {.arena = arena};
    Runs runs = drop_short(arena, all, sizes->min);
    pad_runs(&runs, sizes->min);
    for (size_t i = 0; i < runs.count; i++)
        split_run(&parts, &runs.items[i], i + 1 == runs.count, sizes);
    return parts;
}

PartPlan *parts_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count)
{
    Runs runs = {.arena = arena};
    Sizes sizes = {PART_MIN_BYTES, PART_SEND_BYTES, PART_COPY_BYTES};
    list_runs(&runs, size, reuse);
    Runs parts = make_parts(arena, &runs, &sizes);
    while (parts.count > PARTS_MAX) {
        sizes = (Sizes){2 * sizes.min, 2 * sizes.send, 2 * sizes.copy};
        parts = make_parts(arena, &runs, &sizes);
    }
    *count = parts.count;
    return parts.items;
}
