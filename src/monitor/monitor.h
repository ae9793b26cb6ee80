/* What one database is doing: slow statements, table sizes, connections, and who waits for whom.
 *
 * Every function wants a session prepared by watch_begin (pg/watch.h). Results are in the arena.
 * Times are milliseconds or seconds as their names say, sizes are bytes, points in time are the
 * server's "2026-11-23 02:00:00". */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The guide's thresholds. */
#define MONITOR_MIN_CALLS    100
#define MONITOR_TOP          10
#define MONITOR_LONG_SECONDS 300
#define MONITOR_IDLE_IN_TX_SECONDS                                                                 \
    60 /* of ours: an open transaction without work holds its locks */

/* Can pg_stat_statements be asked? When not, *err (ERR_FAILED) says what is missing, and its hint
 * how to enable it. *schema is where the extension is. */
bool monitor_statements_ready(Session *session, Arena *arena, const char **schema,
                              Error *err) MUST_CHECK;

typedef struct {
    const char *query;
    const char *query_id;
    const char *role;
    int64_t calls, rows;
    double mean_ms, max_ms, total_ms;
} SlowQuery;

typedef struct {
    SlowQuery *items; /* longest mean first */
    size_t count;
} SlowQueries;

/* Statements of this database called more than min_calls times, at most top of them. */
bool monitor_slow(Session *session, Arena *arena, int64_t min_calls, int64_t top,
                  SlowQueries *queries, Error *err) MUST_CHECK;

typedef struct {
    const char *schema, *name;
    int64_t total_bytes, table_bytes, index_bytes; /* -1: locked by another session */
    int64_t rows;                                  /* live rows, estimated */
    int64_t dead_rows, changed_rows;               /* changed since the last ANALYZE */
    int64_t seq_scans, seq_rows_read, index_scans;
    const char *last_analyze, *last_vacuum; /* by hand or by autovacuum; NULL: never */
} TableInfo;

typedef struct {
    TableInfo *items; /* largest first */
    size_t count;
} TableList;

bool monitor_tables(Session *session, Arena *arena, int64_t top, TableList *tables,
                    Error *err) MUST_CHECK;

/* How many of 100 rows are dead. */
double monitor_dead_percent(const TableInfo *table);

typedef struct {
    const char *role, *application;
    int64_t total, active, idle, idle_in_transaction;
    double longest_idle_seconds;
} ApplicationConnections;

typedef struct {
    int64_t pid;
    const char *role, *application, *client, *state, *waits_for, *query;
    double seconds;             /* in this state */
    double transaction_seconds; /* since its transaction began */
} BusySession;

typedef struct {
    int64_t total, active, idle, idle_in_transaction, idle_in_failed_transaction;
    int64_t unknown; /* states this role may not see, and rare ones */
    int64_t waiting_for_locks;
    int64_t server_total; /* of all databases */
    int64_t max_connections, usable;
    ApplicationConnections *applications; /* most connections first */
    size_t application_count;
    BusySession *sessions; /* long-running and idle in transaction, longest first */
    size_t session_count;
    bool sees_others; /* false: other roles' states and statements are hidden */
} Connections;

/* Connections to this database, ours left out. Sessions are listed that have run one statement
 * longer than long_seconds, or have been idle in a transaction for idle_seconds. */
bool monitor_connections(Session *session, Arena *arena, double long_seconds, double idle_seconds,
                         Connections *connections, Error *err) MUST_CHECK;

bool monitor_session_is_idle(const BusySession *session);

typedef struct {
    int64_t pid; /* 0: a prepared transaction */
    const char *database, *role, *application, *state, *query;
    double transaction_seconds;
    bool is_waiting;
    double waiting_seconds;
    const char *lock;  /* "ShareLock on transactionid", "AccessExclusiveLock on alerts"; NULL */
    int64_t *blockers; /* who it waits for */
    size_t blocker_count;
    ptrdiff_t parent; /* position of the blocker under which the tree shows it; -1: a root */
    int depth;
    bool in_cycle; /* a deadlock that the server has not broken yet */
} LockNode;

typedef struct {
    LockNode *nodes; /* in the order of the tree: a node, then all below it, then the next root */
    size_t count;
    size_t root_count, waiting_count;
    bool sees_others;
} LockTree;

/* Who blocks whom. Each session stands once: under the blocker that is itself furthest down. */
bool monitor_locks(Session *session, Arena *arena, LockTree *tree, Error *err) MUST_CHECK;

/* The tree made of nodes whose pid, is_waiting and blockers are known; for monitor_locks and tests.
 * Blockers that are not among the nodes are added as unknown sessions. */
void monitor_lock_tree(Arena *arena, const LockNode *nodes, size_t count, LockTree *tree);
