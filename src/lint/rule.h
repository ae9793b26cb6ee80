/* Inside of the room: what a rule sees, and how it says what it found.
 *
 * A check is called once for each statement whose parse tree has its node type (NULL: for every
 * statement), in the order the statements run, before the statement changes the model. A down is
 * judged by the model behind its up and does not change it, so that its second statement does not
 * see its first. A file that was applied before is judged by an empty model. */
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
    bool resumed; /* a run of it stopped half-way: what stands next may have taken effect */
    const MigrationFile *migration; /* NULL for a file outside the folder */
    size_t ordinal;                 /* of the migration in the run: a table's made_in */
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

/* Each rules_*.c has a table of rules and one of checks, both ending in a zeroed row; rules.c lists
 * them. One rule may have several checks, and a check may report under several rules. */
extern const LintRule lint_rules_engine[];
extern const LintRule lint_rules_folder[];
extern const LintRule lint_rules_alter[];
extern const LintCheck lint_checks_alter[];
extern const LintRule lint_rules_exist[];
extern const LintCheck lint_checks_exist[];
extern const LintRule lint_rules_keys[];
extern const LintCheck lint_checks_keys[];
extern const LintRule lint_rules_rows[];
extern const LintCheck lint_checks_rows[];
extern const LintRule lint_rules_index[];
extern const LintCheck lint_checks_index[];
extern const LintRule lint_rules_process[];
extern const LintCheck lint_checks_process[];
extern const LintRule lint_rules_table[];
extern const LintCheck lint_checks_table[];
extern const LintRule lint_rules_type[];
extern const LintCheck lint_checks_type[];

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
/* Is it a file that takes back what its up made? There a DROP is what is meant. */
bool lint_is_down(const LintStatement *now);
/* One JSON object a file, in which rules keep what they must know at later statements of it, each
 * under keys that begin with its own name. */
json_t *lint_memory(const LintStatement *now);

/* How much it hurts others to block a table or to scan it. FRESH: made by this run (without a
 * server: by this file) or temporary, so that nobody waits. LARGE: LINT_LARGE_ROWS or
 * LINT_LARGE_BYTES and more. UNKNOWN: no server, or not a table that it has. */
typedef enum { TABLE_FRESH, TABLE_SMALL, TABLE_UNKNOWN, TABLE_LARGE } TableWeight;
#define LINT_LARGE_ROWS  100000
#define LINT_LARGE_BYTES ((int64_t)64 << 20)
/* relation is a RangeVar's inside. */
TableWeight lint_weight(const LintStatement *now, const json_t *relation);
/* Adds a finding about blocking or scanning that table: none where it is fresh, info where small,
 * the rule's severity where not known, an error where it is large; rows and size are added. */
void lint_add_weighed(const LintStatement *now, const char *rule, const json_t *relation,
                      int64_t location, const char *format, ...) PRINTF_LIKE(5, 6);
/* The same where rows are lost: info where there are none, a warning where few. */
void lint_add_loss(const LintStatement *now, const char *rule, const json_t *relation,
                   int64_t location, const char *format, ...) PRINTF_LIKE(5, 6);
int64_t lint_rows(const LintStatement *now, const json_t *relation); /* -1: not known */
/* Where the name or key word stands in the statement, looked for from *cursor (0 at first), which
 * moves behind it; -1 when not found. For nodes without a location. */
int64_t lint_locate(const LintStatement *now, const char *name, size_t *cursor);
/* "schema.name" as written in a RangeVar. */
const char *lint_relation_name(const LintStatement *now, const json_t *relation);
