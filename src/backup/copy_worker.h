/* Workers that copy a plan's units, each in a thread and a session of its own under the leader's
 * snapshot: rows are counted, digested, cut into members at newlines and packed there.
 *
 * A worker locks a table NOWAIT. Where that fails another session waits for the table behind the
 * leader's lock, and to queue behind it would be a deadlock that the server cannot see: then the
 * leader's own session copies, when the unit's turn has come. So the leader must not be used
 * between start and end.
 *
 * Memory is bounded: a wide row is in it several times, with libpq's buffer, so only the unit whose
 * turn it is may have such rows. */
#pragma once

#include "backup/member_queue.h"
#include "backup/units.h"

typedef struct {
    const CopyPlan *plan;
    MemberQueue *queue; /* as many units as the plan */
    Session *leader;
    const char *snapshot;
    const char *conninfo;
    const char *dbname;
    int jobs; /* 0: half of the cores, at least 2 */
    Compression compression;
    const SealKey *key; /* of an encrypted backup, else NULL */
} CopySpec;

typedef struct CopyWorkers CopyWorkers;

/* spec is copied; what it points to must outlive the workers. A failure of theirs stops the queue.
 */
CopyWorkers *copy_workers_start(const CopySpec *spec);
/* Waits for their end; with stop no row more is copied. False with the first failure. */
bool copy_workers_end(CopyWorkers *workers, bool stop, Error *err) MUST_CHECK;
