#include "pg/session_internal.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

bool session_copy_begin(Session *session, const char *sql, Error *err)
{
    assert(!session->in_copy);
    if (!PQsendQuery(session->conn, sql))
        return session_fail(session, NULL, err);
    session_note_sent(session);
    if (!session_flush(session, err))
        return false;
    while (PQisBusy(session->conn)) {
        if (!session_wait(session, false, err))
            return false;
    }
    PGresult *result = PQgetResult(session->conn);
    bool copying = PQresultStatus(result) == PGRES_COPY_IN;
    if (!copying) {
        bool failed = PQresultStatus(result) == PGRES_FATAL_ERROR || !result;
        if (failed)
            (void)session_fail(session, result, err);
        else
            (void)error_set(err, ERR_FAILED, "not a COPY ... FROM STDIN: %s", sql);
        Error ignored = {0};
        (void)!session_finish(session, NULL, &ignored);
    }
    PQclear(result);
    session->in_copy = copying;
    return copying;
}

/* The server ended the COPY early: its reason waits to be read. */
static bool copy_failed(Session *session, Error *err)
{
    session->in_copy = false;
    if (PQputCopyEnd(session->conn, "the client stopped") < 0)
        return session_fail(session, NULL, err);
    if (!session_flush(session, err) || !session_finish(session, NULL, err))
        return false;
    return error_set(err, ERR_FAILED, "COPY ended early");
}

bool session_copy_data(Session *session, const void *data, size_t length, Error *err)
{
    assert(session->in_copy && length <= INT_MAX);
    if (PQputCopyData(session->conn, data, (int)length) != 1)
        return copy_failed(session, err);
    /* libpq would queue without limit: send before the next piece. An error of the server arrives
     * while we send, and ends the COPY. */
    for (;;) {
        int pending = PQflush(session->conn);
        if (pending < 0)
            return copy_failed(session, err);
        if (pending == 0)
            return true;
        if (!session_wait(session, true, err)) {
            session->in_copy = false;
            return false;
        }
    }
}

bool session_copy_end(Session *session, int64_t *rows, Error *err)
{
    assert(session->in_copy);
    session->in_copy = false;
    if (PQputCopyEnd(session->conn, NULL) < 0)
        return session_fail(session, NULL, err);
    _cleanup_result_ Result *result = NULL;
    if (!session_flush(session, err) || !session_finish(session, &result, err))
        return false;
    if (rows)
        *rows = result_affected(result);
    return true;
}

void session_copy_abort(Session *session, const char *reason)
{
    if (!session->in_copy)
        return;
    session->in_copy = false;
    Error ignored = {0};
    if (PQputCopyEnd(session->conn, reason) >= 0 && session_flush(session, &ignored))
        (void)!session_finish(session, NULL, &ignored);
}

/* ---- COPY TO --------------------------------------------------------------------------------- */

typedef struct {
    CopyRowFunction function;
    void *data;
    int64_t taken; /* rows */
    bool stopped;  /* the function, or we, want no more */
    bool binary;
    bool begun; /* of binary: its header was there */
    bool ended; /* and its trailer */
} CopyOut;

/* The signature, no flags, no extension of the header. */
static const char BINARY_HEADER[19] = "PGCOPY\n\377\r\n";

/* The header comes with the first row, or with the trailer of none. */
static bool take_message(CopyOut *copy, const char *row, size_t length, Error *err)
{
    if (copy->binary && !copy->begun) {
        copy->begun = length >= sizeof(BINARY_HEADER) &&
                      memcmp(row, BINARY_HEADER, sizeof(BINARY_HEADER)) == 0;
        if (!copy->begun)
            return error_set(err, ERR_FAILED, "the server's binary rows begin in an unknown way");
        row += sizeof(BINARY_HEADER);
        length -= sizeof(BINARY_HEADER);
        if (!length)
            return true;
    }
    if (copy->ended)
        return error_set(err, ERR_FAILED, "the server's binary rows go on behind their end");
    copy->ended = copy->binary && length == 2 && memcmp(row, "\377\377", 2) == 0;
    if (copy->ended)
        return true;
    copy->taken++;
    return copy->function(copy->data, row, length, err);
}

/* Takes rows until the end of the COPY. */
static bool take_rows(Session *session, CopyOut *copy, Error *err)
{
    for (;;) {
        char *row = NULL;
        int length = PQgetCopyData(session->conn, &row, true);
        if (length == -1)
            return true;
        if (length == -2)
            return session_fail(session, NULL, err);
        if (length == 0) {
            if (!session_wait(session, false, err))
                return false;
            continue;
        }
        copy->stopped = !take_message(copy, row, (size_t)length, err);
        PQfreemem(row);
        if (copy->stopped)
            return false;
    }
}

bool session_copy_out(Session *session, const char *sql, CopyRowFunction function, void *data,
                      Error *err)
{
    assert(!session->in_copy);
    if (!PQsendQuery(session->conn, sql))
        return session_fail(session, NULL, err);
    session_note_sent(session);
    if (!session_flush(session, err))
        return false;
    while (PQisBusy(session->conn)) {
        if (!session_wait(session, false, err))
            return false;
    }
    PGresult *first = PQgetResult(session->conn);
    if (PQresultStatus(first) != PGRES_COPY_OUT) {
        bool failed = PQresultStatus(first) == PGRES_FATAL_ERROR || !first;
        if (failed)
            (void)session_fail(session, first, err);
        else
            (void)error_set(err, ERR_FAILED, "not a COPY ... TO STDOUT: %s", sql);
        PQclear(first);
        Error ignored = {0};
        (void)!session_finish(session, NULL, &ignored);
        return false;
    }
    CopyOut copy = {.function = function, .data = data, .binary = PQbinaryTuples(first)};
    PQclear(first);
    if (!take_rows(session, &copy, err)) {
        if (copy.stopped)
            session_cancel(session);
        return false;
    }
    _cleanup_result_ Result *last = NULL;
    if (!session_finish(session, &last, err))
        return false;
    if (copy.binary && !copy.ended)
        return error_set(err, ERR_FAILED, "the server's binary rows have no end");
    return result_affected(last) == copy.taken ||
           error_set(err, ERR_FAILED, "the server copied %lld rows, and %lld arrived",
                     (long long)result_affected(last), (long long)copy.taken);
}
