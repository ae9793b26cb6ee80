/* A text of SQL into its statements, by psql's rules, without a parser: what no grammar of one
 * major knows yet is split all the same.
 *
 * A statement ends at a ';' outside of quotes, parentheses and the BEGIN ATOMIC body of a function,
 * or at the end of the text. COPY ... FROM STDIN takes the lines after it up to "\." as its data.
 * What is not SQL is an error with its place: psql's backslash commands, COPY data without an end,
 * unterminated quotes. Linear in the length of the text. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/lex.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t start, length;     /* first to last token, without the ';' */
    int line;                 /* of start, 1-based */
    bool copy;                /* COPY ... FROM STDIN with its data inline */
    size_t data, data_length; /* the data, with its last newline and without "\." */
} SqlPiece;

typedef struct {
    SqlPiece *items;
    size_t count, capacity;
    size_t problem; /* on failure: the byte where the trouble is */
} SqlPieces;

/* Pieces are in the arena; offsets are into text. On failure the message does not name the place:
 * pieces->problem does. */
bool sql_split(Arena *arena, const char *text, size_t length, SqlPieces *pieces,
               Error *err) MUST_CHECK;
