/* Our own memory: one SQLite file, STATE/vaxdb.sqlite (0600, WAL).
 *
 * What is remembered here may be lost without harm to any database: identities of environments,
 * which backups were verified and drilled, drills, samples of index usage. The only room that
 * includes sqlite3.h. One State per process; several processes at once are fine (5 s busy timeout).
 *
 * A new kind of record adds a file here with typed functions and its table to schema.sql. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct State State;

/* Opens or creates it (and the folder, 0700; run by root the folder is 0711 because the private
 * cluster's user must pass through it). A newer schema than ours is ERR_FAILED. */
bool state_open(const char *directory, State **state, Error *err) MUST_CHECK;
void state_close(State *state); /* NULL is allowed */

static inline void cleanup_state(State **state)
{
    state_close(*state);
}
#define _cleanup_state_ _cleanup_(cleanup_state)

/* Which environment a database was last opened as: the guards follow it. env is "production", ...;
 * NULL when it was never seen. A database seen as production stays production whatever it is later
 * opened as. */
bool state_identity_get(State *state, Arena *arena, const char *system_identifier,
                        const char *database, const char **env, Error *err) MUST_CHECK;
bool state_identity_remember(State *state, const char *system_identifier, const char *database,
                             const char *env, Error *err) MUST_CHECK;
