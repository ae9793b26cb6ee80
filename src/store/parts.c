#include "store/parts.h"

#define SENT ((int64_t)-1)

typedef struct {
    Arena *arena;
    PartRun *items;
    size_t count, capacity;
} Runs;

typedef struct {
    int64_t min;
    int64_t send;
    int64_t copy;
} Sizes;

typedef struct {
    Arena *arena;
    const Sizes *sizes;
    PartPlan *items;
    size_t count, capacity;
    Runs open; /* the part that is being made */
    int64_t open_bytes;
} Parts;

/* One that continues the last becomes a part of it. */
static void add_run(Runs *runs, int64_t offset, int64_t length, int64_t source)
{
    PartRun *last = runs->count ? &runs->items[runs->count - 1] : NULL;
    bool continues =
        last && (source == SENT ? last->source == SENT
                                : last->source != SENT && source == last->source + last->length);
    if (!length)
        return;
    if (continues) {
        last->length += length;
        return;
    }
    PartRun run = {offset, length, source};
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

/* Runs that are not worth a copy are sent. */
static Runs drop_short(Arena *arena, const Runs *runs)
{
    Runs kept = {.arena = arena};
    for (size_t i = 0; i < runs->count; i++) {
        const PartRun *run = &runs->items[i];
        add_run(&kept, run->offset, run->length,
                run->length < PART_WORTH_BYTES ? SENT : run->source);
    }
    return kept;
}

/* ---- parts ------------------------------------------------------------------------------- */

static PartRun piece_of(const PartRun *run, int64_t from, int64_t length)
{
    return (PartRun){run->offset + from, length, run->source == SENT ? SENT : run->source + from};
}

static void add_part(Parts *parts, const PartRun *runs, size_t count)
{
    const PartRun *last = &runs[count - 1];
    PartPlan part = {runs->offset, last->offset + last->length - runs->offset, runs, count};
    ARENA_PUSH(parts->arena, parts->items, parts->count, parts->capacity, part);
}

/* A rest that is too short for a part of its own makes the one before it longer, unless it is the
 * last of all. */
static void split_run(Parts *parts, const PartRun *run, bool is_last)
{
    int64_t piece = run->source == SENT ? parts->sizes->send : parts->sizes->copy;
    int64_t done = 0;
    while (done < run->length) {
        int64_t left = run->length - done;
        int64_t rest = left - piece;
        int64_t length = rest <= 0 || (rest < parts->sizes->min && !is_last) ? left : piece;
        PartRun *part = arena_alloc(parts->arena, sizeof(*part));
        *part = piece_of(run, done, length);
        add_part(parts, part, 1);
        done += length;
    }
}

static void close_part(Parts *parts, bool is_last)
{
    if (parts->open.count == 1)
        split_run(parts, parts->open.items, is_last);
    else if (parts->open.count)
        add_part(parts, parts->open.items, parts->open.count);
    parts->open = (Runs){.arena = parts->arena};
    parts->open_bytes = 0;
}

static void append(Parts *parts, const PartRun *run)
{
    if (run->length <= 0)
        return;
    add_run(&parts->open, run->offset, run->length, run->source);
    parts->open_bytes += run->length;
}

/* What is open is sent, and too short. Takes of the run what is wanting, and leaves the rest. */
static void pad_part(Parts *parts, PartRun *run)
{
    int64_t wanted = parts->sizes->min - parts->open_bytes;
    int64_t length = run->source == SENT || wanted > run->length ? run->length : wanted;
    PartRun taken = {run->offset, length, SENT};
    append(parts, &taken);
    *run = piece_of(run, length, run->length - length);
}

/* Of a long run only the end need be at the beginning of what is put together. */
static void shorten_part(Parts *parts)
{
    int64_t min = parts->sizes->min;
    if (parts->open.count != 1 || parts->open_bytes < 2 * min)
        return;
    PartRun run = parts->open.items[0];
    parts->open.items[0] = piece_of(&run, 0, run.length - min);
    close_part(parts, false);
    PartRun end = piece_of(&run, run.length - min, min);
    append(parts, &end);
}

static bool is_full(const Parts *parts)
{
    return parts->open.count >= PART_RUNS_MAX || parts->open_bytes > parts->sizes->copy;
}

static void place_run(Parts *parts, PartRun run, bool is_last)
{
    if (parts->open.count && parts->open_bytes < parts->sizes->min)
        pad_part(parts, &run);
    if (!run.length)
        return;
    bool is_short = run.length < parts->sizes->min && !is_last;
    if (is_short && parts->open.count && !is_full(parts)) {
        shorten_part(parts);
        append(parts, &run);
        return;
    }
    close_part(parts, false);
    if (is_short) /* nothing that it could be put behind */
        run.source = SENT;
    append(parts, &run);
}

static Parts make_parts(Arena *arena, const Runs *all, const Sizes *sizes)
{
    Parts parts = {.arena = arena, .sizes = sizes, .open.arena = arena};
    Runs runs = drop_short(arena, all);
    for (size_t i = 0; i < runs.count; i++)
        place_run(&parts, runs.items[i], i + 1 == runs.count);
    close_part(&parts, true);
    return parts;
}

PartPlan *parts_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count)
{
    Runs runs = {.arena = arena};
    Sizes sizes = {PART_MIN_BYTES, PART_SEND_BYTES, PART_COPY_BYTES};
    list_runs(&runs, size, reuse);
    Parts parts = make_parts(arena, &runs, &sizes);
    while (parts.count > PARTS_MAX) {
        int64_t copy = 2 * sizes.copy < PART_COPY_MAX ? 2 * sizes.copy : PART_COPY_MAX;
        sizes = (Sizes){2 * sizes.min, 2 * sizes.send, copy};
        parts = make_parts(arena, &runs, &sizes);
    }
    *count = parts.count;
    return parts.items;
}
