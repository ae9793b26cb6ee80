#include "backup/dump_lexer.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool starts_word(char byte)
{
    return isalpha((unsigned char)byte) || byte == '_' || (unsigned char)byte >= 0x80;
}

static bool continues_word(char byte)
{
    return starts_word(byte) || isdigit((unsigned char)byte) || byte == '$';
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

static bool in_routine(const Lexer *lexer)
{
    const char *words = lexer->routine_words;
    if (words[0] != 'c')
        return false;
    const char *kind = words[1] == 'o' && words[2] == 'r' ? words + 3 : words + 1;
    return *kind == 'f' || *kind == 'p';
}

/* psql's heuristic for SQL-standard function bodies: words of CREATE [OR REPLACE] FUNCTION or
 * PROCEDURE are remembered by their first letters; then BEGIN, CASE and END are counted. */
static void note_word(Lexer *lexer, const char *word, size_t length)
{
    static const char *const remembered[] = {"create", "function", "procedure", "or", "replace"};
    for (size_t i = 0; i < COUNT_OF(remembered); i++) {
        size_t at = (size_t)lexer->word_count;
        if (at < sizeof(lexer->routine_words) && is_word(word, length, remembered[i]))
            lexer->routine_words[at] = remembered[i][0];
    }
    if (lexer->word_count == 0)
        lexer->is_copy = is_word(word, length, "copy");
    lexer->word_count++;
    if (lexer->is_copy && lexer->after_from && lexer->paren_depth == 0 &&
        is_word(word, length, "stdin"))
        lexer->copies_from_stdin = true;
    lexer->after_from = is_word(word, length, "from");
    if (!in_routine(lexer) || lexer->paren_depth)
        return;
    if (is_word(word, length, "begin"))
        lexer->begin_depth++;
    else if (is_word(word, length, "case") && lexer->begin_depth)
        lexer->begin_depth++;
    else if (is_word(word, length, "end") && lexer->begin_depth)
        lexer->begin_depth--;
}

/* "$tag$" or "$$" at text; 0 when it is none. */
static size_t dollar_tag_length(const char *text, size_t length)
{
    size_t at = 1;
    if (at < length && starts_word(text[at])) {
        while (at < length && continues_word(text[at]) && text[at] != '$')
            at++;
    }
    return at < length && text[at] == '$' ? at + 1 : 0;
}

static size_t scan_word(Lexer *lexer, const char *text, size_t length)
{
    size_t end = 1;
    while (end < length && continues_word(text[end]))
        end++;
    if (end == 1 && (*text == 'e' || *text == 'E') && end < length && text[end] == '\'') {
        lexer->mode = LEX_ESCAPE_QUOTE;
        return end + 1;
    }
    note_word(lexer, text, end);
    return end;
}

static bool opens_comment(Lexer *lexer, const char *text, size_t length)
{
    if (length < 2 || text[0] != '/' || text[1] != '*')
        return false;
    lexer->mode = LEX_BLOCK_COMMENT;
    lexer->comment_depth = 1;
    return true;
}

static bool opens_dollar_quote(Lexer *lexer, const char *text, size_t length)
{
    size_t tag = *text == '$' ? dollar_tag_length(text, length) : 0;
    if (!tag || tag > sizeof(lexer->tag))
        return false;
    memcpy(lexer->tag, text, tag);
    lexer->tag_length = tag;
    lexer->mode = LEX_DOLLAR_QUOTE;
    return true;
}

/* Bytes of the token at text, outside quotes and comments; modes it opens are set. */
static size_t scan_text(Lexer *lexer, const char *text, size_t length)
{
    if (starts_word(*text))
        return scan_word(lexer, text, length);
    if (isspace((unsigned char)*text))
        return 1;
    lexer->after_from = false;
    if (length >= 2 && text[0] == '-' && text[1] == '-')
        return length; /* to the end of the line */
    if (opens_comment(lexer, text, length))
        return 2;
    if (opens_dollar_quote(lexer, text, length))
        return lexer->tag_length;
    if (isdigit((unsigned char)*text)) {
        size_t end = 1;
        while (end < length && continues_word(text[end]))
            end++;
        return end;
    }
    if (*text == '\'')
        lexer->mode = lexer->backslash_is_escape ? LEX_ESCAPE_QUOTE : LEX_SINGLE_QUOTE;
    else if (*text == '"')
        lexer->mode = LEX_DOUBLE_QUOTE;
    else if (*text == '(')
        lexer->paren_depth++;
    else if (*text == ')' && lexer->paren_depth)
        lexer->paren_depth--;
    return 1;
}

static size_t scan_comment(Lexer *lexer, const char *text, size_t length)
{
    if (length >= 2 && text[0] == '*' && text[1] == '/') {
        if (--lexer->comment_depth == 0)
            lexer->mode = LEX_TEXT;
        return 2;
    }
    if (length >= 2 && text[0] == '/' && text[1] == '*') {
        lexer->comment_depth++;
        return 2;
    }
    return 1;
}

/* Inside quotes: a doubled quote closes and opens again, which comes to the same. */
static size_t scan_quoted(Lexer *lexer, const char *text, size_t length)
{
    if (lexer->mode == LEX_ESCAPE_QUOTE && *text == '\\')
        return length >= 2 ? 2 : 1;
    size_t plain = 0;
    while (plain < length && text[plain] != '\'' && text[plain] != '"' && text[plain] != '\\')
        plain++;
    if (plain)
        return plain;
    if (lexer->mode == LEX_ESCAPE_QUOTE && length >= 2 && text[0] == '\'' && text[1] == '\'')
        return 2; /* stays an escape string */
    if (*text == (lexer->mode == LEX_DOUBLE_QUOTE ? '"' : '\''))
        lexer->mode = LEX_TEXT;
    return 1;
}

static size_t scan_dollar(Lexer *lexer, const char *text, size_t length)
{
    if (*text != '$') {
        const char *dollar = memchr(text, '$', length);
        return dollar ? (size_t)(dollar - text) : length;
    }
    if (length < lexer->tag_length || memcmp(text, lexer->tag, lexer->tag_length) != 0)
        return 1;
    lexer->mode = LEX_TEXT;
    return lexer->tag_length;
}

static size_t scan_token(Lexer *lexer, const char *text, size_t length)
{
    switch (lexer->mode) {
    case LEX_BLOCK_COMMENT:
        return scan_comment(lexer, text, length);
    case LEX_SINGLE_QUOTE:
    case LEX_ESCAPE_QUOTE:
    case LEX_DOUBLE_QUOTE:
        return scan_quoted(lexer, text, length);
    case LEX_DOLLAR_QUOTE:
        return scan_dollar(lexer, text, length);
    case LEX_TEXT:
        break;
    }
    return scan_text(lexer, text, length);
}

static bool ends_statement(const Lexer *lexer, char byte)
{
    return byte == ';' && lexer->mode == LEX_TEXT && !lexer->paren_depth && !lexer->begin_depth;
}

/* Comments and white space in front of a statement are no part of it. */
static bool is_leading_noise(const Lexer *lexer, LexMode mode_before, const char *text,
                             size_t length)
{
    if (lexer->statement.length)
        return false;
    return mode_before == LEX_BLOCK_COMMENT || lexer->mode == LEX_BLOCK_COMMENT ||
           isspace((unsigned char)*text) || (length >= 2 && text[0] == '-' && text[1] == '-');
}

LexResult lexer_scan(Lexer *lexer, const char *line, size_t length, size_t *at)
{
    while (*at < length) {
        const char *text = line + *at;
        if (lexer->mode == LEX_TEXT && *text == '\\')
            return LEX_BACKSLASH;
        if (ends_statement(lexer, *text)) {
            (*at)++;
            if (lexer->statement.length)
                return LEX_STATEMENT;
            continue;
        }
        LexMode mode_before = lexer->mode;
        size_t token = scan_token(lexer, text, length - *at);
        *at += token;
        if (!is_leading_noise(lexer, mode_before, text, token) &&
            !buffer_append(&lexer->statement, text, token))
            return LEX_TOO_LONG;
    }
    return LEX_LINE_DONE;
}

void lexer_next(Lexer *lexer)
{
    buffer_clear(&lexer->statement);
    lexer->paren_depth = lexer->begin_depth = lexer->word_count = 0;
    lexer->is_copy = lexer->after_from = lexer->copies_from_stdin = false;
    memset(lexer->routine_words, 0, sizeof(lexer->routine_words));
}

bool lexer_is_idle(const Lexer *lexer)
{
    return lexer->mode == LEX_TEXT && lexer->statement.length == 0;
}
