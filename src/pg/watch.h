/* Sessions that only look: what index, monitor and checklist set on one before they ask.
 *
 * Looking must never hurt what is looked at: a query of ours waits for no lock longer than a
 * moment, ends by itself, changes nothing, and finds only pg_catalog on its search path, so that
 * nobody's function of the same name is called. */
#pragma once

#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

#define WATCH_LOCK_TIMEOUT_MS      1000
#define WATCH_STATEMENT_TIMEOUT_MS 15000

/* Timeouts above, read-only transactions, search_path of pg_catalog alone. */
bool watch_begin(Session *session, Error *err) MUST_CHECK;

/* For a session that changes something: both timeouts (0: none), read-write again; the search path
 * stays. */
bool watch_end(Session *session, int64_t lock_timeout_ms, int64_t statement_timeout_ms,
               Error *err) MUST_CHECK;

/* Does the session's role see what other roles do (pg_read_all_stats or superuser)? */
bool watch_sees_others(Session *session, bool *sees, Error *err) MUST_CHECK;
