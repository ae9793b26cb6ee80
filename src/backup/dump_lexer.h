/* The lexical half of dump_reader.h: where statements end. Works on whole lines, so that no token
 * but quoted text and comments is ever cut in two. Only dump_reader.c includes it. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>

typedef enum {
    LEX_TEXT,
    LEX_BLOCK_COMMENT,
    LEX_SINGLE_QUOTE,
    LEX_ESCAPE_QUOTE, /* E'...': a backslash takes the next byte along */
    LEX_DOUBLE_QUOTE,
    LEX_DOLLAR_QUOTE,
} LexMode;

#define LEX_TAG_MAX 128

typedef struct {
    LexMode mode;
    int comment_depth;
    char tag[LEX_TAG_MAX]; /* "$body$" */
    size_t tag_length;
    int paren_depth;
    int begin_depth;          /* BEGIN ATOMIC ... END, and CASE ... END within */
    int word_count;           /* words of this statement so far */
    char routine_words[4];    /* first letters, as psql keeps them: c[or]f, c[or]p */
    bool is_copy;             /* its first word is COPY */
    bool after_from;          /* the last token was the word FROM */
    bool copies_from_stdin;   /* COPY ... FROM STDIN */
    bool backslash_is_escape; /* standard_conforming_strings was set off */
    Buffer statement;         /* text of it so far, without leading comments */
} Lexer;

typedef enum { LEX_LINE_DONE, LEX_STATEMENT, LEX_BACKSLASH, LEX_TOO_LONG } LexResult;

/* Looks at line[*at..length), a whole line or the last of the text, and stops behind the semicolon
 * of a statement (LEX_STATEMENT: it is in lexer->statement, which the caller clears with
 * lexer_next), at a backslash outside quotes, or at the end of the line. */
LexResult lexer_scan(Lexer *lexer, const char *line, size_t length, size_t *at);
void lexer_next(Lexer *lexer);
/* Is nothing begun? */
bool lexer_is_idle(const Lexer *lexer);
