/* What the files of this room share; nobody else includes it. */
#pragma once

#include "state/state.h"

#include <sqlite3.h>

struct State {
    sqlite3 *db;
    char *path;
};

/* Fills err from the database. Returns false. */
bool state_fail(const State *state, Error *err);
/* Prepares one statement and binds its parameters by format: 's' const char * (NULL is SQL NULL),
 * 'i' int64_t, 'd' double. The caller owns *statement: `_cleanup_statement_`. */
bool state_prepare(State *state, sqlite3_stmt **statement, Error *err, const char *sql,
                   const char *format, ...) MUST_CHECK;
/* True with *row saying whether there is one more. */
bool state_step(State *state, sqlite3_stmt *statement, bool *row, Error *err) MUST_CHECK;
/* Prepare, bind, run to the end. */
bool state_run(State *state, Error *err, const char *sql, const char *format, ...) MUST_CHECK;
/* Text of a column in the arena, NULL for NULL. */
char *state_text(Arena *arena, sqlite3_stmt *statement, int column);

static inline void cleanup_statement(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}
#define _cleanup_statement_ _cleanup_(cleanup_statement)
