/* INVALID indexes: what CREATE INDEX, REINDEX and DROP INDEX CONCURRENTLY leave when they fail or
 * are interrupted. Nobody who is not told would notice: queries go on without them. */
#pragma once

#include "migrate/migrate.h"

/* Did this statement leave an INVALID index of that name and oid? before is what was noted ahead of
 * the statement (LedgerRun.before): what was there already is not its work. */
bool leftover_has_name_of(const Statement *what, const char *index_name);
bool leftover_was_before(const char *before, const char *oid);

/* Which are there, and which half-done migration left them: fills status->invalid. */
bool leftovers_find(Arena *arena, Session *session, MigrateStatus *status, Error *err) MUST_CHECK;
/* What the failed statement left, in words with the command that mends it; NULL for nothing. */
const char *leftovers_describe(Arena *arena, Session *session, const Statement *what,
                               const char *before, RunDirection direction);
