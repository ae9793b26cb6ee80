/* PostgreSQL's lexical rules: where strings, quoted names, dollar quotes and comments begin and end
 * (src/backend/parser/scan.l and psql's psqlscan.l), and nothing of its grammar.
 *
 * White space and comments are skipped. standard_conforming_strings is taken to be on. The text
 * need not be terminated; tokens point into it by byte offsets. Lexing is linear and never fails
 * half way: a string or comment without its end gives TOKEN_ERROR, and TOKEN_END after it. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    TOKEN_END,
    TOKEN_WORD,   /* key word or plain name */
    TOKEN_NAME,   /* "quoted name", U&"..." */
    TOKEN_STRING, /* '...', E'...', B'...', $tag$...$tag$; one token with its continuations */
    TOKEN_NUMBER,
    TOKEN_PARAMETER, /* $1 */
    TOKEN_SYMBOL,    /* one byte: an operator is a run of these */
    TOKEN_ERROR,     /* lexer->problem says what */
} TokenKind;

typedef struct {
    TokenKind kind;
    size_t start, length; /* bytes */
} SqlToken;

typedef struct {
    const char *text;
    size_t length;
    size_t at;           /* where the next token is looked for */
    const char *problem; /* of TOKEN_ERROR: "unterminated quoted string" */
} SqlLexer;

void sql_lexer_init(SqlLexer *lexer, const char *text, size_t length);
SqlToken sql_lexer_next(SqlLexer *lexer);
/* Is the token this plain word? word is lower case; letters compare without case. */
bool sql_token_is(const SqlLexer *lexer, SqlToken token, const char *word);
bool sql_token_is_symbol(const SqlLexer *lexer, SqlToken token, char symbol);

/* From the start of a block comment to behind its end; false, with *at unchanged, when it has none.
 */
bool sql_skip_block_comment(const char *text, size_t length, size_t *at);

typedef struct {
    int line;   /* 1-based */
    int column; /* 1-based, in characters of UTF-8 */
} SqlPlace;

/* Where a byte offset is. Reads the text up to there. */
SqlPlace sql_place(const char *text, size_t length, size_t offset);
/* The byte offset of a 1-based character position, as the server counts; length when past the end.
 */
size_t sql_offset_of_character(const char *text, size_t length, int position);
