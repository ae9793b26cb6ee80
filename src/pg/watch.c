#include "pg/watch.h"

#include "sql_texts.h"

#include <stdio.h>

static bool set_session(Session *session, int64_t lock_ms, int64_t statement_ms, bool read_only,
                        Error *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SET lock_timeout = %lld; SET statement_timeout = %lld;"
                   " SET default_transaction_read_only = %s; SET search_path = pg_catalog",
                   (long long)lock_ms, (long long)statement_ms, read_only ? "on" : "off");
    return session_execute(session, sql, err);
}

bool watch_begin(Session *session, Error *err)
{
    return set_session(session, WATCH_LOCK_TIMEOUT_MS, WATCH_STATEMENT_TIMEOUT_MS, true, err);
}

bool watch_end(Session *session, int64_t lock_timeout_ms, int64_t statement_timeout_ms, Error *err)
{
    return set_session(session, lock_timeout_ms, statement_timeout_ms, false, err);
}

bool watch_sees_others(Session *session, bool *sees, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_watch_privileges, &rows, err))
        return error_context(err, "asking for the role's privileges");
    *sees = result_bool(rows, 0, "sees_others");
    return true;
}
