/* The private PostgreSQL of `vaxdb dev`: one cluster in STATE/cluster with a database for each
 * environment. In vaxdb.ini the URL "private" stands for it. */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "conf/config.h"
#include "pg/cluster.h"

#define PRIVATE_CLUSTER_URL "private"

/* Where it is; starts and makes nothing. */
bool private_cluster_open(Arena *arena, const Config *config, Cluster *cluster,
                          Error *err) MUST_CHECK;
/* Runs it, and makes the four databases that are missing. */
bool private_cluster_start(Arena *arena, Log *log, Cluster *cluster, Error *err) MUST_CHECK;
/* "vaxtrace_development" */
char *private_cluster_database(Arena *arena, EnvKind env);
/* Writes a vaxdb.ini that names the four databases into the working directory, unless there is one
 * or another configuration is in force. *path is what was written, NULL when nothing. */
bool private_cluster_write_config(Arena *arena, const Config *config, const char **path,
                                  Error *err) MUST_CHECK;
