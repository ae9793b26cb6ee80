#include "pg/session_internal.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "sql_texts.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#define CONNECT_TIMEOUT_MS ((int64_t)15000)
#define CONNECT_ATTEMPTS   3
#define BACKOFF_FIRST_MS   1000
#define POLL_SLICE_MS      200
#define CANCEL_PATIENCE_MS 10000

#define SQLSTATE_SYNTAX_ERROR "42601"

/* ---- connecting -------------------------------------------------------------------------- */

static void on_notice(void *data, const PGresult *notice)
{
    const Session *session = data;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (!severity || !message)
        return;
    if (session->log)
        log_debug(session->log, "%s: %s", severity, message);
}

/* A malformed conninfo is the user's slip, not the server's. A plain word is a database's name. */
static bool check_conninfo(const char *conninfo, Error *err)
{
    bool is_string = strchr(conninfo, '=') || strstr(conninfo, "://");
    if (!is_string)
        return true;
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &reason);
    if (options) {
        PQconninfoFree(options);
        return true;
    }
    _cleanup_arena_ Arena *arena = arena_create();
    (void)error_set(err, ERR_USAGE, "the connection string is not valid: %s",
                    reason ? str_trim(arena_strdup(arena, reason)) : "out of memory");
    PQfreemem(reason);
    return error_hint(err, "write postgresql://user@host:5432/dbname, or host=... dbname=...; "
                           "special characters in a URL are written %%40 and the like");
}

static PGconn *connect_begin(const SessionOptions *options)
{
    const char *application = options->application_name ? options->application_name : "vaxdb";
    /* The conninfo may override what stands before it and not what stands behind it. A network that
     * is cut must be noticed within two minutes, not after the kernel's two hours. */
    const char *keywords[] = {"keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "dbname",
                              "application_name",
                              "client_encoding",
                              "dbname",
                              NULL};
    const char *values[] = {
        "30", "10", "3", "60000", options->conninfo, application, "UTF8", options->dbname, NULL};
    if (!options->dbname)
        keywords[7] = NULL;
    return PQconnectStartParams(keywords, values, 1);
}

static bool connect_wait(PGconn *conn, PostgresPollingStatusType want, int64_t until_ms, Error *err)
{
    for (;;) {
        struct pollfd wait = {.fd = PQsocket(conn),
                              .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int ready = poll(&wait, 1, POLL_SLICE_MS);
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERR_UNREACHABLE, errno, "cannot wait for the server");
        if (!interrupt_check(err))
            return false;
        if (ready > 0)
            return true;
        if (clock_monotonic_ms() > until_ms)
            return error_set(err, ERR_UNREACHABLE, "the server did not answer in time (timeout)");
    }
}

/* libpq ends its messages with a newline. */
static const char *connection_message(const PGconn *conn, Arena *arena)
{
    return str_trim(arena_strdup(arena, PQerrorMessage(conn)));
}

static bool connect_once(const SessionOptions *options, PGconn **connected, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    PGconn *conn = connect_begin(options);
    if (!conn)
        return error_set(err, ERR_FAILED, "out of memory");
    int64_t timeout_ms =
        options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    if (PQstatus(conn) == CONNECTION_BAD)
        state = PGRES_POLLING_FAILED;
    while (state == PGRES_POLLING_WRITING || state == PGRES_POLLING_READING) {
        if (!connect_wait(conn, state, until_ms, err)) {
            PQfinish(conn);
            return false;
        }
        state = PQconnectPoll(conn);
    }
    if (state == PGRES_POLLING_OK) {
        *connected = conn;
        return true;
    }
    (void)error_set(err, ERR_UNREACHABLE, "%s", connection_message(conn, arena));
    PQfinish(conn);
    return false;
}

/* Only what time can mend: a server that is not up yet or full, a network that is slow. */
static bool is_transient(const Error *err)
{
    static const char *const signs[] = {"Connection refused",
                                        "timeout",
                                        "starting up",
                                        "too many",
                                        "No such file or directory",
                                        "closed the connection",
                                        "remaining connection slots",
                                        "shutting down",
                                        "recovery mode"};
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (err->code == ERR_UNREACHABLE && strstr(err->message, signs[i]))
            return true;
    }
    return false;
}

