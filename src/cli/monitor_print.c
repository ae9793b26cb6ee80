#include "cli/monitor_print.h"

#include "base/str.h"
#include "base/table.h"

#define STATEMENT_MAX      400 /* code points of a statement in a table; --json has all of it */
#define TREE_STATEMENT_MAX 72

const char *monitor_bytes(Arena *arena, int64_t bytes)
{
    return bytes < 0 ? "locked" : str_bytes(arena, bytes);
}

static void print_table(const Context *context, const Table *table)
{
    table_print(table, context->out, table_terminal_width(context->out));
}

/* Roles without pg_monitor would take an empty list for good news. */
static void print_blindness(const Context *context, bool sees_others)
{
    if (!sees_others)
        (void)fputs(
            "This role sees only its own sessions. To see all: GRANT pg_monitor TO <role>;\n",
            context->out);
}

void monitor_slow_print(const Context *context, const SlowQueries *queries, int64_t min_calls)
{
    Arena *arena = context->arena;
    if (!queries->count) {
        (void)fprintf(context->out, "No statement has been called more than %lld times.\n",
                      (long long)min_calls);
        return;
    }
    Table *table = table_create(arena);
    table_column(table, "Mean", TABLE_RIGHT);
    table_column(table, "Max", TABLE_RIGHT);
    table_column(table, "Total", TABLE_RIGHT);
    table_column(table, "Calls", TABLE_RIGHT);
    table_column(table, "Statement", TABLE_LEFT);
    for (size_t i = 0; i < queries->count; i++) {
        const SlowQuery *query = &queries->items[i];
        table_row(table, (const char *[]){str_duration(arena, query->mean_ms),
                                          str_duration(arena, query->max_ms),
                                          str_duration(arena, query->total_ms),
                                          str_count(arena, query->calls),
                                          str_one_line(arena, query->query, STATEMENT_MAX)});
    }
    print_table(context, table);
}

void monitor_tables_print(const Context *context, const TableList *tables)
{
    Arena *arena = context->arena;
    if (!tables->count) {
        (void)fputs("This database has no tables.\n", context->out);
        return;
    }
    Table *table = table_create(arena);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Size", TABLE_RIGHT);
    table_column(table, "Rows", TABLE_RIGHT);
    table_column(table, "Dead", TABLE_RIGHT);
    table_column(table, "Seq scans", TABLE_RIGHT);
    table_column(table, "Analyzed", TABLE_LEFT);
    table_column(table, "Vacuumed", TABLE_LEFT);
    for (size_t i = 0; i < tables->count; i++) {
        const TableInfo *row = &tables->items[i];
        const char *analyzed = row->last_analyze ? row->last_analyze : "never";
        const char *vacuumed = row->last_vacuum ? row->last_vacuum : "never";
        table_row(table, (const char *[]){index_display_name(arena, row->schema, row->name),
                                          monitor_bytes(arena, row->total_bytes),
                                          str_count(arena, row->rows),
                                          arena_printf(arena, "%.0f %%", monitor_dead_percent(row)),
                                          str_count(arena, row->seq_scans),
                                          arena_strndup(arena, analyzed, strcspn(analyzed, " ")),
                                          arena_strndup(arena, vacuumed, strcspn(vacuumed, " "))});
    }
    print_table(context, table);
}

static void print_sessions(const Context *context, const Connections *connections, bool idle)
{
    Arena *arena = context->arena;
    Table *table = table_create(arena);
    table_column(table, "Pid", TABLE_RIGHT);
    table_column(table, "Since", TABLE_RIGHT);
    table_column(table, "Role", TABLE_LEFT);
    table_column(table, "Application", TABLE_LEFT);
    table_column(table, idle ? "Last statement" : "Statement", TABLE_LEFT);
    for (size_t i = 0; i < connections->session_count; i++) {
        const BusySession *row = &connections->sessions[i];
        if (monitor_session_is_idle(row) != idle)
            continue;
        table_row(table, (const char *[]){arena_printf(arena, "%lld", (long long)row->pid),
                                          str_duration(arena, row->seconds * 1000.0), row->role,
                                          row->application,
                                          str_one_line(arena, row->query, STATEMENT_MAX)});
    }
    if (!table_rows(table)) {
        (void)fprintf(context->out, "%s\n",
                      idle ? "No transaction is left open without work."
                           : "No long-running statement.");
        return;
    }
    (void)fprintf(context->out, "%s\n",
                  idle ? "Idle in an open transaction (holding its locks):"
                       : "Long-running statements:");
    print_table(context, table);
}

