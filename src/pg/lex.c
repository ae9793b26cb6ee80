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

/* ---- text in pieces ---------------------------------------------------------------------- */

static size_t count_while(const char *text, size_t from, size_t length, bool (*is)(char))
{
    while (from < length && is(text[from]))
        from++;
    return from;
}

static bool is_not_newline(char c)
{
    return !is_newline(c);
}

/* Behind the end of a string or name, whose quote was at from - 1 or earlier. A doubled quote needs
 * no case of its own in plain strings, but a name or string goes on after it. */
static SqlPart scan_quoted(SqlScanner *scanner, TokenKind kind, const char *text, size_t from,
                           size_t length)
{
    char quote = kind == TOKEN_NAME ? '"' : '\'';
    bool backslash = kind == TOKEN_STRING && scanner->backslash;
    for (size_t at = from; at < length; at++) {
        if (text[at] == '\\' && backslash) {
            at++;
        } else if (text[at] == quote) {
            if (at + 1 >= length || text[at + 1] != quote) {
                scanner->mode = SCAN_PLAIN;
                scanner->after_string = kind == TOKEN_STRING;
                scanner->newline = false;
                return (SqlPart){kind, at + 1, true, false};
            }
            at++;
        }
    }
    return (SqlPart){kind, length, false, false};
}

static SqlPart open_name(SqlScanner *scanner, const char *text, size_t from, size_t length)
{
    scanner->mode = SCAN_NAME;
    return scan_quoted(scanner, TOKEN_NAME, text, from, length);
}

static SqlPart open_string(SqlScanner *scanner, const char *text, size_t from, size_t length,
                           bool backslash)
{
    scanner->mode = SCAN_STRING;
    scanner->backslash = backslash;
    return scan_quoted(scanner, TOKEN_STRING, text, from, length);
}

/* A string goes on after white space that holds a newline, and keeps its kind of escapes: E'a'
 * NEWLINE 'b\'c'. Only "--" comments may stand between the parts. */
static SqlPart open_plain_string(SqlScanner *scanner, const char *text, size_t length,
                                 bool continues)
{
    bool backslash = continues ? scanner->backslash : scanner->backslash_is_escape;
    SqlPart part = open_string(scanner, text, 1, length, backslash);
    part.continues = continues;
    return part;
}

/* Block comments nest. */
static SqlPart scan_comment(SqlScanner *scanner, const char *text, size_t from, size_t length)
{
    for (size_t at = from; at + 1 < length;) {
        if (text[at] == '/' && text[at + 1] == '*') {
            scanner->depth++;
            at += 2;
        } else if (text[at] == '*' && text[at + 1] == '/') {
            at += 2;
            if (--scanner->depth == 0) {
                scanner->mode = SCAN_PLAIN;
                return (SqlPart){TOKEN_COMMENT, at, true, false};
            }
        } else {
            at++;
        }
    }
    return (SqlPart){TOKEN_COMMENT, length, false, false};
}

static SqlPart open_comment(SqlScanner *scanner, const char *text, size_t length)
{
    scanner->mode = SCAN_COMMENT;
    scanner->depth = 1;
    return scan_comment(scanner, text, 2, length);
}

static SqlPart scan_dollar_quoted(SqlScanner *scanner, const char *text, size_t from, size_t length)
{
    const char *end = memmem(text + from, length - from, scanner->tag, scanner->tag_length);
    if (!end)
        return (SqlPart){TOKEN_STRING, length, false, false};
    scanner->mode = SCAN_PLAIN;
    return (SqlPart){TOKEN_STRING, (size_t)(end - text) + scanner->tag_length, true, false};
}

/* Length of "$tag$" at text, 0 when there is none. */
static size_t dollar_tag_length(const char *text, size_t length)
{
    size_t at = 1;
    if (at < length && is_word_start(text[at])) {
        while (at < length && is_word_part(text[at]) && text[at] != '$')
            at++;
    }
    return at < length && text[at] == '$' ? at + 1 : 0;
}

static SqlPart scan_dollar(SqlScanner *scanner, const char *text, size_t length)
{
    size_t digits = count_while(text, 1, length, is_digit);
    if (digits > 1)
        return (SqlPart){TOKEN_PARAMETER, digits, true, false};
    size_t tag = dollar_tag_length(text, length);
    if (!tag)
        return (SqlPart){TOKEN_SYMBOL, 1, true, false};
    scanner->mode = SCAN_DOLLAR;
    scanner->tag = text;
    scanner->tag_length = tag;
    return scan_dollar_quoted(scanner, text, tag, length);
}

