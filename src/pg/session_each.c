#include "pg/session_internal.h"

/* One result; what comes after a failure is not taken. */
static void take(Session *session, PGresult *result, ResultFunction function, void *data,
                 bool *failed, Error *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (*failed)
        return;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        session->completed++;
        if (status == PGRES_TUPLES_OK)
            function(data, result);
        return;
    }
    *failed = true;
    (void)session_fail(session, result, err);
}

bool session_query_each(Session *session, const char *sql, ResultFunction function, void *data,
                        Error *err)
{
    if (!PQsendQuery(session->conn, sql))
        return session_fail(session, NULL, err);
    session_note_sent(session);
    if (!session_flush(session, err))
        return false;
    bool failed = false;
    for (;;) {
        while (PQisBusy(session->conn)) {
            if (!session_wait(session, false, err))
                return false;
        }
        PGresult *result = PQgetResult(session->conn);
        if (!result)
            break;
        take(session, result, function, data, &failed, err);
        PQclear(result);
        if (PQstatus(session->conn) == CONNECTION_BAD)
            break;
    }
    if (!failed && PQstatus(session->conn) == CONNECTION_BAD)
        return session_fail(session, NULL, err);
    return !failed;
}
