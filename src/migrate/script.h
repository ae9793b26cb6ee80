/* One migration file, understood: its statements and whether they run in one transaction.
 *
 * Annotations stand in comment lines before the first statement. "-- migrate:transaction none"
 * (also "transaction:false" of dbmate, "+goose NO TRANSACTION", "atlas:txmode none") runs the
 * statements each on its own; "-- migrate:transaction one" insists on the transaction. Without one
 * it is inferred: a file whose statements cannot run in a transaction runs without; a file that
 * mixes both kinds is refused, because half of it could stay behind. A BEGIN ... COMMIT around the
 * whole file is left out: the file has its transaction anyway.
 *
 * Of a file with sections (sections.h) only the one for the direction is read; annotations before
 * the first marker are for both, those on or behind a marker for its section. The checksum is that
 * of the whole file all the same. */
#pragma once

#include "base/hash.h"
#include "migrate/sections.h"
#include "pg/parse.h"
#include "pg/split.h"

typedef struct {
    SqlPiece piece;
    Statement what;
    bool left_out;             /* BEGIN or COMMIT around the whole file */
    char chain[HASH_HEX_SIZE]; /* SHA-256 over this and all statements before it */
} ScriptStatement;

typedef struct {
    const char *name; /* file name, for messages */
    const char *text; /* what runs: other sections are blanked */
    size_t length;
    char checksum[HASH_HEX_SIZE];
    ScriptStatement *items;
    size_t count;
    bool transaction;       /* one around all of it */
    const char *why_none;   /* where not: "annotated", or the statement that cannot */
    bool sets_lock_timeout; /* the file decides itself */
    bool loads_library;
    bool not_analysed; /* some statement is newer than our grammar */
    SectionKind section;
    size_t first_marker; /* no statement stands before it */
    size_t problem;      /* after script_check_statement or script_settle said no: the byte */
} Script;

typedef struct {
    int line, column; /* 1-based; 0: not known */
} ScriptPlace;

/* Reads and understands a file as a way up, or as a way down; nothing is sent anywhere. Errors name
 * file, line and column, with the line and a caret below it: ERR_USAGE for what cannot be read,
 * ERR_REFUSED for what may not run. */
bool script_read(Arena *arena, const char *path, Script *script, Error *err) MUST_CHECK;
bool script_read_down(Arena *arena, const char *path, Script *script, Error *err) MUST_CHECK;
/* The same of a text that is in memory, NUL-terminated, normalised (files.h). */
bool script_parse(Arena *arena, const char *name, const char *text, size_t length, Script *script,
                  Error *err) MUST_CHECK;
bool script_parse_down(Arena *arena, const char *name, const char *text, size_t length,
                       Script *script, Error *err) MUST_CHECK;
/* The steps of script_parse, for whoever goes on after a refusal (lint). Their errors do not name
 * the place: script->problem does. Begin takes the section; what is split is script->text. A
 * statement is checked when it is classified, the annotations and the transaction are settled when
 * all of them are. */
bool script_begin(Arena *arena, const char *name, const char *text, size_t length,
                  SectionKind section, Script *script, Error *err) MUST_CHECK;
bool script_check_statement(Script *script, size_t index, Error *err) MUST_CHECK;
bool script_settle(Arena *arena, Script *script, Error *err) MUST_CHECK;
/* Puts the place before err's message and the line with a caret behind it. Returns false. */
bool script_fail_at(const Script *script, size_t offset, Error *err);
/* The same for an error of the server or parser about a statement: uses err->position, else the
 * statement's first line, and the line that COPY names. */
bool script_fail_in(const Script *script, size_t index, Error *err);
ScriptPlace script_place_of(const Script *script, size_t index, const Error *err);
