/* What an upload in parts is made of: bytes that are sent, and bytes that the server copies from an
 * object that it has.
 *
 * S3 takes at most 10,000 parts, each but the last of at least 5 MiB, and a part is either sent or
 * copied. The last part of an upload may be short, though: so an object of the server's own, made
 * of at least 5 MiB that are there and of a short run behind them, is long enough to be copied as a
 * whole. A part that is made so has several runs: the first is long enough to be a part, each
 * other one is put behind what there is so far. What is new is sent, and nothing with it. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

#define PART_MIN_BYTES   ((int64_t)5 << 20)
#define PART_SEND_BYTES  ((int64_t)8 << 20)   /* what is lost at most when a connection breaks */
#define PART_COPY_BYTES  ((int64_t)256 << 20) /* a server copies some at once */
#define PART_COPY_MAX    ((int64_t)4 << 30)   /* S3 copies at most 5 GiB as a part */
#define PART_WORTH_BYTES ((int64_t)32 << 10)  /* four requests and a copy are dearer than these */
#define PART_RUNS_MAX    64                   /* each has the server copy all of those before it */
#define PARTS_MAX        10000

typedef struct {
    int64_t offset;
    int64_t length;
    int64_t source; /* where the object has these bytes; -1: they are sent */
} PartRun;

typedef struct {
    int64_t offset;
    int64_t length;
    const PartRun *runs; /* in order, without a gap */
    size_t run_count;
} PartPlan;

/* Of a file of size bytes (at least one); reuse may be NULL. The same plan for the same arguments.
 * Ranges that cannot be (not in order, outside of the file) are as if they were not there. */
PartPlan *parts_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count);
