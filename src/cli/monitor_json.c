#include "cli/monitor_print.h"

#include <math.h>

/* Microseconds are as fine as these clocks are. */
static json_t *json_ms(double ms)
{
    return json_real(round(ms * 1000.0) / 1000.0);
}

static json_t *json_seconds(double seconds)
{
    return json_real(round(seconds * 1000.0) / 1000.0);
}

static json_t *json_bytes(int64_t bytes)
{
    return bytes < 0 ? json_null() : json_integer(bytes);
}

json_t *monitor_slow_json(const SlowQueries *queries)
{
    json_t *array = json_array();
    for (size_t i = 0; i < queries->count; i++) {
        const SlowQuery *query = &queries->items[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "query", json_text(query->query));
        (void)json_object_set_new(object, "calls", json_integer(query->calls));
        (void)json_object_set_new(object, "mean_ms", json_ms(query->mean_ms));
        (void)json_object_set_new(object, "max_ms", json_ms(query->max_ms));
        (void)json_object_set_new(object, "total_ms", json_ms(query->total_ms));
        (void)json_object_set_new(object, "rows", json_integer(query->rows));
        (void)json_object_set_new(object, "role", json_text(query->role));
        (void)json_object_set_new(object, "query_id", json_text(query->query_id));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *monitor_tables_json(const TableList *tables)
{
    json_t *array = json_array();
    for (size_t i = 0; i < tables->count; i++) {
        const TableInfo *table = &tables->items[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "schema", json_text(table->schema));
        (void)json_object_set_new(object, "name", json_text(table->name));
        (void)json_object_set_new(object, "bytes", json_bytes(table->total_bytes));
        (void)json_object_set_new(object, "table_bytes", json_bytes(table->table_bytes));
        (void)json_object_set_new(object, "index_bytes", json_bytes(table->index_bytes));
        (void)json_object_set_new(object, "rows", json_integer(table->rows));
        (void)json_object_set_new(object, "dead_rows", json_integer(table->dead_rows));
        (void)json_object_set_new(object, "changed_rows", json_integer(table->changed_rows));
        (void)json_object_set_new(object, "seq_scans", json_integer(table->seq_scans));
        (void)json_object_set_new(object, "seq_rows_read", json_integer(table->seq_rows_read));
        (void)json_object_set_new(object, "index_scans", json_integer(table->index_scans));
        (void)json_object_set_new(object, "last_analyze", json_text(table->last_analyze));
        (void)json_object_set_new(object, "last_vacuum", json_text(table->last_vacuum));
        (void)json_array_append_new(array, object);
    }
    return array;
}

static json_t *session_json(const BusySession *session)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "pid", json_integer(session->pid));
    (void)json_object_set_new(object, "state", json_text(session->state));
    (void)json_object_set_new(object, "seconds", json_seconds(session->seconds));
    (void)json_object_set_new(object, "transaction_seconds",
                              json_seconds(session->transaction_seconds));
    (void)json_object_set_new(object, "role", json_text(session->role));
    (void)json_object_set_new(object, "application", json_text(session->application));
    (void)json_object_set_new(object, "client", json_text(session->client));
    (void)json_object_set_new(object, "waits_for", json_text(session->waits_for));
    (void)json_object_set_new(object, "query", json_text(session->query));
    return object;
}

static json_t *applications_json(const Connections *connections)
{
    json_t *array = json_array();
    for (size_t i = 0; i < connections->application_count; i++) {
        const ApplicationConnections *row = &connections->applications[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "role", json_text(row->role));
        (void)json_object_set_new(object, "application", json_text(row->application));
        (void)json_object_set_new(object, "total", json_integer(row->total));
        (void)json_object_set_new(object, "active", json_integer(row->active));
        (void)json_object_set_new(object, "idle", json_integer(row->idle));
        (void)json_object_set_new(object, "idle_in_transaction",
                                  json_integer(row->idle_in_transaction));
        (void)json_object_set_new(object, "longest_idle_seconds",
                                  json_seconds(row->longest_idle_seconds));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *monitor_connections_json(const Connections *connections)
{
    json_t *long_running = json_array();
    json_t *idle = json_array();
    for (size_t i = 0; i < connections->session_count; i++) {
        const BusySession *session = &connections->sessions[i];
        (void)json_array_append_new(monitor_session_is_idle(session) ? idle : long_running,
                                    session_json(session));
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "total", json_integer(connections->total));
    (void)json_object_set_new(object, "active", json_integer(connections->active));
    (void)json_object_set_new(object, "idle", json_integer(connections->idle));
    (void)json_object_set_new(object, "idle_in_transaction",
                              json_integer(connections->idle_in_transaction));
    (void)json_object_set_new(object, "idle_in_failed_transaction",
                              json_integer(connections->idle_in_failed_transaction));
    (void)json_object_set_new(object, "unknown", json_integer(connections->unknown));
    (void)json_object_set_new(object, "waiting_for_locks",
                              json_integer(connections->waiting_for_locks));
    (void)json_object_set_new(object, "server_total", json_integer(connections->server_total));
    (void)json_object_set_new(object, "max_connections",
                              json_integer(connections->max_connections));
    (void)json_object_set_new(object, "usable_connections", json_integer(connections->usable));
    (void)json_object_set_new(object, "applications", applications_json(connections));
    (void)json_object_set_new(object, "long_running", long_running);
    (void)json_object_set_new(object, "idle_sessions", idle);
    (void)json_object_set_new(object, "sees_other_roles", json_boolean(connections->sees_others));
    return object;
}

static json_t *lock_json(const LockTree *tree, size_t position)
{
    const LockNode *node = &tree->nodes[position];
    json_t *blockers = json_array();
    for (size_t b = 0; b < node->blocker_count; b++)
        (void)json_array_append_new(blockers, json_integer(node->blockers[b]));
    json_t *blocks = json_array();
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].parent == (ptrdiff_t)position)
            (void)json_array_append_new(blocks, lock_json(tree, i));
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "pid", json_integer(node->pid));
    (void)json_object_set_new(object, "database", json_text(node->database));
    (void)json_object_set_new(object, "role", json_text(node->role));
    (void)json_object_set_new(object, "application", json_text(node->application));
    (void)json_object_set_new(object, "state", json_text(node->state));
    (void)json_object_set_new(object, "query", json_text(node->query));
    (void)json_object_set_new(object, "transaction_seconds",
                              json_seconds(node->transaction_seconds));
    (void)json_object_set_new(object, "waiting", json_boolean(node->is_waiting));
    (void)json_object_set_new(object, "waiting_seconds",
                              node->is_waiting ? json_seconds(node->waiting_seconds) : json_null());
    (void)json_object_set_new(object, "lock", json_text(node->lock));
    (void)json_object_set_new(object, "blocked_by", blockers);
    (void)json_object_set_new(object, "deadlock", json_boolean(node->in_cycle));
    (void)json_object_set_new(object, "blocks", blocks);
    return object;
}

json_t *monitor_locks_json(const LockTree *tree)
{
    json_t *trees = json_array();
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].parent < 0)
            (void)json_array_append_new(trees, lock_json(tree, i));
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "waiting", json_integer((json_int_t)tree->waiting_count));
    (void)json_object_set_new(object, "trees", trees);
    (void)json_object_set_new(object, "sees_other_roles", json_boolean(tree->sees_others));
    return object;
}
