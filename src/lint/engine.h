/* Inside of the room: one run over files, and where its findings go. */
#pragma once

#include "lint/rule.h"

/* A place that moves with the text, so that finding places stays linear. */
typedef struct {
    size_t offset, line_start;
    int line, column;
} PlaceCursor;

/* One comment "lint:ignore ...". */
typedef struct {
    size_t offset;
    size_t statement;      /* that it is about */
    bool whole_file, late; /* late: of the whole file, and not before its first statement */
    const char *rule, *reason;
    bool used;
} Ignore;

typedef struct {
    Ignore *items; /* by statement */
    size_t count, capacity;
    json_t *whole; /* those of the whole file: rule -> index */
} Ignores;

/* A file as it is being read. */
typedef struct {
    LintFile file;
    Script script;
    json_t **trees; /* of statements, those that were kept; NULL elements are read again */
    size_t first;   /* statements before it have run already */
    bool pair_only; /* read for what the pair must fulfil */
    Ignores ignores;
} LintText;

struct LintRun {
    Arena *arena; /* of the report */
    Session *session;
    Model *model, *blank;
    LintReport *report;
    /* Of the file being read: */
    Arena *work;
    LintText *text;
    size_t statement; /* SIZE_MAX outside of statements */
    bool cut;         /* some of it is no SQL, or could not be split */
    PlaceCursor anchor, cursor;
    const char *source_line; /* the last one that was copied */
    size_t source_at;
    json_t *memory;
    /* Of a migration, for undo.c: what the up made, what the down drops; can both be followed? */
    json_t *made, *undone;
    bool follow, did, undoes;
};

/* findings.c: adds at a byte offset of the file being read. help NULL: the rule's. */
void findings_add(LintRun *run, size_t offset, const LintRule *rule, LintSeverity severity,
                  const char *help, const char *message);
const LintRule *findings_rule(const char *id); /* which must be there */
/* Byte of the file that a location of a statement is at; -1: its start. */
size_t findings_offset(const LintStatement *now, int64_t location);
void findings_sort(LintReport *report, size_t from);
void findings_count(LintReport *report);

/* ignore.c */
void ignores_read(LintRun *run, LintText *text);
/* Is the rule left out at the statement being read? */
bool ignores_take(LintRun *run, const LintRule *rule);
/* After the file: what was of no use. */
void ignores_report(LintRun *run);

/* text.c: splits and classifies; what may not run is a finding. */
void text_read(LintRun *run, LintText *text);
/* Of a script that was understood already. */
void text_take(LintRun *run, LintText *text, const Script *script);
void text_free(LintText *text);

/* syntax.c: a statement that the grammar did not take. False: the server was lost. */
bool syntax_check(LintRun *run, const LintStatement *now, const Error *rejected,
                  Error *err) MUST_CHECK;

/* undo.c */
void undo_begin(LintRun *run);
void undo_see(LintRun *run, const LintStatement *now);
/* At the end of the down. */
void undo_check(LintRun *run);
void undo_end(LintRun *run);

/* engine.c: places are counted from the beginning of that text. */
void engine_begin(LintRun *run, LintText *text);
/* Runs the checks over one text. model: which it is judged by; apply: it changes it. */
bool engine_text(LintRun *run, LintText *text, Model *model, bool apply, Error *err) MUST_CHECK;

/* rules.c */
extern const LintCheck *const lint_check_tables[];
