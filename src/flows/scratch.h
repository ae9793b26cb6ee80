/* Scratch databases: made beside the others of a server, by restores and drills, and dropped again.
 *
 * Their names prove whose they are: "vaxdb_KIND_YYYYMMDD_HHMMSS_RANDOM_CHECK", where CHECK is the
 * start of the SHA-256 of the rest and of the server's system identifier. The session that made one
 * holds an advisory lock on its name in the database it is connected to (`postgres`); so one whose
 * lock is free was left by a run that died, and is dropped by the next. Nothing else is ever. */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "pg/session.h"

/* What CREATE DATABASE is told; NULL members are left to the server. */
typedef struct {
    const char *owner;
    const char *encoding;
    const char *collate;
    const char *ctype;
    const char *locale_provider; /* "c", "i", "b" */
    const char *locale;
    const char *tablespace;
} ScratchSpec;

/* A session with the database `postgres` of the server that conninfo names. */
bool scratch_connect(Log *log, const char *conninfo, Session **server, Error *err) MUST_CHECK;
/* Makes one from template0. Where the server does not know the locale, and may_fall_back, its own
 * is taken and told. */
bool scratch_create(Arena *arena, Log *log, Session *server, const char *kind,
                    const ScratchSpec *spec, bool may_fall_back, const char **name,
                    Error *err) MUST_CHECK;
/* Drops it whatever is connected, also when the program was interrupted; a failure is told with the
 * statement to type. NULL and one that was renamed away are nothing. conninfo is for the case that
 * the session was lost. */
void scratch_drop(Arena *arena, Log *log, Session *server, const char *conninfo, const char *name);
/* Drops those of dead runs. */
bool scratch_sweep(Arena *arena, Log *log, Session *server, Error *err) MUST_CHECK;
/* Was a database of this name made by scratch_create on that server? */
bool scratch_is_ours(const char *name, const char *system_identifier);
