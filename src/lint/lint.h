/* Lint: what is dangerous, wrong or careless in migrations, before any of it runs.
 *
 * Rules of the parse tree need no server. With a session the rules of the catalogue apply too:
 * sizes, columns, indexes and constraints that are there, the server's version; a statement then
 * sees the schema with the changes of the pending files before it.
 *
 *     -- lint:ignore RULE reason       in a comment above the statement, or behind it on its line
 *     -- lint:ignore-file RULE reason  in the comments before the first statement
 *
 * leave a finding out. One without a reason leaves nothing out and is itself a finding, as is one
 * where nothing was found. A finding that says the server would refuse the file cannot be ignored.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "migrate/migrate.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { LINT_INFO, LINT_WARNING, LINT_ERROR } LintSeverity;
const char *lint_severity_name(LintSeverity severity); /* "info", "warning", "error" */

/* One row of the catalogue of rules; `vaxdb migrate lint --rules` and the tests read it. */
typedef struct {
    const char *id; /* "create-index-blocks-writes" */
    LintSeverity severity;
    bool needs_catalogue;
    bool certain;       /* the server would refuse it: no ignore, and --no-lint does not help */
    const char *reason; /* one line: what goes wrong */
    const char *help;   /* one or two lines: the safe alternative */
} LintRule;

/* All rules, by id. */
const LintRule *const *lint_rules(size_t *count);
const LintRule *lint_rule_find(const char *id); /* NULL when there is none */

typedef struct {
    const char *file; /* path as the user knows it: relative to the working directory where below */
    const char *name; /* file name */
    int line, column; /* 1-based, column in characters */
    int width;        /* characters to underline; at least 1 */
    const char *source; /* that line of the file, or as much of a long one as is near */
    int source_column;  /* of the finding in source */
    const LintRule *rule;
    LintSeverity severity; /* mostly the rule's; a large table may raise it */
    const char *message;   /* about this place: names the table, its rows, ... */
    const char *help;      /* the rule's, or made for this place */
} LintFinding;

typedef struct {
    LintFinding *items; /* by file in the order they run, then line, column */
    size_t count, capacity;
    size_t errors, warnings, infos;
    size_t files, statements;
    size_t not_analysed; /* statements that our grammar does not know and the server does */
    size_t ignored;      /* findings that a comment left out */
    bool catalogue;      /* the rules of the catalogue were applied */
} LintReport;

typedef struct {
    const char *directory;    /* of migrations, absolute */
    const char *ledger_table; /* for what is applied already; used with a session */
    const StrList *files;     /* names or paths to report on; NULL or empty: every file without a
                                 session, with one those that are not applied */
    Session *session;         /* NULL: parse tree only */
} LintOptions;

/* Findings are no error: the caller decides. An error is what kept us from looking. */
bool lint_folder(Arena *arena, const LintOptions *options, LintReport *report,
                 Error *err) MUST_CHECK;
/* What `up` is about to run: the pending files of status, with the catalogue. session is idle and
 * outside a transaction. */
bool lint_pending(Arena *arena, Session *session, const MigrateStatus *status,
                  const MigratePlan *plan, LintReport *report, Error *err) MUST_CHECK;
/* The report as ERR_REFUSED: how many errors and warnings there are. Returns false. */
bool lint_refusal(const LintReport *report, Error *err);
