/* A scratch cluster: a PostgreSQL that is made for one piece of work, such as a drill, and removed
 * after it.
 *
 * It lives in STATE/scratch/KIND_YYYYMMDD_HHMMSS_RANDOM. Beside that folder stands its tag, the
 * same name with ".lock", on which the run that made it holds a lock for as long as it lives: where
 * the lock is free its owner is dead, and the next run stops and removes what is left. A folder
 * without a tag is never touched. Run by root it belongs to the user vaxdb-drill, who owns nothing
 * else: what it runs is restored SQL. */
#pragma once

#include "base/log.h"
#include "pg/cluster.h"

#define SCRATCH_CLUSTER_USER "vaxdb-drill"

typedef struct {
    const char *state_directory;
    const char *kind;   /* "drill" */
    const char *bindir; /* taken where it is of that major; may be NULL */
    int major;          /* of the server that the backup is of; 0: any. An older one is refused, a
                         * newer one is taken and told where this one is not installed */
} ScratchClusterSpec;

typedef struct {
    Arena *arena;
    Log *log;
    Cluster cluster;
    const char *lock_path; /* NULL: there is none */
    int lock;
    int major;
} ScratchCluster;

/* Removes what dead runs left, makes one and starts it. The caller releases whatever happens. */
bool scratch_cluster_create(Arena *arena, Log *log, const ScratchClusterSpec *spec,
                            ScratchCluster *scratch, Error *err) MUST_CHECK;
/* "a scratch cluster of its own: PostgreSQL 15, user vaxdb-drill, no network" */
char *scratch_cluster_describe(const ScratchCluster *scratch);
/* Stops and removes it, also after an interrupt; a failure is told, and the next run tries again.
 */
void scratch_cluster_release(ScratchCluster *scratch);
