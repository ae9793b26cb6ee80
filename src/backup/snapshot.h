/* The session that leads a backup: it holds the lock of the database, locks every table, exports
 * the snapshot that pg_dump uses, and counts rows under it.
 *
 * Tables are locked before the snapshot is taken: a TRUNCATE or rewrite between the two would read
 * as an empty table later. */
#pragma once

#include "backup/manifest.h"
#include "base/log.h"
#include "pg/session.h"

typedef struct {
    Session *session;
    const char *snapshot; /* for pg_dump --snapshot= */
} BackupLeader;

/* Opens it and takes the lock: another backup of the same database is ERR_REFUSED. */
bool backup_leader_open(Log *log, const char *conninfo, const char *dbname, BackupLeader *leader,
                        Error *err) MUST_CHECK;
/* Takes locks and snapshot; fills what the manifest says of server, database, tables (rows not
 * yet), indexes and extensions. May be called again for a new snapshot. */
bool backup_leader_begin(Arena *arena, BackupLeader *leader, Manifest *manifest,
                         Error *err) MUST_CHECK;
void backup_leader_close(BackupLeader *leader);

/* Counts the rows of every table of the manifest in threads of their own, the first with the
 * leader's session, so the leader must not be used until backup_count_join. */
typedef struct BackupCount BackupCount;

BackupCount *backup_count_start(Arena *arena, const BackupLeader *leader, const char *conninfo,
                                const char *dbname, Manifest *manifest, int jobs);
bool backup_count_failed(BackupCount *count); /* some thread has given up */
/* Waits for the end. With cancel no further table is begun. False with the first failure. */
bool backup_count_join(BackupCount *count, bool cancel, Error *err) MUST_CHECK;
