/* The session that leads a backup: it holds the lock of the database, locks every table, and
 * exports the snapshot that pg_dump and the copying sessions use.
 *
 * Tables are locked before the snapshot is taken: a TRUNCATE or rewrite between the two would read
 * as an empty table later. */
#pragma once

#include "backup/manifest.h"
#include "base/log.h"
#include "pg/session.h"

typedef struct {
    Session *session;
    Log *log;
    const char *snapshot; /* for pg_dump --snapshot= and SET TRANSACTION SNAPSHOT */
} BackupLeader;

/* Opens it and takes the lock: another backup of the same database is ERR_REFUSED. */
bool backup_leader_open(Log *log, const char *conninfo, const char *dbname, BackupLeader *leader,
                        Error *err) MUST_CHECK;
/* Takes locks and snapshot, or says who keeps it from them; while it waits nobody else waits for it
 * longer than 2 s; fills what the manifest says of server, database, tables (rows not
 * yet), indexes and extensions. May be called again for a new snapshot. */
bool backup_leader_begin(Arena *arena, BackupLeader *leader, Manifest *manifest,
                         Error *err) MUST_CHECK;
void backup_leader_close(BackupLeader *leader);

/* A session of its own under the leader's snapshot, with the settings under which rows are copied.
 */
bool backup_join_snapshot(const char *conninfo, const char *dbname, const char *snapshot,
                          Session **session, Error *err) MUST_CHECK;
/* Are there any? */
bool backup_has_large_objects(Session *leader, bool *has, Error *err) MUST_CHECK;
