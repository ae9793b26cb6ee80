/* Is what files made, that ran some day one after another, in the database?
 *
 * For histories that cannot be believed: a script that went on after errors lists what failed, too.
 * The files are followed in the order they ran, so that what a later one dropped, renamed or moved
 * is looked for where it must be now. Only names are looked for: tables with their columns,
 * indexes, constraints, triggers, rules and policies, views, sequences, types, functions, schemas
 * and extensions. Rows, defaults, types of columns and rights are not. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "migrate/files.h"
#include "pg/session.h"

typedef struct {
    const MigrationFile *file;
    /* Filled in: */
    size_t expected;   /* objects by which it can be told */
    StrList missing;   /* "index public.i (INVALID)" */
    const char *doubt; /* file with code that may have removed what is missing; NULL */
    bool cut;          /* it has commands of psql, of which the effect is not known */
} LintHistory;

/* Items are in the order they ran. session is idle and outside a transaction; it is only read. */
bool lint_history(Arena *arena, Session *session, LintHistory *items, size_t count,
                  Error *err) MUST_CHECK;
