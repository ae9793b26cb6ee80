#include "monitor/monitor.h"

#include "base/str.h"
#include "pg/watch.h"
#include "sql_texts.h"

static bool read_counts(Session *session, Connections *connections, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_monitor_connections, &rows, err))
        return error_context(err, "counting connections");
    *connections = (Connections){
        .total = result_int64(rows, 0, "total"),
        .active = result_int64(rows, 0, "active"),
        .idle = result_int64(rows, 0, "idle"),
        .idle_in_transaction = result_int64(rows, 0, "idle_in_transaction"),
        .idle_in_failed_transaction = result_int64(rows, 0, "idle_in_failed_transaction"),
        .unknown = result_int64(rows, 0, "unknown"),
        .waiting_for_locks = result_int64(rows, 0, "waiting_for_locks"),
        .server_total = result_int64(rows, 0, "server_total"),
        .max_connections = result_int64(rows, 0, "max_connections"),
    };
    connections->usable = connections->max_connections - result_int64(rows, 0, "reserved");
    return true;
}

static bool read_applications(Session *session, Arena *arena, Connections *connections, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_monitor_applications, &rows, err))
        return error_context(err, "reading whose connections they are");
    connections->application_count = result_rows(rows);
    connections->applications =
        arena_array(arena, connections->application_count, sizeof(*connections->applications));
    for (size_t row = 0; row < connections->application_count; row++) {
        connections->applications[row] = (ApplicationConnections){
            .role = arena_strdup(arena, result_text(rows, row, "role_name")),
            .application = arena_strdup(arena, result_text(rows, row, "application")),
            .total = result_int64(rows, row, "total"),
            .active = result_int64(rows, row, "active"),
            .idle = result_int64(rows, row, "idle"),
            .idle_in_transaction = result_int64(rows, row, "idle_in_transaction"),
            .longest_idle_seconds = result_double(rows, row, "longest_idle_seconds"),
        };
    }
    return true;
}

static bool read_sessions(Session *session, Arena *arena, double long_seconds, double idle_seconds,
                          Connections *connections, Error *err)
{
    const char *params[] = {arena_printf(arena, "%.3f", long_seconds),
                            arena_printf(arena, "%.3f", idle_seconds)};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_monitor_sessions, 2, params, &rows, err))
        return error_context(err, "looking for long-running statements");
    connections->session_count = result_rows(rows);
    connections->sessions =
        arena_array(arena, connections->session_count, sizeof(*connections->sessions));
    for (size_t row = 0; row < connections->session_count; row++) {
        connections->sessions[row] = (BusySession){
            .pid = result_int64(rows, row, "pid"),
            .role = arena_strdup(arena, result_text(rows, row, "role_name")),
            .application = arena_strdup(arena, result_text(rows, row, "application")),
            .client = arena_strdup(arena, result_text(rows, row, "client")),
            .state = arena_strdup(arena, result_text(rows, row, "state")),
            .waits_for = arena_strdup(arena, result_text(rows, row, "waits_for")),
            .query = arena_strdup(arena, result_text(rows, row, "query")),
            .seconds = result_double(rows, row, "seconds"),
            .transaction_seconds = result_double(rows, row, "transaction_seconds"),
        };
    }
    return true;
}

bool monitor_connections(Session *session, Arena *arena, double long_seconds, double idle_seconds,
                         Connections *connections, Error *err)
{
    return read_counts(session, connections, err) &&
           read_applications(session, arena, connections, err) &&
           read_sessions(session, arena, long_seconds, idle_seconds, connections, err) &&
           watch_sees_others(session, &connections->sees_others, err);
}

bool monitor_session_is_idle(const BusySession *session)
{
    return str_starts(session->state, "idle in transaction");
}
