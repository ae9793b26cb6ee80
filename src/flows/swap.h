/* Puts a new database into the place of an old one: both are renamed in one transaction, so that at
 * every moment, whatever is killed, the name leads to the one or to the other, whole.
 *
 * Renaming wants nobody connected. The first rename takes a lock that makes new connections wait
 * and then waits for the old ones to go; a second session ends them meanwhile. So nothing has to be
 * forbidden beforehand, and nothing remains forbidden when we die. */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "flows/scratch.h"
#include "pg/session.h"

typedef struct {
    bool exists;
    ScratchSpec like; /* how a new one must be made */
    bool allows_connections;
    bool has_grants;
    int64_t connection_limit;
    const char *comment;
    int64_t bytes;
} DatabaseProperties;

bool swap_look_up(Arena *arena, Session *server, const char *database,
                  DatabaseProperties *properties, Error *err) MUST_CHECK;
/* ERR_REFUSED naming the replication slots, subscriptions or prepared transactions that tie it. */
bool swap_check(Session *server, const char *database, Error *err) MUST_CHECK;
/* Gives the database `to` what belongs to the database itself and is in no dump: grants, settings
 * of database and roles, connection limit, comment. */
bool swap_carry_settings(Arena *arena, Session *server, const char *from,
                         const DatabaseProperties *properties, const char *to,
                         Error *err) MUST_CHECK;
/* server is a session with another database. Afterwards `fresh` is called `database`, and what was
 * called so is `old`. */
bool swap_databases(Arena *arena, const char *conninfo, Session *server, const char *database,
                    const char *fresh, const char *old, Error *err) MUST_CHECK;