static void print_applications(const Context *context, const Connections *connections)
{
    Arena *arena = context->arena;
    if (!connections->application_count)
        return;
    Table *table = table_create(arena);
    table_column(table, "Role", TABLE_LEFT);
    table_column(table, "Application", TABLE_LEFT);
    table_column(table, "Total", TABLE_RIGHT);
    table_column(table, "Active", TABLE_RIGHT);
    table_column(table, "Idle", TABLE_RIGHT);
    table_column(table, "In transaction", TABLE_RIGHT);
    for (size_t i = 0; i < connections->application_count; i++) {
        const ApplicationConnections *row = &connections->applications[i];
        table_row(table,
                  (const char *[]){row->role, row->application, str_count(arena, row->total),
                                   str_count(arena, row->active), str_count(arena, row->idle),
                                   str_count(arena, row->idle_in_transaction)});
    }
    print_table(context, table);
    (void)fputc('\n', context->out);
}

void monitor_connections_print(const Context *context, const Connections *connections)
{
    FILE *out = context->out;
    (void)fprintf(
        out, "%lld connection%s to this database (ours not counted): %lld active, %lld idle,\n",
        (long long)connections->total, connections->total == 1 ? "" : "s",
        (long long)connections->active, (long long)connections->idle);
    (void)fprintf(
        out, "%lld idle in transaction, %lld waiting for locks",
        (long long)(connections->idle_in_transaction + connections->idle_in_failed_transaction),
        (long long)connections->waiting_for_locks);
    if (connections->unknown)
        (void)fprintf(out, ", %lld unknown", (long long)connections->unknown);
    (void)fprintf(out, ".\nThe server has %lld of %lld in use.\n\n",
                  (long long)connections->server_total, (long long)connections->usable);
    print_applications(context, connections);
    print_sessions(context, connections, false);
    print_sessions(context, connections, true);
    print_blindness(context, connections->sees_others);
}

static void print_lock(const Context *context, const LockNode *node)
{
    Arena *arena = context->arena;
    FILE *out = context->out;
    int indent = node->depth * 2;
    (void)fprintf(out, "%*s%s%s", indent, "", node->depth ? "waits: " : "holds: ",
                  node->pid ? arena_printf(arena, "pid %lld", (long long)node->pid) : "no session");
    if (*node->role)
        (void)fprintf(out, " (%s%s%s)", node->role, *node->application ? ", " : "",
                      node->application);
    if (node->is_waiting)
        (void)fprintf(out, ", %s", str_duration(arena, node->waiting_seconds * 1000.0));
    else if (*node->state)
        (void)fprintf(out, ", %s for %s", node->state,
                      str_duration(arena, node->transaction_seconds * 1000.0));
    (void)fprintf(out, "%s\n", node->in_cycle ? " (deadlock)" : "");
    int inner = indent + 7;
    if (node->lock)
        (void)fprintf(out, "%*s%s\n", inner, "", node->lock);
    size_t room = inner < TREE_STATEMENT_MAX / 2 ? (size_t)(TREE_STATEMENT_MAX - inner) : 36;
    (void)fprintf(out, "%*s%s\n", inner, "", str_one_line(arena, node->query, room));
}

void monitor_locks_print(const Context *context, const LockTree *tree)
{
    if (!tree->waiting_count)
        (void)fputs("Nobody waits for a lock.\n", context->out);
    for (size_t i = 0; i < tree->count; i++)
        print_lock(context, &tree->nodes[i]);
    print_blindness(context, tree->sees_others);
}
