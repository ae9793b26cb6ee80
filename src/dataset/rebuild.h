/* What stands on tables and slows a load: found in the catalogue, dropped, and made again in the
 * same transaction. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "pg/session.h"

typedef struct {
    Result *triggers;
    Result *foreign_keys;
    Result *indexes;
} Rebuild;

/* tables is an array literal of their names. The results belong to rebuild; see rebuild_free. */
bool rebuild_find(Session *session, const char *tables, Rebuild *rebuild, Error *err) MUST_CHECK;
bool rebuild_drop(Session *session, const Rebuild *rebuild, Error *err) MUST_CHECK;
bool rebuild_create(Session *session, Log *log, const Rebuild *rebuild, Error *err) MUST_CHECK;
void rebuild_free(Rebuild *rebuild); /* also of a zeroed one */
