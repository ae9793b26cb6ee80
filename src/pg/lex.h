/* PostgreSQL's lexical rules: where strings, quoted names, dollar quotes and comments begin and end
 * (src/backend/parser/scan.l and psql's psqlscan.l), and nothing of its grammar.
 *
 * A SqlScanner takes text in pieces, as it comes; a SqlLexer gives the tokens of a whole text,
 * where white space and comments are skipped. The text need not be terminated. Lexing is linear and
 * never fails half way. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    TOKEN_END,
    TOKEN_WORD,   /* key word or plain name */
    TOKEN_NAME,   /* "quoted name", U&"..." */
    TOKEN_STRING, /* '...', E'...', B'...', $tag$...$tag$ */
    TOKEN_NUMBER,
    TOKEN_PARAMETER, /* $1 */
    TOKEN_SYMBOL,    /* one byte: an operator is a run of these */
    TOKEN_ERROR,     /* lexer->problem says what */
    TOKEN_SPACE,     /* this and the next come from a scanner only */
    TOKEN_COMMENT,
} TokenKind;

/* ---- text in pieces ---------------------------------------------------------------------- */

/* What is open at the end of a piece. */
typedef enum {
    SCAN_PLAIN, /* nothing */
    SCAN_COMMENT,
    SCAN_STRING,
    SCAN_NAME,
    SCAN_DOLLAR,
} ScanMode;

/* Begins as all zeros. */
typedef struct {
    bool backslash_is_escape; /* standard_conforming_strings is off */
    ScanMode mode;
    bool backslash;    /* of the string that is open, or the last one: it knows escapes */
    bool after_string; /* a string has just ended, and goes on where a newline ... */
    bool newline;      /* ... comes before its next part */
    size_t depth;      /* of comments */
    /* "$body$" in the text, where SCAN_DOLLAR began. Who takes that text away before the quote has
     * ended puts a copy here. */
    const char *tag;
    size_t tag_length;
} SqlScanner;

typedef struct {
    TokenKind kind;
    size_t length;  /* bytes; not 0 */
    bool ends;      /* false: it goes on in the next piece */
    bool continues; /* a string: it goes on from the one before, after a newline */
} SqlPart;

/* What the text begins with, in which length is not 0. A piece may end at the end of any line: only
 * quotes and comments go over one. Strings that continue each other are parts of their own. */
SqlPart sql_scan(SqlScanner *scanner, const char *text, size_t length);

/* ---- a whole text ------------------------------------------------------------------------ */

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

/* standard_conforming_strings is taken to be on. A string or comment without its end gives
 * TOKEN_ERROR, and TOKEN_END after it. */
void sql_lexer_init(SqlLexer *lexer, const char *text, size_t length);
/* A string with its continuations is one token. */
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
