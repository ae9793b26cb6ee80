/* A PostgreSQL cluster of our own: initdb, start, stop, remove. Used for the private cluster of
 * `vaxdb dev` and for scratch clusters.
 *
 * Layout of its directory: data/ (PGDATA), password (0600), port, server.log, settings.conf. The
 * Unix socket is in data's neighbour run/ where the path is short enough (sun_path holds 107
 * bytes), else in a folder of its own under /tmp that belongs to the cluster's user. It listens on
 * loopback and that socket only, with SCRAM.
 *
 * PostgreSQL refuses root: run by root, the server is of the user `vaxdb` where that exists, else
 * `postgres`; else of the caller. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    const char *directory; /* absolute */
    const char *bindir;    /* of the server's programs; NULL: newest installed */
    const char *user;      /* to run as when we are root; NULL: vaxdb, else postgres */
    int major;             /* of the programs, where bindir is NULL and they are there; 0: newest */
    /* For one piece of work: it listens on its socket only, where the kernel lets us without any
     * network; preloads nothing, replicates nothing; and is stopped without a checkpoint. */
    bool scratch;
} ClusterSpec;

typedef struct {
    Arena *arena;
    const char *directory;
    const char *data;
    const char *bindir;
    const char *socket_directory;
    const char *log_path;
    const char *password; /* of the superuser "vaxdb"; NULL before cluster_create */
    int port;             /* 0 before the first start */
    uid_t uid;            /* whose it is; 0: the caller's own */
    gid_t gid;
    const char *user_name;
    bool scratch;
} Cluster;

typedef enum {
    CLUSTER_ABSENT, /* no data directory */
    CLUSTER_STOPPED,
    CLUSTER_RUNNING,
    CLUSTER_OTHER_VERSION, /* made by another major than the programs found */
} ClusterState;

/* Looks at what is there; makes nothing. */
bool cluster_open(Arena *arena, const ClusterSpec *spec, Cluster *cluster, Error *err) MUST_CHECK;
ClusterState cluster_state(const Cluster *cluster);
/* Of its programs, 15 for example; 0 when they cannot be run. */
int cluster_program_major(const Cluster *cluster);
/* Does its server run in a network of its own? */
bool cluster_is_isolated(const Cluster *cluster);
/* initdb where absent, then start where stopped; waits until it accepts connections. Two callers at
 * once: one does the work, the other waits. *created says whether initdb ran. A failed initdb is
 * removed again; an existing data directory is never deleted. */
bool cluster_ensure_running(Cluster *cluster, Log *log, bool *created, Error *err) MUST_CHECK;
/* Fast shutdown, then immediate after 30 s. Stopped already is success. */
bool cluster_stop(Cluster *cluster, Error *err) MUST_CHECK;
/* Stops it and removes its directory. */
bool cluster_remove(Cluster *cluster, Error *err) MUST_CHECK;
/* libpq conninfo of one database, by the socket, with the password. */
char *cluster_conninfo(const Cluster *cluster, Arena *arena, const char *dbname);
/* postgresql://... by loopback, without the password when it is not wanted. */
char *cluster_url(const Cluster *cluster, Arena *arena, const char *dbname, bool with_password);
