#include "monitor/monitor.h"

#include "base/str.h"
#include "sql_texts.h"

#include <assert.h>

static bool not_ready(const Result *rows, Error *err)
{
    bool is_loaded = result_bool(rows, 0, "is_loaded");
    if (!result_bool(rows, 0, "is_available")) {
        error_set(err, ERR_FAILED, "pg_stat_statements is not installed on this server");
        return error_hint(err,
                          "on Debian it is in the package postgresql-contrib; then set"
                          " shared_preload_libraries = 'pg_stat_statements', restart the server"
                          " and CREATE EXTENSION pg_stat_statements;");
    }
    if (!is_loaded) {
        error_set(err, ERR_FAILED, "pg_stat_statements is not loaded by the server");
        return error_hint(err, "as superuser: ALTER SYSTEM SET shared_preload_libraries ="
                               " 'pg_stat_statements'; (keep what is listed there), restart the"
                               " server, then CREATE EXTENSION IF NOT EXISTS pg_stat_statements;");
    }
    error_set(err, ERR_FAILED,
              "pg_stat_statements is loaded, but its extension is not in this"
              " database");
    return error_hint(err, "CREATE EXTENSION pg_stat_statements;");
}

bool monitor_statements_ready(Session *session, Arena *arena, const char **schema, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_monitor_statements, &rows, err))
        return error_context(err, "asking for pg_stat_statements");
    if (!result_bool(rows, 0, "is_loaded") || result_is_null(rows, 0, "schema_name"))
        return not_ready(rows, err);
    *schema = arena_strdup(arena, result_text(rows, 0, "schema_name"));
    return true;
}

static bool query_slow(Session *session, Arena *arena, int64_t min_calls, int64_t top,
                       Result **rows, Error *err)
{
    const char *params[] = {arena_printf(arena, "%lld", (long long)min_calls),
                            arena_printf(arena, "%lld", (long long)top)};
    return session_query_params(session, sql_monitor_slow, 2, params, rows, err);
}

bool monitor_slow(Session *session, Arena *arena, int64_t min_calls, int64_t top,
                  SlowQueries *queries, Error *err)
{
    assert(min_calls >= 0 && top >= 1);
    const char *schema = NULL;
    if (!monitor_statements_ready(session, arena, &schema, err))
        return false;
    const char *with_schema =
        arena_printf(arena, "SET search_path = pg_catalog, %s", sql_identifier(arena, schema));
    if (!session_execute(session, with_schema, err))
        return false;
    _cleanup_result_ Result *rows = NULL;
    bool asked = query_slow(session, arena, min_calls, top, &rows, err);
    Error ignored = {0};
    Error *reset_err = asked ? err : &ignored; /* The first error is the one to tell. */
    if (!session_execute(session, "SET search_path = pg_catalog", reset_err) || !asked)
        return error_context(err, "reading pg_stat_statements");
    queries->count = result_rows(rows);
    queries->items = arena_array(arena, queries->count, sizeof(*queries->items));
    for (size_t row = 0; row < queries->count; row++) {
        const char *query_id = result_text(rows, row, "query_id");
        queries->items[row] = (SlowQuery){
            .query = arena_strdup(arena, result_text(rows, row, "query")),
            .query_id = query_id ? arena_strdup(arena, query_id) : NULL,
            .role = arena_strdup(arena, result_text(rows, row, "role_name")),
            .calls = result_int64(rows, row, "calls"),
            .rows = result_int64(rows, row, "row_count"),
            .mean_ms = result_double(rows, row, "mean_ms"),
            .max_ms = result_double(rows, row, "max_ms"),
            .total_ms = result_double(rows, row, "total_ms"),
        };
    }
    return true;
}
