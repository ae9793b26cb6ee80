/* What an upload in parts is made of: bytes that are sent, and bytes that the server copies from an
 * object that it has.
 *
 * S3 takes at most 10,000 parts, each but the last of at least 5 MiB, and a part is either sent or
 * copied. So a run of bytes that are there is worth a part from 5 MiB on, and a shorter run of new
 * ones takes as much of its neighbours along as it needs. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

#define PART_MIN_BYTES  ((int64_t)5 << 20)
#define PART_SEND_BYTES ((int64_t)8 << 20)   /* what is lost at most when a connection breaks */
#define PART_COPY_BYTES ((int64_t)256 << 20) /* a server copies some at once */
#define PARTS_MAX       10000

typedef struct {
    int64_t offset;
    int64_t length;
    int64_t source; /* where the object has these bytes; -1: they are sent */
} PartPlan;

/* Of a file of size bytes (at least one); reuse may be NULL. The same plan for the same arguments.
 * Ranges that cannot be (not in order, outside of the file) are as if they were not there. */
PartPlan *parts_plan(Arena *arena, int64_t size, const StoreReuse *reuse, size_t *count);
