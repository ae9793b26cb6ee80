#include "monitor/monitor.h"

#include "base/str.h"
#include "sql_texts.h"

#include <assert.h>

static int64_t bytes_of(const Result *rows, size_t row, const char *column)
{
    return result_is_null(rows, row, column) ? -1 : result_int64(rows, row, column);
}

static const char *time_of(Arena *arena, const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

bool monitor_tables(Session *session, Arena *arena, int64_t top, TableList *tables, Error *err)
{
    assert(top >= 1);
    const char *params[] = {arena_printf(arena, "%lld", (long long)top)};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_monitor_tables, 1, params, &rows, err))
        return error_context(err, "reading table sizes");
    tables->count = result_rows(rows);
    tables->items = arena_array(arena, tables->count, sizeof(*tables->items));
    for (size_t row = 0; row < tables->count; row++) {
        tables->items[row] = (TableInfo){
            .schema = arena_strdup(arena, result_text(rows, row, "schema_name")),
            .name = arena_strdup(arena, result_text(rows, row, "table_name")),
            .total_bytes = bytes_of(rows, row, "total_bytes"),
            .table_bytes = bytes_of(rows, row, "table_bytes"),
            .index_bytes = bytes_of(rows, row, "index_bytes"),
            .rows = result_int64(rows, row, "live_rows"),
            .dead_rows = result_int64(rows, row, "dead_rows"),
            .changed_rows = result_int64(rows, row, "changed_rows"),
            .seq_scans = result_int64(rows, row, "seq_scans"),
            .seq_rows_read = result_int64(rows, row, "seq_rows_read"),
            .index_scans = result_int64(rows, row, "index_scans"),
            .last_analyze = time_of(arena, rows, row, "last_analyze"),
            .last_vacuum = time_of(arena, rows, row, "last_vacuum"),
        };
        /* After a restart of statistics the planner's estimate is the better one. */
        int64_t estimate = result_int64(rows, row, "estimated_rows");
        if (tables->items[row].rows == 0 && estimate > 0)
            tables->items[row].rows = estimate;
    }
    return true;
}

double monitor_dead_percent(const TableInfo *table)
{
    int64_t all = table->rows + table->dead_rows;
    return all > 0 ? 100.0 * (double)table->dead_rows / (double)all : 0.0;
}
