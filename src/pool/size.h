/* How many connections a pool should have.
 *
 * The formula is the guide's (and the PostgreSQL wiki's, "Number Of Database Connections"):
 *
 *     connections = (core_count * 2) + effective_spindle_count
 *
 * for one application instance; the total is that times the instances. Cores and spindles are those
 * of the database server; an SSD has no spindle. Connections are counts, times milliseconds. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

/* The guide's largest pool, that of production; more connections than this only wait on each other.
 */
#define POOL_PRODUCTION_CAP 50

#define POOL_CORES_MAX     4096
#define POOL_SPINDLES_MAX  10000
#define POOL_INSTANCES_MAX 10000

/* What a machine is made of, and in words how that was found out. */
typedef struct {
    int64_t cores;
    int64_t spindles;          /* disks that turn; SSDs and virtual disks count 0 */
    const char *cores_from;    /* "2 cores found on this machine" */
    const char *spindles_from; /* "nvme0n1 is an SSD: 0 spindles" */
} Machine;

/* This machine. sysfs is "/sys" (a test passes a folder of its own). Never fails: what cannot be
 * found out is an SSD, and the words say so. */
void machine_detect(Arena *arena, const char *sysfs, Machine *machine);

typedef struct {
    int64_t cores;
    int64_t spindles;
    int64_t instances;
    int64_t cap; /* at most this many per instance; 0: no cap */
} PoolSizeInput;

typedef struct {
    int64_t formula_result; /* before the cap */
    int64_t per_instance;
    int64_t total;
    bool capped;
    const char *formula; /* "connections = (8 cores x 2) + 0 spindles = 16" */
} PoolSize;

/* The input must be within the maxima above, cores and instances at least 1 (assert). */
void pool_size_compute(Arena *arena, const PoolSizeInput *input, PoolSize *size);

/* What the server has room for. */
typedef struct {
    int64_t max_connections;
    int64_t reserved; /* for superusers, and from PostgreSQL 16 for pg_use_reserved_connections */
    int64_t usable;   /* max_connections - reserved */
    int64_t in_use;   /* client connections now, ours not counted */
    bool local;       /* the server runs on this machine */
} PoolServer;

bool pool_server_read(Session *session, PoolServer *server, Error *err) MUST_CHECK;
