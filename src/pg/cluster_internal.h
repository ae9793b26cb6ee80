/* What cluster.c, cluster_start.c and cluster_settings.c share; nobody else includes it. */
#pragma once

#include "base/buffer.h"
#include "pg/cluster.h"

/* Makes path belong to the cluster's user, when we are root. */
bool cluster_give(const Cluster *cluster, const char *path, Error *err) MUST_CHECK;
/* Writes data/vaxdb.conf for this machine, port and socket. */
bool cluster_write_settings(const Cluster *cluster, Error *err) MUST_CHECK;
/* The process in postmaster.pid when it is alive and a postgres; else 0. */
pid_t cluster_postmaster(const Cluster *cluster);
/* Major of the data; 0 when unknown. */
int cluster_data_major(const Cluster *cluster);
/* Runs one of the server's programs as the cluster's user; outlives_us: it starts the server. */
bool cluster_run(const Cluster *cluster, const char *const *argv, bool outlives_us,
                 Error *err) MUST_CHECK;
