/* Lines of pg_hba.conf and pg_ident.conf as PgBouncer takes them apart: words, quoted texts ("" for
 * a quote) and commas; '#' starts a comment wherever a word could. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    ACCESS_END,
    ACCESS_WORD,
    ACCESS_QUOTED, /* never a keyword */
    ACCESS_COMMA,
    ACCESS_BROKEN, /* a quote that is not closed, or a NUL byte */
} AccessKind;

/* A line at a time, and its tokens one by one; kind and text are the token that stands next. */
typedef struct {
    Arena *arena;
    const char *at;
    const char *line_end;
    const char *end;
    int line;
    AccessKind kind;
    const char *text; /* of a word or quoted text; else "" */
} AccessLines;

void access_init(AccessLines *lines, Arena *arena, const char *text, size_t length);
/* To the first token of the next line that has one. False at the end of the text. */
bool access_next_line(AccessLines *lines);
/* To the next token of the line. */
void access_next(AccessLines *lines);
/* Is the next token this keyword? Then it is passed. */
bool access_take_word(AccessLines *lines, const char *word);