static bool set_timeouts(Session *session, const SessionOptions *options, Error *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "SET statement_timeout = %lld; SET lock_timeout = %lld",
                   (long long)options->statement_timeout_ms, (long long)options->lock_timeout_ms);
    return session_execute(session, sql, err);
}

static bool connect_with_retries(const SessionOptions *options, PGconn **conn, Error *err)
{
    int attempts = options->attempts ? options->attempts : CONNECT_ATTEMPTS;
    int64_t delay_ms = BACKOFF_FIRST_MS;
    for (int attempt = 1;; attempt++) {
        if (connect_once(options, conn, err))
            return true;
        if (err->code == ERR_INTERRUPTED || attempt >= attempts || !is_transient(err))
            return false;
        int64_t wait_ms = clock_jittered_ms(delay_ms);
        if (options->log)
            log_info(options->log, "cannot connect yet, trying again in %.1f s (%d of %d): %.*s",
                     (double)wait_ms / 1000, attempt + 1, attempts,
                     (int)strcspn(err->message, "\n"), err->message);
        if (!clock_sleep_ms(wait_ms))
            return interrupt_check(err);
        delay_ms *= 2;
    }
}

bool session_open(const SessionOptions *options, Session **session, Error *err)
{
    PGconn *conn = NULL;
    if (!check_conninfo(options->conninfo, err))
        return false;
    if (!connect_with_retries(options, &conn, err)) {
        if (err->code == ERR_UNREACHABLE && !err->hint[0])
            (void)error_hint(err, "does the server run, and is this its address? "
                                  "(`vaxdb config show`)");
        return false;
    }
    Session *opened = calloc(1, sizeof(*opened));
    if (!opened) {
        PQfinish(conn);
        return error_set(err, ERR_FAILED, "out of memory");
    }
    opened->conn = conn;
    opened->log = options->log;
    (void)PQsetNoticeReceiver(conn, on_notice, opened);
    bool ready = PQsetnonblocking(conn, 1) == 0 || session_fail(opened, NULL, err);
    if (!ready || !set_timeouts(opened, options, err)) {
        session_close(opened);
        return false;
    }
    *session = opened;
    return true;
}

void session_close(Session *session)
{
    if (!session)
        return;
    PQfinish(session->conn);
    free(session);
}

void session_on_wait(Session *session, int64_t interval_ms, WaitFunction function, void *data)
{
    session->waiting = function;
    session->waiting_data = data;
    session->waiting_interval_ms = interval_ms;
    session_note_sent(session);
}

/* ---- errors ------------------------------------------------------------------------------ */

