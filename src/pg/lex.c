#include "pg/lex.h"

#include <assert.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word_part(char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

void sql_lexer_init(SqlLexer *lexer, const char *text, size_t length)
{
    *lexer = (SqlLexer){.text = text, .length = length};
}

static char peek(const SqlLexer *lexer, size_t offset)
{
    return lexer->at + offset < lexer->length ? lexer->text[lexer->at + offset] : '\0';
}

static void skip_line_comment(const char *text, size_t length, size_t *at)
{
    while (*at < length && !is_newline(text[*at]))
        (*at)++;
}

/* Block comments nest. */
bool sql_skip_block_comment(const char *text, size_t length, size_t *at)
{
    size_t depth = 0, i = *at;
    while (i + 1 < length) {
        if (text[i] == '/' && text[i + 1] == '*') {
            depth++;
            i += 2;
        } else if (text[i] == '*' && text[i + 1] == '/') {
            depth--;
            i += 2;
            if (depth == 0) {
                *at = i;
                return true;
            }
        } else {
            i++;
        }
    }
    return false;
}

/* Skips white space and comments from at; false, with *at at its start, on an endless comment. */
static bool skip_space(const char *text, size_t length, size_t *at)
{
    while (*at < length) {
        char c = text[*at];
        char next = *at + 1 < length ? text[*at + 1] : '\0';
        if (is_space(c))
            (*at)++;
        else if (c == '-' && next == '-')
            skip_line_comment(text, length, at);
        else if (c == '/' && next == '*') {
            if (!sql_skip_block_comment(text, length, at))
                return false;
        } else {
            break;
        }
    }
    return true;
}

static SqlToken token_to_here(const SqlLexer *lexer, TokenKind kind, size_t start)
{
    return (SqlToken){kind, start, lexer->at - start};
}

static SqlToken fail(SqlLexer *lexer, size_t start, const char *problem)
{
    lexer->problem = problem;
    lexer->at = lexer->length;
    return token_to_here(lexer, TOKEN_ERROR, start);
}

/* From the byte after an opening quote to the byte after the closing one. A doubled quote needs no
 * case of its own in plain strings, but a name or string goes on after it. */
static bool skip_quoted(SqlLexer *lexer, char quote, bool backslash)
{
    while (lexer->at < lexer->length) {
        char c = lexer->text[lexer->at++];
        if (c == '\\' && backslash) {
            if (lexer->at < lexer->length)
                lexer->at++;
        } else if (c == quote) {
            if (peek(lexer, 0) != quote)
                return true;
            lexer->at++;
        }
    }
    return false;
}

/* A string goes on after white space that holds a newline, and keeps its kind of escapes: E'a'
 * NEWLINE 'b\'c'. Only "--" comments may stand between the parts. */
static bool at_continuation(SqlLexer *lexer)
{
    bool newline = false;
    size_t i = lexer->at;
    while (i < lexer->length) {
        char c = lexer->text[i];
        if (is_space(c)) {
            newline |= is_newline(c);
            i++;
        } else if (c == '-' && i + 1 < lexer->length && lexer->text[i + 1] == '-') {
            skip_line_comment(lexer->text, lexer->length, &i);
        } else {
            break;
        }
    }
    if (!newline || i >= lexer->length || lexer->text[i] != '\'')
        return false;
    lexer->at = i + 1;
    return true;
}

/* at stands on the opening quote. */
static SqlToken lex_string(SqlLexer *lexer, size_t start, bool backslash)
{
    lexer->at++;
    do {
        if (!skip_quoted(lexer, '\'', backslash))
            return fail(lexer, start, "unterminated quoted string");
    } while (at_continuation(lexer));
    return token_to_here(lexer, TOKEN_STRING, start);
}

static SqlToken lex_name(SqlLexer *lexer, size_t start)
{
    lexer->at++;
    if (!skip_quoted(lexer, '"', false))
        return fail(lexer, start, "unterminated quoted identifier");
    return token_to_here(lexer, TOKEN_NAME, start);
}

