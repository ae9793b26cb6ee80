#include "flows/roundtrip_internal.h"

#include "base/buffer.h"
#include "sql_texts.h"

#include <string.h>

/* Rows before the up are copied within the scratch database, so that the server itself compares
 * them with what is there after the down: by primary key where there is one, else as a whole. */

static bool read_tables(Roundtrip *trip, RowTables *tables, Error *err)
{
    Arena *arena = trip->arena;
    const char *ledger = trip->options.ledger_table, *dot = strchr(ledger, '.');
    const char *name = dot ? dot + 1 : ledger;
    const char *names[] = {sql_identifier(arena, name),
                           sql_identifier(arena, arena_printf(arena, "%s_runs", name)),
                           sql_identifier(arena, arena_printf(arena, "%s_schema", name))};
    const char *params[] = {ROUNDTRIP_SCHEMA,
                            arena_printf(arena, "{%s,%s,%s}", names[0], names[1], names[2])};
    _cleanup_result_ Result *rows = NULL;
    *tables = (RowTables){0};
    if (!session_query_params(trip->copy.session, sql_roundtrip_columns, 2, params, &rows, err))
        return false;
    RowTable *table = NULL;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *schema = result_text(rows, i, "schema_name");
        const char *column = result_text(rows, i, "column_name");
        name = result_text(rows, i, "table_name");
        if (!table || !str_equal(table->schema, schema) || !str_equal(table->name, name)) {
            RowTable fresh = {.schema = arena_strdup(arena, schema),
                              .name = arena_strdup(arena, name),
                              .partitioned = result_bool(rows, i, "partitioned"),
                              .copy = tables->count};
            ARENA_PUSH(arena, tables->items, tables->count, tables->capacity, fresh);
            table = &tables->items[tables->count - 1];
            str_list_init(&table->columns, arena);
            str_list_init(&table->keys, arena);
        }
        str_list_add(&table->columns, column);
        if (result_bool(rows, i, "is_key"))
            str_list_add(&table->keys, column);
    }
    return true;
}

/* Children by inheritance are tables of their own. */
static const char *source_of(Arena *arena, const RowTable *table)
{
    return arena_printf(arena, "%s%s", table->partitioned ? "" : "ONLY ",
                        sql_qualified(arena, table->schema, table->name));
}

bool roundtrip_keep_rows(Roundtrip *trip, Error *err)
{
    Session *session = trip->copy.session;
    if (!read_tables(trip, &trip->kept, err) ||
        !session_execute(session,
                         "DROP SCHEMA IF EXISTS " ROUNDTRIP_SCHEMA
                         " CASCADE; CREATE SCHEMA " ROUNDTRIP_SCHEMA,
                         err))
        return error_context(err, "keeping the rows");
    for (size_t i = 0; i < trip->kept.count; i++) {
        const RowTable *table = &trip->kept.items[i];
        const char *sql = arena_printf(
            trip->arena, "CREATE UNLOGGED TABLE " ROUNDTRIP_SCHEMA ".t%zu AS SELECT * FROM %s",
            table->copy, source_of(trip->arena, table));
        if (!session_execute(session, sql, err))
            return error_context(err, "keeping the rows of %s", table->name);
    }
    return true;
}

/* ---- comparing --------------------------------------------------------------------------- */

static const RowTable *find_table(const RowTables *tables, const RowTable *wanted)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (str_equal(tables->items[i].schema, wanted->schema) &&
            str_equal(tables->items[i].name, wanted->name))
            return &tables->items[i];
    }
    return NULL;
}

static bool has_all(const StrList *columns, const StrList *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!str_list_has(columns, wanted->items[i]))
            return false;
    }
    return true;
}

/* One row: total, lost, and for each column how many values differ (where rows can be told apart)
 * or went with their column. */