bool session_fail(const Session *session, const PGresult *result, Error *err)
{
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(session->conn) == CONNECTION_BAD;
    if (!message) {
        _cleanup_arena_ Arena *arena = arena_create();
        const char *text = connection_message(session->conn, arena);
        (void)error_set(err, lost ? ERR_UNREACHABLE : ERR_FAILED, "%s",
                        *text ? text : "the connection to the server was lost");
        if (lost)
            (void)error_hint(err, "%s",
                             strstr(text, "query_wait_timeout")
                                 ? "the pooler had no server connection left: connect directly to "
                                   "the server (its own host and port, usually 5432)"
                                 : "look into the server's log, then run the command again");
        return false;
    }
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *where = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    (void)error_set(err, lost ? ERR_UNREACHABLE : ERR_FAILED, "%s%s%s%s%s", message,
                    detail ? "\n  detail: " : "", detail ? detail : "", where ? "\n  in: " : "",
                    where ? where : "");
    if (hint)
        (void)error_hint(err, "%s", hint);
    if (sqlstate)
        (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    int64_t at = 0;
    if (position && str_to_int64(position, 0, INT32_MAX, &at))
        err->position = (int)at;
    return false;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static void cancel_on_server(const Session *session)
{
    PGcancel *cancel = PQgetCancel(session->conn);
    if (!cancel)
        return;
    char reason[256];
    (void)PQcancel(cancel, reason, sizeof(reason));
    PQfreeCancel(cancel);
}

/* Rows of a COPY that nobody wants any more; false when more of them are still to come. */
static bool discard_rows(Session *session)
{
    char *row = NULL;
    int length = 0;
    while ((length = PQgetCopyData(session->conn, &row, true)) > 0)
        PQfreemem(row);
    return length < 0;
}

/* After a cancel the server answers soon; its answer must be read so that nothing of it remains. */
static void drain_cancelled(Session *session)
{
    int64_t until_ms = clock_monotonic_ms() + CANCEL_PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms && PQstatus(session->conn) == CONNECTION_OK) {
        while (!PQisBusy(session->conn)) {
            PGresult *result = PQgetResult(session->conn);
            if (!result)
                return;
            ExecStatusType status = PQresultStatus(result);
            PQclear(result);
            if (status == PGRES_COPY_IN && PQputCopyEnd(session->conn, "interrupted") < 0)
                return;
            if (status == PGRES_COPY_OUT && !discard_rows(session))
                break;
        }
        (void)PQflush(session->conn);
        struct pollfd wait = {.fd = PQsocket(session->conn), .events = POLLIN};
        (void)poll(&wait, 1, POLL_SLICE_MS);
        if (!PQconsumeInput(session->conn))
            return;
    }
}

void session_cancel(Session *session)
{
    cancel_on_server(session);
    if (session->in_copy)
        (void)PQputCopyEnd(session->conn, "interrupted");
    session->in_copy = false;
    drain_cancelled(session);
}

static bool stop_interrupted(Session *session, Error *err)
{
    session_cancel(session);
    return error_set(err, ERR_INTERRUPTED,
                     "interrupted; the statement was cancelled on the server");
}

void session_note_sent(Session *session)
{
    session->completed = 0;
    session->committed = false;
    if (!session->waiting)
        return;
    session->sent_ms = clock_monotonic_ms();
    session->waiting_due_ms = session->sent_ms + session->waiting_interval_ms;
}

/* How long to poll at most: till Ctrl-C is looked for again, or somebody is to be told. */
static int poll_slice_ms(Session *session)
{
    if (!session->waiting)
        return POLL_SLICE_MS;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= session->waiting_due_ms) {
        session->waiting(session->waiting_data, now_ms - session->sent_ms);
        now_ms = clock_monotonic_ms();
        session->waiting_due_ms = now_ms + session->waiting_interval_ms;
    }
    int64_t left_ms = session->waiting_due_ms - now_ms;
    return left_ms < POLL_SLICE_MS ? (int)left_ms : POLL_SLICE_MS;
}

bool session_wait(Session *session, bool for_write, Error *err)
{
    for (;;) {
        int slice_ms = poll_slice_ms(session);
        if (interrupt_pending())
            return stop_interrupted(session, err);
        struct pollfd wait = {.fd = PQsocket(session->conn),
                              .events = (short)(POLLIN | (for_write ? POLLOUT : 0))};
        if (wait.fd < 0)
            return session_fail(session, NULL, err);
        int ready = poll(&wait, 1, slice_ms);
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERR_UNREACHABLE, errno, "cannot wait for the server");
        if (ready <= 0)
            continue;
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) && !PQconsumeInput(session->conn))
            return session_fail(session, NULL, err);
        return true;
    }
}

bool session_flush(Session *session, Error *err)
{
    for (;;) {
        int pending = PQflush(session->conn);
        if (pending == 0)
            return true;
        if (pending < 0)
            return session_fail(session, NULL, err);
        if (!session_wait(session, true, err))
            return false;
    }
}

/* Keeps the first failure: what follows it is its echo. */
static void note_failure(const Session *session, const PGresult *result, bool *failed, Error *err)
{
    if (*failed)
        return;
    *failed = true;
    (void)session_fail(session, result, err);
}

/* The COMMIT of a failed transaction answers ROLLBACK. */
static void note_success(Session *session, PGresult *result)
{
    session->completed++;
    if (str_equal(PQcmdStatus(result), "COMMIT"))
        session->committed = true;
}

bool session_finish(Session *session, PGresult **last, Error *err)
{
    bool failed = false;
    PGresult *kept = NULL;
    for (;;) {
        while (PQisBusy(session->conn)) {
            if (!session_wait(session, false, err)) {
                PQclear(kept);
                return false;
            }
        }
        PGresult *result = PQgetResult(session->conn);
        if (!result)
            break;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
            status == PGRES_NONFATAL_ERROR)
            note_failure(session, result, &failed, err);
        else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            note_success(session, result);
        if (status == PGRES_COPY_IN)
            (void)PQputCopyEnd(session->conn, "no data for this COPY");
        PQclear(kept);
        kept = result;
        if (PQstatus(session->conn) == CONNECTION_BAD)
            break;
    }
    if (!failed && PQstatus(session->conn) == CONNECTION_BAD)
        note_failure(session, NULL, &failed, err);
    if (failed || !last) {
        PQclear(kept);
        return !failed;
    }
    *last = kept;
    return true;
}