/* Length of "$tag$" at the lexer, 0 when there is none. */
static size_t dollar_tag_length(const SqlLexer *lexer)
{
    size_t i = 1;
    if (is_word_start(peek(lexer, i))) {
        do
            i++;
        while (is_word_part(peek(lexer, i)) && peek(lexer, i) != '$');
    }
    return lexer->at + i < lexer->length && peek(lexer, i) == '$' ? i + 1 : 0;
}

static SqlToken lex_dollar(SqlLexer *lexer)
{
    size_t start = lexer->at;
    if (is_digit(peek(lexer, 1))) {
        do
            lexer->at++;
        while (is_digit(peek(lexer, 0)));
        return token_to_here(lexer, TOKEN_PARAMETER, start);
    }
    size_t tag = dollar_tag_length(lexer);
    if (!tag) {
        lexer->at++;
        return token_to_here(lexer, TOKEN_SYMBOL, start);
    }
    lexer->at += tag;
    const char *end =
        memmem(lexer->text + lexer->at, lexer->length - lexer->at, lexer->text + start, tag);
    if (!end)
        return fail(lexer, start, "unterminated dollar-quoted string");
    lexer->at = (size_t)(end - lexer->text) + tag;
    return token_to_here(lexer, TOKEN_STRING, start);
}

/* A letter directly before a quote makes another kind of string; E alone knows backslashes. */
static SqlToken lex_word(SqlLexer *lexer)
{
    size_t start = lexer->at;
    char first = (char)(peek(lexer, 0) | 0x20);
    if (peek(lexer, 1) == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n')) {
        lexer->at++;
        return lex_string(lexer, start, first == 'e');
    }
    if (first == 'u' && peek(lexer, 1) == '&' &&
        (peek(lexer, 2) == '\'' || peek(lexer, 2) == '"')) {
        bool string = peek(lexer, 2) == '\'';
        lexer->at += 2;
        return string ? lex_string(lexer, start, false) : lex_name(lexer, start);
    }
    while (lexer->at < lexer->length && is_word_part(lexer->text[lexer->at]))
        lexer->at++;
    return token_to_here(lexer, TOKEN_WORD, start);
}

static SqlToken lex_number(SqlLexer *lexer)
{
    size_t start = lexer->at;
    while (is_digit(peek(lexer, 0)) || is_word_start(peek(lexer, 0)) || peek(lexer, 0) == '.')
        lexer->at++;
    return token_to_here(lexer, TOKEN_NUMBER, start);
}

SqlToken sql_lexer_next(SqlLexer *lexer)
{
    if (!skip_space(lexer->text, lexer->length, &lexer->at))
        return fail(lexer, lexer->at, "unterminated comment");
    size_t start = lexer->at;
    assert(start <= lexer->length);
    if (start == lexer->length)
        return (SqlToken){TOKEN_END, start, 0};
    char c = lexer->text[start];
    if (c == '\'')
        return lex_string(lexer, start, false);
    if (c == '"')
        return lex_name(lexer, start);
    if (c == '$')
        return lex_dollar(lexer);
    if (is_word_start(c))
        return lex_word(lexer);
    if (is_digit(c))
        return lex_number(lexer);
    lexer->at++;
    return token_to_here(lexer, TOKEN_SYMBOL, start);
}

bool sql_token_is(const SqlLexer *lexer, SqlToken token, const char *word)
{
    return token.kind == TOKEN_WORD && strlen(word) == token.length &&
           strncasecmp(lexer->text + token.start, word, token.length) == 0;
}

bool sql_token_is_symbol(const SqlLexer *lexer, SqlToken token, char symbol)
{
    return token.kind == TOKEN_SYMBOL && lexer->text[token.start] == symbol;
}

static bool is_continuation_byte(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

SqlPlace sql_place(const char *text, size_t length, size_t offset)
{
    SqlPlace place = {1, 1};
    for (size_t i = 0; i < offset && i < length; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (!is_continuation_byte(text[i])) {
            place.column++;
        }
    }
    return place;
}

size_t sql_offset_of_character(const char *text, size_t length, int position)
{
    size_t at = 0;
    for (int character = 1; character < position && at < length; character++) {
        do
            at++;
        while (at < length && is_continuation_byte(text[at]));
    }
    return at;
}
