#include "cli/index_print.h"

#include "base/str.h"
#include "base/table.h"
#include "cli/monitor_print.h"
#include "cli/watching.h"

static void print_table(const Context *context, const Table *table)
{
    table_print(table, context->out, table_terminal_width(context->out));
}

static const char *index_name(const Context *context, const IndexInfo *index)
{
    return index_display_name(context->arena, index->schema, index->name);
}

static bool has_last_scan(const IndexList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].last_scan)
            return true;
    }
    return false;
}

static void no_indexes(const Context *context)
{
    (void)fputs("There are no indexes.\n", context->out);
}

void index_list_print(const Context *context, const IndexList *list)
{
    Arena *arena = context->arena;
    if (!list->count) {
        no_indexes(context);
        return;
    }
    Table *table = table_create(arena);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Index", TABLE_LEFT);
    table_column(table, "Kind", TABLE_LEFT);
    table_column(table, "Size", TABLE_RIGHT);
    table_column(table, "Scans", TABLE_RIGHT);
    table_column(table, "Serves", TABLE_LEFT);
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        const char *serves = !index->is_valid         ? "INVALID"
                             : index->is_primary      ? "primary key"
                             : index->is_exclusion    ? "exclusion"
                             : index->constraint_name ? "constraint"
                             : index->is_unique       ? "unique"
                                                      : "scans";
        table_row(table, (const char *[]){index_display_name(arena, index->schema, index->table),
                                          index->name, index_kind_name(index),
                                          monitor_bytes(arena, index->bytes),
                                          str_count(arena, index->scans), serves});
    }
    print_table(context, table);
}

static int by_scans(const void *a, const void *b)
{
    const IndexInfo *left = a;
    const IndexInfo *right = b;
    if (left->scans != right->scans)
        return (left->scans > right->scans) - (left->scans < right->scans);
    return strcmp(left->name, right->name);
}

void index_usage_print(const Context *context, const IndexList *list)
{
    Arena *arena = context->arena;
    if (!list->count) {
        no_indexes(context);
        return;
    }
    IndexInfo *sorted = arena_array(arena, list->count, sizeof(*sorted));
    (void)memcpy(sorted, list->items, list->count * sizeof(*sorted));
    qsort(sorted, list->count, sizeof(*sorted), by_scans);
    bool dated = has_last_scan(list);
    Table *table = table_create(arena);
    table_column(table, "Index", TABLE_LEFT);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Scans", TABLE_RIGHT);
    table_column(table, "Rows fetched", TABLE_RIGHT);
    table_column(table, "Size", TABLE_RIGHT);
    if (dated)
        table_column(table, "Last scan", TABLE_LEFT);
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &sorted[i];
        table_row(table, (const char *[]){index_name(context, index), index->table,
                                          str_count(arena, index->scans),
                                          str_count(arena, index->rows_fetched),
                                          monitor_bytes(arena, index->bytes), index->last_scan});
    }
    print_table(context, table);
}

static void print_kind(const Context *context, const IndexList *list, IndexKind kind)
{
    Arena *arena = context->arena;
    Table *table = table_create(arena);
    table_column(table, "Index", TABLE_LEFT);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Size", TABLE_RIGHT);
    if (kind == INDEX_OTHER)
        table_column(table, "Method", TABLE_LEFT);
    int64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        if (index->kind != kind)
            continue;
        bytes += index->bytes > 0 ? index->bytes : 0;
        table_row(table, (const char *[]){index_name(context, index), index->table,
                                          monitor_bytes(arena, index->bytes), index->method});
    }
    const IndexInfo sample = {.kind = kind, .method = "other methods"};
    (void)fprintf(context->out, "%s: %zu, %s\n", index_kind_name(&sample), table_rows(table),
                  str_bytes(arena, bytes));
    StrList lines;
    str_list_init(&lines, arena);
    str_split(&lines, index_kind_explanation(kind), "\n");
    for (size_t i = 0; i < lines.count; i++)
        (void)fprintf(context->out, "  %s\n", lines.items[i]);
    if (table_rows(table))
        print_table(context, table);
    (void)fputc('\n', context->out);
}

