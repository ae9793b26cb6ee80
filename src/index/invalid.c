#include "index/index.h"

#include "base/str.h"
#include "sql_texts.h"

#include <ctype.h>

bool index_is_leftover_name(const char *name)
{
    size_t length = strlen(name);
    while (length && isdigit((unsigned char)name[length - 1]))
        length--;
    static const char *const suffixes[] = {"_ccnew", "_ccold"};
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length >= suffix && strncmp(name + length - suffix, suffixes[i], suffix) == 0)
            return true;
    }
    return false;
}

/* What happened to it, and what mends it. */
static void diagnose(Arena *arena, const Result *rows, size_t row, InvalidIndex *index)
{
    const char *name = sql_qualified(arena, index->schema, index->name);
    const char *constraint = result_text(rows, row, "constraint_name");
    if (result_bool(rows, row, "is_partitioned")) {
        index->why = "a part of the partitioned table has no index attached to it yet";
        index->mend_sql =
            arena_printf(arena, "ALTER INDEX %s ATTACH PARTITION <index of the part>;", name);
    } else if (index->is_leftover) {
        index->why = "left over from a REINDEX CONCURRENTLY that did not finish";
        index->mend_sql = arena_printf(arena, "DROP INDEX CONCURRENTLY %s;", name);
    } else if (constraint) {
        index->why = arena_printf(arena, "backs the constraint %s, and its build did not finish",
                                  constraint);
        index->mend_sql = arena_printf(arena, "REINDEX INDEX CONCURRENTLY %s;", name);
    } else {
        index->why = result_bool(rows, row, "is_unique")
                         ? "CREATE UNIQUE INDEX CONCURRENTLY failed: mend the duplicates first"
                         : "CREATE or DROP INDEX CONCURRENTLY did not finish";
        index->mend_sql = arena_printf(arena, "REINDEX INDEX CONCURRENTLY %s;", name);
    }
}

bool index_find_invalid(Session *session, Arena *arena, InvalidIndex **indexes, size_t *count,
                        Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_index_invalid, &rows, err))
        return error_context(err, "looking for invalid indexes");
    *count = result_rows(rows);
    *indexes = arena_array(arena, *count, sizeof(**indexes));
    for (size_t row = 0; row < *count; row++) {
        InvalidIndex *index = &(*indexes)[row];
        *index = (InvalidIndex){
            .schema = arena_strdup(arena, result_text(rows, row, "schema_name")),
            .name = arena_strdup(arena, result_text(rows, row, "index_name")),
            .table_schema = arena_strdup(arena, result_text(rows, row, "table_schema")),
            .table = arena_strdup(arena, result_text(rows, row, "table_name")),
            .oid = result_int64(rows, row, "index_oid"),
            .bytes = result_is_null(rows, row, "size_bytes")
                         ? -1
                         : result_int64(rows, row, "size_bytes"),
            .is_leftover = index_is_leftover_name(result_text(rows, row, "index_name")),
            .definition = arena_strdup(arena, result_text(rows, row, "definition")),
        };
        diagnose(arena, rows, row, index);
    }
    return true;
}
