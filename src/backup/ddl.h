/* The statements of a dump around its rows, as plain SQL.
 *
 * pg_dump writes its sections pre-data and post-data in its custom format, and pg_restore makes
 * text of them: first what must stand before the rows, without privileges; then indexes,
 * constraints, foreign keys, triggers, and, in passes of their own behind these, privileges,
 * materialized views and event triggers. Plain text of pg_dump has no mark between the two, and
 * pre-data alone would grant before the rows are there. */
#pragma once

#include "backup/pg_dump.h"
#include "base/buffer.h"
#include "base/log.h"
#include "pg/session.h"

typedef struct {
    Buffer before; /* begins with pg_dump's header and, where it writes one, \restrict KEY */
    Buffer after;  /* ends with pg_dump's last line and, likewise, \unrestrict KEY */
} Ddl;

/* Makes the key of \restrict, random as pg_restore wrote it, one that follows from the statements:
 * so what has not changed is the same text tomorrow. psql obeys no command but \unrestrict with
 * that key, which must not be at the disposal of the server that was dumped. So the key stays
 * random where a statement here, or in between (all that is in the dump besides rows), has the word
 * \unrestrict anywhere. False, and that no error, where the key stayed as it was. */
bool ddl_settle_key(Arena *arena, Ddl *ddl, const Buffer *between);
/* *waited tells that pg_dump gave up behind a lock; the caller releases ddl whatever happens. */
bool ddl_read(Arena *arena, Log *log, const PgDump *tool, const Session *session,
              const char *snapshot, Ddl *ddl, bool *waited, Error *err) MUST_CHECK;
/* The large objects alone, which only pg_dump knows how to write on every major: their data, and
 * from version 17 their owners, comments and privileges. */
bool ddl_read_large_objects(Arena *arena, Log *log, const PgDump *tool, const Session *session,
                            const char *snapshot,
                            bool (*take)(void *data, const char *bytes, size_t length, Error *err),
                            void *data, Error *err) MUST_CHECK;
void ddl_release(Ddl *ddl);
#define _cleanup_ddl_ _cleanup_(ddl_release)
