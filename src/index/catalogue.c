#include "index/index.h"

#include "base/str.h"
#include "sql_texts.h"

static const char *text_of(Arena *arena, const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static void read_index(Arena *arena, const Result *rows, size_t row, IndexInfo *index)
{
    *index = (IndexInfo){
        .oid = result_int64(rows, row, "index_oid"),
        .table_oid = result_int64(rows, row, "table_oid"),
        .schema = text_of(arena, rows, row, "schema_name"),
        .table = text_of(arena, rows, row, "table_name"),
        .name = text_of(arena, rows, row, "index_name"),
        .method = text_of(arena, rows, row, "method"),
        .definition = text_of(arena, rows, row, "definition"),
        .key_columns = result_int64(rows, row, "key_columns"),
        .all_columns = result_int64(rows, row, "all_columns"),
        .is_partial = result_bool(rows, row, "is_partial"),
        .has_expression = result_bool(rows, row, "has_expression"),
        .is_unique = result_bool(rows, row, "is_unique"),
        .is_primary = result_bool(rows, row, "is_primary"),
        .is_exclusion = result_bool(rows, row, "is_exclusion"),
        .is_valid = result_bool(rows, row, "is_valid"),
        .is_clustered = result_bool(rows, row, "is_clustered"),
        .is_replica_identity = result_bool(rows, row, "is_replica_identity"),
        .is_partitioned = result_bool(rows, row, "is_partitioned"),
        .is_attached = result_bool(rows, row, "is_attached"),
        .has_statistics = result_bool(rows, row, "has_statistics"),
        .constraint_name = text_of(arena, rows, row, "constraint_name"),
        .referenced_by = text_of(arena, rows, row, "referenced_by"),
        .bytes =
            result_is_null(rows, row, "size_bytes") ? -1 : result_int64(rows, row, "size_bytes"),
        .scans = result_int64(rows, row, "scans"),
        .entries_read = result_int64(rows, row, "entries_read"),
        .rows_fetched = result_int64(rows, row, "rows_fetched"),
        .last_scan = text_of(arena, rows, row, "last_scan"),
        .table_rows = result_int64(rows, row, "table_rows"),
    };
    index->kind =
        index_kind_of(index->method, index->is_partial, index->key_columns, index->all_columns);
}

/* "t" names a table of any schema, "s.t" that of one. */
static bool is_named(Arena *arena, const char *wanted, const char *schema, const char *name)
{
    return str_equal(wanted, name) || str_equal(wanted, arena_printf(arena, "%s.%s", schema, name));
}

bool index_list(Session *session, Arena *arena, const char *table, IndexList *list, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_index_list, &rows, err))
        return error_context(err, "reading the indexes");
    size_t count = result_rows(rows);
    *list = (IndexList){.items = arena_array(arena, count, sizeof(*list->items))};
    for (size_t row = 0; row < count; row++) {
        IndexInfo *index = &list->items[list->count];
        read_index(arena, rows, row, index);
        if (!table || is_named(arena, table, index->schema, index->table))
            list->count++;
    }
    if (table && list->count == 0) {
        Relation found;
        return index_resolve_table(session, arena, table, &found, err);
    }
    return true;
}

bool index_window_read(Session *session, Arena *arena, IndexWindow *window, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_index_statistics_window, &rows, err))
        return error_context(err, "reading the age of the statistics");
    *window = (IndexWindow){
        .since = text_of(arena, rows, 0, "since"),
        .since_unix_s = result_int64(rows, 0, "since_unix_s"),
        .days = (double)result_int64(rows, 0, "window_s") / 86400.0,
        .was_reset = result_bool(rows, 0, "was_reset"),
        .has_replicas = result_bool(rows, 0, "has_replicas"),
    };
    window->enough = window->days >= INDEX_WINDOW_DAYS;
    return true;
}

static bool resolve(Session *session, Arena *arena, const char *name, const char *kinds,
                    const char *what, Relation *relation, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {name, kinds};
    if (!session_query_params(session, sql_index_resolve, 2, params, &rows, err))
        return error_context(err, "looking for %s \"%s\"", what, name);
    size_t count = result_rows(rows);
    if (count == 0) {
        error_set(err, ERR_FAILED, "there is no %s \"%s\" in database %s", what, name,
                  session_database(session));
        return error_hint(err, "see what there is: vaxdb index list");
    }
    if (count > 1) {
        error_set(err, ERR_USAGE, "%s \"%s\" is in more than one schema", what, name);
        return error_hint(err, "name the schema too: %s.%s", result_text(rows, 0, "schema_name"),
                          result_text(rows, 0, "relation_name"));
    }
    *relation = (Relation){
        .oid = result_int64(rows, 0, "oid"),
        .schema = text_of(arena, rows, 0, "schema_name"),
        .name = text_of(arena, rows, 0, "relation_name"),
        .kind = result_text(rows, 0, "kind")[0],
    };
    return true;
}

bool index_resolve_table(Session *session, Arena *arena, const char *name, Relation *table,
                         Error *err)
{
    return resolve(session, arena, name, "rpm", "table", table, err);
}

bool index_resolve_index(Session *session, Arena *arena, const char *name, Relation *index,
                         Error *err)
{
    return resolve(session, arena, name, "iI", "index", index, err);
}
