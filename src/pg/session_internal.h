/* What session.c, session_copy.c and result.c share; nobody else includes it. */
#pragma once

#include "pg/session.h"

#include <libpq-fe.h>

struct Session {
    PGconn *conn;
    Log *log;
    WaitFunction waiting;
    void *waiting_data;
    int64_t waiting_interval_ms, waiting_due_ms;
    int64_t sent_ms; /* when the statement that runs was sent; known where somebody is told */
    bool in_copy;
    size_t completed; /* statements of the last message that ended well */
    bool committed;   /* one of them was a COMMIT */
};

/* Fills err from a failed result, or from the connection where result is NULL. Returns false. */
bool session_fail(const Session *session, const PGresult *result, Error *err);
/* A statement is about to be sent. */
void session_note_sent(Session *session);
/* Waits until the socket can be read (and, with for_write, or written). False with ERR_INTERRUPTED
 * after cancelling the statement on the server, or with ERR_UNREACHABLE. */
bool session_wait(Session *session, bool for_write, Error *err) MUST_CHECK;
/* Cancels what runs and reads what is left of its answer, for a few seconds. */
void session_cancel(Session *session);
/* Sends what libpq has queued. */
bool session_flush(Session *session, Error *err) MUST_CHECK;
/* Reads to the end of the running command. *last (may be NULL) is the last result, owned by the
 * caller; on failure none. */
bool session_finish(Session *session, PGresult **last, Error *err) MUST_CHECK;
