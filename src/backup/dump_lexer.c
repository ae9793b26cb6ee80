#include "backup/dump_lexer.h"

#include "base/str.h"

#include <string.h>
#include <strings.h>

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

static void note_symbol(Lexer *lexer, char symbol)
{
    if (symbol == '(')
        lexer->paren_depth++;
    else if (symbol == ')' && lexer->paren_depth)
        lexer->paren_depth--;
}

static void note_part(Lexer *lexer, SqlPart part, const char *text)
{
    if (part.kind == TOKEN_WORD) {
        note_word(lexer, text, part.length);
    } else if (part.kind != TOKEN_SPACE && part.kind != TOKEN_COMMENT) {
        lexer->after_from = false;
        if (part.kind == TOKEN_SYMBOL)
            note_symbol(lexer, *text);
    }
}

/* The line goes away; what ends a dollar quote must not. */
static bool keep_tag(Lexer *lexer)
{
    SqlScanner *scanner = &lexer->scanner;
    if (scanner->mode != SCAN_DOLLAR || scanner->tag == lexer->tag.data)
        return true;
    buffer_clear(&lexer->tag);
    bool kept = buffer_append(&lexer->tag, scanner->tag, scanner->tag_length);
    scanner->tag = lexer->tag.data;
    return kept;
}

/* Comments and white space in front of a statement are no part of it. */
static bool is_leading_noise(const Lexer *lexer, SqlPart part)
{
    return !lexer->statement.length && (part.kind == TOKEN_SPACE || part.kind == TOKEN_COMMENT);
}

LexResult lexer_scan(Lexer *lexer, const char *line, size_t length, size_t *at)
{
    while (*at < length) {
        const char *text = line + *at;
        SqlPart part = sql_scan(&lexer->scanner, text, length - *at);
        char symbol = part.kind == TOKEN_SYMBOL ? *text : '\0';
        if (symbol == '\\')
            return LEX_BACKSLASH;
        *at += part.length;
        if (symbol == ';' && !lexer->paren_depth && !lexer->begin_depth) {
            if (lexer->statement.length)
                return LEX_STATEMENT;
            continue;
        }
        note_part(lexer, part, text);
        if (!keep_tag(lexer) || (!is_leading_noise(lexer, part) &&
                                 !buffer_append(&lexer->statement, text, part.length)))
            return LEX_TOO_LONG;
    }
    return LEX_LINE_DONE;
}

void lexer_init(Lexer *lexer, size_t max_bytes)
{
    buffer_init(&lexer->statement, max_bytes);
    buffer_init(&lexer->tag, max_bytes);
}

void lexer_free(Lexer *lexer)
{
    buffer_free(&lexer->statement);
    buffer_free(&lexer->tag);
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
    return lexer->scanner.mode == SCAN_PLAIN && lexer->statement.length == 0;
}