/* ---- statements -------------------------------------------------------------------------- */

static bool sent(Session *session, int libpq_result, Error *err)
{
    assert(!session->in_copy);
    if (!libpq_result)
        return session_fail(session, NULL, err);
    session_note_sent(session);
    return session_flush(session, err);
}

bool session_query_params(Session *session, const char *sql, size_t count,
                          const char *const *params, Result **rows, Error *err)
{
    return sent(session,
                PQsendQueryParams(session->conn, sql, (int)count, NULL, params, NULL, NULL, 0),
                err) &&
           session_finish(session, rows, err);
}

bool session_query(Session *session, const char *sql, Result **rows, Error *err)
{
    return session_query_params(session, sql, 0, NULL, rows, err);
}

bool session_execute(Session *session, const char *sql, Error *err)
{
    return sent(session, PQsendQuery(session->conn, sql), err) &&
           session_finish(session, NULL, err);
}

size_t session_completed(const Session *session)
{
    return session->completed;
}

bool session_committed(const Session *session)
{
    return session->committed;
}

bool session_execute_params(Session *session, const char *sql, size_t count,
                            const char *const *params, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    return session_query_params(session, sql, count, params, &rows, err);
}

bool session_check_syntax(Session *session, const char *sql, Error *err)
{
    Error parse = {0};
    if (sent(session, PQsendPrepare(session->conn, "", sql, 0, NULL), &parse) &&
        session_finish(session, NULL, &parse))
        return true;
    if (parse.code == ERR_FAILED && !str_equal(parse.sqlstate, SQLSTATE_SYNTAX_ERROR))
        return true;
    *err = parse;
    return false;
}

bool session_scalar(Session *session, Arena *arena, const char *sql, const char **value, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql, &rows, err))
        return false;
    if (result_rows(rows) != 1 || result_columns(rows) != 1)
        return error_set(err, ERR_FAILED, "expected one value from: %s", sql);
    const char *text = result_cell(rows, 0, 0);
    *value = text ? arena_strdup(arena, text) : NULL;
    return true;
}

/* ---- what is on the other side ----------------------------------------------------------- */

int session_server_version(const Session *session)
{
    return PQserverVersion(session->conn);
}

bool session_identity(Session *session, Arena *arena, DatabaseIdentity *identity, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_server_identity, &rows, err))
        return error_context(err, "cannot tell which database this is");
    identity->system_identifier = arena_strdup(arena, result_text(rows, 0, "system_identifier"));
    identity->database = arena_strdup(arena, result_text(rows, 0, "database"));
    return true;
}

const char *session_database(const Session *session)
{
    return PQdb(session->conn);
}

int session_backend_pid(const Session *session)
{
    return PQbackendPID(session->conn);
}

bool session_in_transaction(const Session *session)
{
    PGTransactionStatusType status = PQtransactionStatus(session->conn);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

bool session_is_lost(const Session *session)
{
    return PQstatus(session->conn) == CONNECTION_BAD;
}

char *session_describe(const Session *session, Arena *arena)
{
    const PGconn *conn = session->conn;
    return arena_printf(arena, "host=%s port=%s dbname=%s user=%s", PQhost(conn), PQport(conn),
                        PQdb(conn), PQuser(conn));
}

const char *const *session_environment(const Session *session, Arena *arena)
{
    StrList list;
    str_list_init(&list, arena);
    PQconninfoOption *all = PQconninfo(session->conn);
    for (PQconninfoOption *option = all; option && option->keyword; option++) {
        bool wanted = option->envvar && option->val && *option->val &&
                      !str_equal(option->keyword, "application_name") &&
                      !str_equal(option->keyword, "client_encoding");
        if (wanted)
            str_list_addf(&list, "%s=%s", option->envvar, option->val);
    }
    PQconninfoFree(all);
    str_list_addf(&list, "PGAPPNAME=vaxdb");
    const char **environment = arena_array(arena, list.count + 1, sizeof(*environment));
    memcpy(environment, list.items, list.count * sizeof(*environment));
    return environment;
}
