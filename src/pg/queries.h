/* What the application asks: a folder of .sql files, one query each, that drills, advisors and the
 * demo run.
 *
 *     -- Screen: facility, stock of one vaccine.
 *     -- bind $1: SELECT id FROM locations WHERE type = 'facility' ORDER BY code LIMIT 1
 *     SELECT ... WHERE facility_id = $1;
 *
 * A file holds one statement with $1 parameters. Comment lines above it say what it is for. A line
 * "-- bind $N: SELECT ..." gives a sample value by SQL, of one column; its first row counts, and no
 * row gives NULL, so that a query runs on an empty database too. Every parameter has one. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

#define QUERY_MAX_BINDINGS 16

typedef struct {
    const char *name;    /* stem of the file: "facility_latest_stock" */
    const char *path;    /* for messages */
    const char *purpose; /* the comment above the statement, in one line; "" when there is none */
    const char *sql;     /* the statement without the comments above it */
    size_t binding_count;
    const char *bindings[QUERY_MAX_BINDINGS]; /* SQL of $1, $2, ... */
} Query;

typedef struct {
    const Query *items; /* by name */
    size_t count;
} QueryList;

/* Reads every *.sql of the folder; all memory is in the arena. No folder, no such file in it, and a
 * file without a statement or with a hole in its bindings are ERR_USAGE naming folder or file. */
bool queries_load(Arena *arena, const char *directory, QueryList *list, Error *err) MUST_CHECK;
/* NULL when there is none of that name. */
const Query *queries_find(const QueryList *list, const char *name);

/* Runs the SQL of the bindings: values holds binding_count texts, NULL for SQL NULL. */
bool query_bind(Session *session, Arena *arena, const Query *query, const char **values[],
                Error *err) MUST_CHECK;

typedef struct {
    int64_t rows;
    double ms; /* of the query alone, without its bindings; with the transfer of the rows */
} QueryRun;

/* Binds and runs it in a read-only transaction of its own, which is rolled back; each statement may
 * take timeout_ms (0: no limit). The session must be outside a transaction, and is again after,
 * whatever happened. Errors name the file. */
bool query_run(Session *session, Arena *arena, const Query *query, int64_t timeout_ms,
               QueryRun *run, Error *err) MUST_CHECK;
