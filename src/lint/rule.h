/* Inside of the room: what a rule sees, and how it says what it found.
 *
 * A check is called once for each statement whose parse tree has its node type (NULL: for every
 * statement), in the order the statements run, before the statement changes the model. */
#pragma once

#include "base/json.h"
#include "lint/lint.h"
#include "lint/model.h"
#include "pg/node.h"

typedef struct LintRun LintRun; /* engine.c */

typedef struct {
    const char *name, *path, *text; /* normalised, NUL-terminated */
    size_t length;
    RunDirection direction;
    bool reported; /* its findings are wanted; of others only the effect on the model */
    bool transaction;
    const MigrationFile *migration; /* NULL for a file outside the folder */
} LintFile;

typedef struct {
    LintRun *run;
    Arena *arena;
    const LintFile *file;
    size_t index;         /* of the statement in its file */
    size_t start, length; /* of the statement in file->text */
    const Statement *what;
    const char *type;   /* "IndexStmt"; NULL when the grammar did not take it */
    const json_t *node; /* inside of that node */
    const Model *model; /* before the statement */
} LintStatement;

typedef struct {
    const char *rule;
    const char *type; /* node type; NULL: every statement */
    void (*check)(const LintStatement *now);
} LintCheck;

/* Each rules_*.c has a table of rules and one of checks, both ending in a zeroed row; engine.c
 * lists them. One rule may have several checks, and a check may report under several rules. */

/* Adds a finding. location: byte offset in the statement as parse trees have it (-1: its start);
 * the word there is underlined. Where the rule is a matter of degree, severity overrides. */
void lint_add(const LintStatement *now, const char *rule, int64_t location, const char *format, ...)
    PRINTF_LIKE(4, 5);
void lint_add_severity(const LintStatement *now, const char *rule, LintSeverity severity,
                       int64_t location, const char *help, const char *format, ...)
    PRINTF_LIKE(6, 7);
/* At a byte offset of the file; for what is not a statement's. */
void lint_add_at(LintRun *run, const LintFile *file, size_t offset, const char *rule,
                 const char *format, ...) PRINTF_LIKE(5, 6);

int lint_server_version(const LintStatement *now); /* 150004; 0 without a server */
