/* The lexical half of dump_reader.h: where statements end, by psql's rules over those of pg/lex.h.
 * Works on whole lines. Only dump_reader.c includes it. */
#pragma once

#include "base/buffer.h"
#include "pg/lex.h"

#include <stdbool.h>

/* Begins as all zeros, then lexer_init. */
typedef struct {
    SqlScanner scanner;
    Buffer tag; /* scanner.tag once its line is gone */
    int paren_depth;
    int begin_depth;        /* BEGIN ATOMIC ... END, and CASE ... END within */
    int word_count;         /* words of this statement so far */
    char routine_words[4];  /* first letters, as psql keeps them: c[or]f, c[or]p */
    bool is_copy;           /* its first word is COPY */
    bool after_from;        /* the last token was the word FROM */
    bool copies_from_stdin; /* COPY ... FROM STDIN */
    Buffer statement;       /* text of it so far, without leading comments */
} Lexer;

typedef enum { LEX_LINE_DONE, LEX_STATEMENT, LEX_BACKSLASH, LEX_TOO_LONG } LexResult;

/* A statement may have max_bytes. */
void lexer_init(Lexer *lexer, size_t max_bytes);
void lexer_free(Lexer *lexer);
/* Looks at line[*at..length), a whole line or the last of the text, and stops behind the semicolon
 * of a statement (LEX_STATEMENT: it is in lexer->statement, which the caller clears with
 * lexer_next), at a backslash outside quotes, or at the end of the line. */
LexResult lexer_scan(Lexer *lexer, const char *line, size_t length, size_t *at);
void lexer_next(Lexer *lexer);
/* Is nothing begun? */
bool lexer_is_idle(const Lexer *lexer);
