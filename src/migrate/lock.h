/* One migration run at a time, by two advisory locks of the database.
 *
 * The first is held by a connection that does nothing else and is idle outside transactions: it is
 * polled for with pg_try_advisory_lock, because a waiter inside pg_advisory_lock holds a snapshot
 * and would deadlock with CREATE INDEX CONCURRENTLY. The second is held by the connection that does
 * the work: when a run is killed, its statement may go on in the server while the first lock is
 * free already, and the next run must wait for it. */
#pragma once

#include "base/log.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { LOCK_RUN = 0x76617864, LOCK_WORK = 0x76617877 } LockClass;

typedef struct {
    LockClass class;
    int32_t key; /* of the ledger: runs with another ledger are none of ours */
} MigrateLock;

MigrateLock migrate_lock(LockClass class, const char *ledger_table);
/* Polls up to wait_ms, telling log for whom it waits. Not obtained is ERR_REFUSED naming the
 * holder; a lock that a pooler gave to another connection, or that its connection had already, is
 * ERR_USAGE ("connect directly"). */
bool migrate_lock_take(Session *session, MigrateLock lock, int64_t wait_ms, Log *log,
                       Error *err) MUST_CHECK;
/* Who holds it, in words; NULL when nobody does. */
bool migrate_lock_describe(Arena *arena, Session *session, MigrateLock lock, const char **holder,
                           Error *err) MUST_CHECK;
/* For session_check_pooler. */
#define MIGRATE_PURPOSE "migrations"