void index_kinds_print(const Context *context, const IndexList *list)
{
    static const IndexKind order[] = {INDEX_BTREE,    INDEX_PARTIAL, INDEX_COMPOSITE,
                                      INDEX_COVERING, INDEX_BRIN,    INDEX_OTHER};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        print_kind(context, list, order[i]);
}

void index_window_print(const Context *context, const IndexWindow *window)
{
    FILE *out = context->out;
    (void)fprintf(out, "Scans are counted since %s (%s, %.1f days).\n", window->since,
                  window->was_reset ? "reset of the statistics" : "start of the server",
                  window->days);
    if (!window->enough)
        (void)fprintf(
            out,
            "That is less than %d days: what runs monthly may not have run yet, so that few\n"
            "scans are no evidence against an index so far.\n",
            INDEX_WINDOW_DAYS);
    if (window->has_replicas)
        (void)fputs(
            "This server has replicas or is one: each counts its own scans; look there too.\n",
            out);
}

void index_unused_print(const Context *context, const UnusedReport *report,
                        const IndexWindow *window, int64_t max_scans)
{
    Arena *arena = context->arena;
    FILE *out = context->out;
    index_window_print(context, window);
    if (!report->unused_count) {
        (void)fprintf(out, "\nNo index had fewer than %lld scans without serving anything else.\n",
                      (long long)max_scans);
    } else {
        (void)fprintf(out, "\n%s (fewer than %lld scans, serving nothing else):\n",
                      window->enough ? "Unused" : "Not yet evidence, but candidates",
                      (long long)max_scans);
        Table *table = table_create(arena);
        table_column(table, "Index", TABLE_LEFT);
        table_column(table, "Table", TABLE_LEFT);
        table_column(table, "Scans", TABLE_RIGHT);
        table_column(table, "Size", TABLE_RIGHT);
        for (size_t i = 0; i < report->unused_count; i++) {
            const IndexInfo *index = report->unused[i].index;
            table_row(table, (const char *[]){index_name(context, index), index->table,
                                              str_count(arena, index->scans),
                                              monitor_bytes(arena, index->bytes)});
        }
        print_table(context, table);
        (void)fprintf(out, "\n%s together. To remove one, in a migration of its own:\n  %s\n",
                      str_bytes(arena, report->unused_bytes), report->unused[0].drop_sql);
    }
    if (report->kept_count)
        (void)fprintf(out,
                      "\n%zu more are scanned as seldom but needed (primary keys, unique,\n"
                      "foreign keys ...): --json gives the reason of each.\n",
                      report->kept_count);
}

void index_invalid_print(const Context *context, const InvalidIndex *indexes, size_t count)
{
    if (!count) {
        (void)fputs("Every index is valid.\n", context->out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const InvalidIndex *index = &indexes[i];
        (void)fprintf(context->out, "%s%s on %s (%s)\n  why: %s\n  fix: %s\n", i ? "\n" : "",
                      index_display_name(context->arena, index->schema, index->name),
                      index_display_name(context->arena, index->table_schema, index->table),
                      monitor_bytes(context->arena, index->bytes), index->why, index->mend_sql);
    }
}

void index_rebuilt_print(const Context *context, const Rebuild *rebuild)
{
    Arena *arena = context->arena;
    Table *table = table_create(arena);
    table_column(table, "Index", TABLE_LEFT);
    table_column(table, "Before", TABLE_RIGHT);
    table_column(table, "After", TABLE_RIGHT);
    table_column(table, "State", TABLE_LEFT);
    for (size_t i = 0; i < rebuild->count; i++) {
        const RebuiltIndex *index = &rebuild->indexes[i];
        table_row(table, (const char *[]){index_display_name(arena, index->schema, index->name),
                                          str_bytes(arena, index->bytes_before),
                                          str_bytes(arena, index->bytes_after),
                                          index->is_valid ? "valid" : "INVALID"});
    }
    if (table_rows(table))
        print_table(context, table);
    (void)fprintf(context->out, "Rebuilt in %s.\n",
                  str_duration(arena, (double)rebuild->duration_ms));
}