/* A letter directly before a quote makes another kind of string; E alone knows backslashes. */
static SqlPart scan_word(SqlScanner *scanner, const char *text, size_t length)
{
    char first = (char)(text[0] | 0x20);
    char second = length > 1 ? text[1] : '\0';
    char third = length > 2 ? text[2] : '\0';
    if (second == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n'))
        return open_string(scanner, text, 2, length,
                           first == 'e' || (first == 'n' && scanner->backslash_is_escape));
    if (first == 'u' && second == '&' && third == '\'')
        return open_string(scanner, text, 3, length, false);
    if (first == 'u' && second == '&' && third == '"')
        return open_name(scanner, text, 3, length);
    return (SqlPart){TOKEN_WORD, count_while(text, 1, length, is_word_part), true, false};
}

static bool is_number_part(char c)
{
    return is_digit(c) || is_word_start(c) || c == '.';
}

static SqlPart scan_plain(SqlScanner *scanner, const char *text, size_t length)
{
    bool continues = scanner->after_string && scanner->newline;
    char c = text[0];
    if (is_space(c)) {
        size_t end = count_while(text, 1, length, is_space);
        for (size_t at = 0; at < end && !scanner->newline; at++)
            scanner->newline = is_newline(text[at]);
        return (SqlPart){TOKEN_SPACE, end, true, false};
    }
    if (c == '-' && length > 1 && text[1] == '-')
        return (SqlPart){TOKEN_COMMENT, count_while(text, 2, length, is_not_newline), true, false};
    scanner->after_string = false;
    if (c == '/' && length > 1 && text[1] == '*')
        return open_comment(scanner, text, length);
    if (c == '\'')
        return open_plain_string(scanner, text, length, continues);
    if (c == '"')
        return open_name(scanner, text, 1, length);
    if (c == '$')
        return scan_dollar(scanner, text, length);
    if (is_word_start(c))
        return scan_word(scanner, text, length);
    if (is_digit(c))
        return (SqlPart){TOKEN_NUMBER, count_while(text, 1, length, is_number_part), true, false};
    return (SqlPart){TOKEN_SYMBOL, 1, true, false};
}

SqlPart sql_scan(SqlScanner *scanner, const char *text, size_t length)
{
    assert(length > 0);
    switch (scanner->mode) {
    case SCAN_COMMENT:
        return scan_comment(scanner, text, 0, length);
    case SCAN_STRING:
        return scan_quoted(scanner, TOKEN_STRING, text, 0, length);
    case SCAN_NAME:
        return scan_quoted(scanner, TOKEN_NAME, text, 0, length);
    case SCAN_DOLLAR:
        return scan_dollar_quoted(scanner, text, 0, length);
    case SCAN_PLAIN:
        break;
    }
    return scan_plain(scanner, text, length);
}

/* ---- a whole text ------------------------------------------------------------------------ */

void sql_lexer_init(SqlLexer *lexer, const char *text, size_t length)
{
    *lexer = (SqlLexer){.text = text, .length = length};
}

bool sql_skip_block_comment(const char *text, size_t length, size_t *at)
{
    SqlScanner scanner = {0};
    SqlPart part = open_comment(&scanner, text + *at, length - *at);
    if (part.ends)
        *at += part.length;
    return part.ends;
}

static SqlToken fail(SqlLexer *lexer, size_t start, ScanMode open)
{
    static const char *const problems[] = {
        [SCAN_COMMENT] = "unterminated comment",
        [SCAN_STRING] = "unterminated quoted string",
        [SCAN_NAME] = "unterminated quoted identifier",
        [SCAN_DOLLAR] = "unterminated dollar-quoted string",
    };
    lexer->problem = problems[open];
    lexer->at = lexer->length;
    return (SqlToken){TOKEN_ERROR, start, lexer->at - start};
}

/* Makes the token longer by what continues it: lexer->at is behind the string. */
static SqlToken take_continuations(SqlLexer *lexer, SqlScanner scanner, SqlToken token)
{
    for (size_t at = lexer->at; at < lexer->length;) {
        SqlPart part = sql_scan(&scanner, lexer->text + at, lexer->length - at);
        bool between = part.kind == TOKEN_SPACE || part.kind == TOKEN_COMMENT;
        if (!part.continues && !(between && scanner.after_string))
            break;
        if (!part.ends)
            return fail(lexer, token.start, scanner.mode);
        at += part.length;
        if (part.continues)
            lexer->at = at;
    }
    token.length = lexer->at - token.start;
    return token;
}

SqlToken sql_lexer_next(SqlLexer *lexer)
{
    SqlScanner scanner = {0};
    while (lexer->at < lexer->length) {
        SqlToken token = {.start = lexer->at};
        SqlPart part = sql_scan(&scanner, lexer->text + lexer->at, lexer->length - lexer->at);
        if (!part.ends)
            return fail(lexer, token.start, scanner.mode);
        lexer->at += part.length;
        if (part.kind == TOKEN_SPACE || part.kind == TOKEN_COMMENT)
            continue;
        token.kind = part.kind;
        token.length = part.length;
        return part.kind == TOKEN_STRING ? take_continuations(lexer, scanner, token) : token;
    }
    return (SqlToken){TOKEN_END, lexer->at, 0};
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