static void append_by_key(Buffer *sql, Arena *arena, const RowTable *before, const RowTable *after)
{
    const char *first = sql_identifier(arena, before->keys.items[0]);
    (void)buffer_printf(sql, "SELECT count(*), count(*) FILTER (WHERE n.%s IS NULL)", first);
    for (size_t i = 0; i < before->columns.count; i++) {
        const char *column = sql_identifier(arena, before->columns.items[i]);
        if (str_list_has(&after->columns, before->columns.items[i]))
            (void)buffer_printf(sql,
                                ", count(*) FILTER (WHERE n.%s IS NOT NULL AND b.%s::text IS "
                                "DISTINCT FROM n.%s::text)",
                                first, column, column);
        else
            (void)buffer_printf(sql, ", count(b.%s)", column);
    }
    (void)buffer_printf(sql, " FROM " ROUNDTRIP_SCHEMA ".t%zu AS b LEFT JOIN %s AS n ON ",
                        before->copy, source_of(arena, after));
    for (size_t i = 0; i < before->keys.count; i++) {
        const char *column = sql_identifier(arena, before->keys.items[i]);
        (void)buffer_printf(sql, "%sb.%s::text = n.%s::text", i ? " AND " : "", column, column);
    }
}

static void append_shared(Buffer *sql, Arena *arena, const RowTable *before, const RowTable *after)
{
    for (size_t i = 0; i < before->columns.count; i++) {
        if (str_list_has(&after->columns, before->columns.items[i]))
            (void)buffer_printf(sql, "%s::text, ", sql_identifier(arena, before->columns.items[i]));
    }
    (void)buffer_append_str(sql, "0");
}

static void append_whole(Buffer *sql, Arena *arena, const RowTable *before, const RowTable *after)
{
    (void)buffer_append_str(sql, "SELECT count(*), (SELECT count(*) FROM (SELECT ");
    append_shared(sql, arena, before, after);
    (void)buffer_printf(sql, " FROM " ROUNDTRIP_SCHEMA ".t%zu EXCEPT ALL SELECT ", before->copy);
    append_shared(sql, arena, before, after);
    (void)buffer_printf(sql, " FROM %s) AS gone)", source_of(arena, after));
    for (size_t i = 0; i < before->columns.count; i++) {
        bool shared = str_list_has(&after->columns, before->columns.items[i]);
        const char *column = sql_identifier(arena, before->columns.items[i]);
        if (shared)
            (void)buffer_append_str(sql, ", 0");
        else
            (void)buffer_printf(sql, ", count(b.%s)", column);
    }
    (void)buffer_printf(sql, " FROM " ROUNDTRIP_SCHEMA ".t%zu AS b", before->copy);
}

static void add_lost(const RowTable *table, const Result *rows, StrList *lost)
{
    const char *total = result_cell(rows, 0, 0), *gone = result_cell(rows, 0, 1);
    if (!str_equal(gone, "0"))
        str_list_addf(lost, "%s.%s: %s of %s rows", table->schema, table->name, gone, total);
    for (size_t i = 0; i < table->columns.count; i++) {
        const char *count = result_cell(rows, 0, i + 2);
        if (!str_equal(count, "0"))
            str_list_addf(lost, "%s.%s.%s: values of %s row%s", table->schema, table->name,
                          table->columns.items[i], count, str_equal(count, "1") ? "" : "s");
    }
}

static bool compare_table(Roundtrip *trip, const RowTable *before, const RowTables *tables,
                          StrList *lost, Error *err)
{
    Arena *arena = trip->arena;
    const RowTable *after = find_table(tables, before);
    _cleanup_result_ Result *rows = NULL;
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_LINE);
    if (!after)
        (void)buffer_printf(&sql, "SELECT count(*) FROM " ROUNDTRIP_SCHEMA ".t%zu", before->copy);
    else if (before->keys.count && has_all(&after->columns, &before->keys))
        append_by_key(&sql, arena, before, after);
    else
        append_whole(&sql, arena, before, after);
    if (!buffer_check(&sql, "a comparison of rows", err) ||
        !session_query(trip->copy.session, sql.data, &rows, err))
        return error_context(err, "comparing the rows of %s", before->name);
    if (after)
        add_lost(before, rows, lost);
    else if (!str_equal(result_cell(rows, 0, 0), "0"))
        str_list_addf(lost, "%s.%s: %s of %s rows", before->schema, before->name,
                      result_cell(rows, 0, 0), result_cell(rows, 0, 0));
    return true;
}

bool roundtrip_compare_rows(Roundtrip *trip, StrList *lost, Error *err)
{
    RowTables tables;
    if (!read_tables(trip, &tables, err))
        return false;
    for (size_t i = 0; i < trip->kept.count; i++) {
        if (!compare_table(trip, &trip->kept.items[i], &tables, lost, err))
            return false;
    }
    return true;
}
