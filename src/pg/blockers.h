/* Who keeps a statement waiting for a lock, in words.
 *
 * Reading waits too: the server's deparsers (pg_get_viewdef, pg_get_constraintdef, pg_get_expr) and
 * pg_relation_size lock the tables they look at, so an open transaction with an ALTER TABLE in it
 * would hold up whoever asks for ever. What only reads waits READ_LOCK_TIMEOUT_MS at most and then
 * says for whom. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>

#define READ_LOCK_TIMEOUT_MS  5000
#define WRITE_LOCK_TIMEOUT_MS 10000 /* of the few rows that are written about a run */

/* "process 4711 (psql, user ann, idle in transaction, for 5 min 3 s): UPDATE stock SET ..." of a
 * row with pid, user, application, state, age_s and query. */
const char *blocker_describe(Arena *arena, const Result *rows, size_t row);

/* Was a lock not to be had in time? */
bool error_is_lock_timeout(const Error *err);
/* It was, though another program (pg_dump) met it. */
void error_mark_lock_timeout(Error *err);

typedef enum { LOCK_TO_READ, LOCK_TO_WRITE } LockPurpose;

/* Where err is a lock timeout of this session: makes it say who holds the lock, and what to do. The
 * session must be outside of a transaction. Returns false, for the end of a function that fails. */
bool lock_timeout_explain(Session *session, LockPurpose purpose, Error *err);

/* For a session that only reads: none of its statements waits longer. */
bool read_session_begin(Session *session, Error *err) MUST_CHECK;
/* One transaction that changes nothing, sees one moment, and waits for no lock for long; settings
 * (may be NULL) are statements of its own, "SET LOCAL ...;". */
bool read_transaction_begin(Session *session, const char *settings, Error *err) MUST_CHECK;
/* Ends it; done is what the reading returned, *err its error, which is then explained. */
bool read_transaction_end(Session *session, bool done, Error *err) MUST_CHECK;
