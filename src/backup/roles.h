/* Roles that a dump's statements name: a plain dump says OWNER TO and GRANT for roles of the server
 * it came from, which another server may lack.
 *
 * A missing role is created NOLOGIN, so that the restored database has the owners and grants it
 * had; where the session may not create roles (or the name is reserved by PostgreSQL), the
 * statements that name it are left out and told. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "pg/session.h"

/* Adds the roles that one statement names and the list has not. */
void roles_of_statement(const char *sql, StrList *roles);
bool roles_mentioned(const char *sql, const StrList *roles);

/* created: roles made here; skipped: missing roles that could not be made. */
bool roles_prepare(Arena *arena, Session *session, const StrList *roles, StrList *created,
                   StrList *skipped, Error *err) MUST_CHECK;
/* Undoes it, after the database is gone; a role that something needs stays. */
void roles_drop(Arena *arena, Session *session, const StrList *created);
