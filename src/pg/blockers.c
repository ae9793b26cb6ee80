#include "pg/blockers.h"

#include "base/buffer.h"
#include "base/str.h"
#include "sql_texts.h"

#define SQLSTATE_LOCK_NOT_AVAILABLE "55P03"
#define STATEMENT_WIDTH             100
#define HOLDERS_NAMED               3

/* ---- in words ---------------------------------------------------------------------------- */

const char *blocker_describe(Arena *arena, const Result *rows, size_t row)
{
    if (result_int64(rows, row, "pid") == 0)
        return "a prepared transaction (pg_prepared_xacts)";
    StrList facts;
    str_list_init(&facts, arena);
    const char *application = result_text(rows, row, "application");
    const char *user = result_text(rows, row, "user"), *state = result_text(rows, row, "state");
    const char *query = result_text(rows, row, "query");
    if (!str_empty(application))
        str_list_add(&facts, application);
    if (!str_empty(user))
        str_list_addf(&facts, "user %s", user);
    if (!str_empty(state))
        str_list_add(&facts, state);
    if (!result_is_null(rows, row, "age_s"))
        str_list_addf(&facts, "for %s",
                      str_duration(arena, 1000 * result_double(rows, row, "age_s")));
    return arena_printf(arena, "process %s (%s)%s%s", result_text(rows, row, "pid"),
                        str_list_join(&facts, arena, ", "), str_empty(query) ? "" : ": ",
                        str_empty(query) ? "" : str_one_line(arena, query, STATEMENT_WIDTH));
}

bool error_is_lock_timeout(const Error *err)
{
    return str_equal(err->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE);
}

void error_mark_lock_timeout(Error *err)
{
    (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", SQLSTATE_LOCK_NOT_AVAILABLE);
}

static const char *describe_holders(Arena *arena, const Result *rows)
{
    StrList texts;
    str_list_init(&texts, arena);
    size_t count = result_rows(rows);
    for (size_t i = 0; i < count && i < HOLDERS_NAMED; i++) {
        const char *relation = result_text(rows, i, "relation");
        const char *process = blocker_describe(arena, rows, i);
        if (!relation)
            str_list_addf(&texts, "which waits for %s", process);
        else
            str_list_addf(&texts, "%s %s %s", relation,
                          result_bool(rows, i, "granted") ? "is locked by" : "is to be locked by",
                          process);
    }
    if (count > HOLDERS_NAMED)
        str_list_addf(&texts, "and %zu more", count - HOLDERS_NAMED);
    return str_list_join(&texts, arena, "\n    ");
}

/* Where a table of the catalogue is locked, this waits too. */
static bool ask_holders(Session *session, LockPurpose purpose, Result **rows, Error *err)
{
    const char *params[] = {purpose == LOCK_TO_WRITE ? "true" : "false"};
    bool done = session_execute(session, "BEGIN READ ONLY; SET LOCAL lock_timeout = 1000", err) &&
                session_query_params(session, sql_lock_holders, 1, params, rows, err);
    Error ignored = {0};
    if (!session_is_lost(session) && session_in_transaction(session))
        (void)!session_execute(session, "ROLLBACK", &ignored);
    return done;
}

bool lock_timeout_explain(Session *session, LockPurpose purpose, Error *err)
{
    bool explained = err->hint[0] != '\0'; /* the server gives none */
    if (!error_is_lock_timeout(err) || explained || session_is_lost(session))
        return false;
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_result_ Result *rows = NULL;
    Error asking = {0};
    bool asked = ask_holders(session, purpose, &rows, &asking);
    size_t count = asked ? result_rows(rows) : 0;
    const char *first = count ? result_text(rows, 0, "pid") : "0";
    if (!asked)
        (void)error_set(err, ERR_FAILED,
                        "a lock was not granted in time, and who holds it cannot be told: %s%s",
                        error_is_lock_timeout(&asking) ? "the catalogue itself is locked; " : "",
                        asking.message);
    else if (count == 0)
        (void)error_set(err, ERR_FAILED,
                        "a lock was not granted in time, and whoever held it is gone");
    else
        (void)error_set(err, ERR_FAILED, "a lock was not granted in time:\n    %s",
                        describe_holders(arena, rows));
    error_mark_lock_timeout(err);
    if (str_equal(first, "0"))
        return error_hint(err, "run the command again; `vaxdb monitor locks` shows who waits");
    return error_hint(err,
                      "run the command again when that has ended; to end it: "
                      "SELECT pg_terminate_backend(%s)",
                      first);
}

/* ---- reading ----------------------------------------------------------------------------- */

bool read_session_begin(Session *session, Error *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "SET lock_timeout = %d", READ_LOCK_TIMEOUT_MS);
    return session_execute(session, sql, err);
}

bool read_transaction_begin(Session *session, const char *settings, Error *err)
{
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_LINE);
    (void)buffer_printf(&sql,
                        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                        "SET LOCAL lock_timeout = %d; %s",
                        READ_LOCK_TIMEOUT_MS, settings ? settings : "");
    return session_execute(session, sql.data, err);
}

bool read_transaction_end(Session *session, bool done, Error *err)
{
    Error ignored = {0};
    if (!session_is_lost(session) && session_in_transaction(session) &&
        !session_execute(session, done ? "COMMIT" : "ROLLBACK", done ? err : &ignored))
        return false;
    return done || lock_timeout_explain(session, LOCK_TO_READ, err);
}
