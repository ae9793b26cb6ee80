#include "pg/split.h"

/* What is known of the statement being read. */
typedef struct {
    bool started;
    size_t start, end;    /* of its tokens so far */
    size_t words;         /* key words and names so far, as psql counts them */
    bool create, routine; /* CREATE [OR REPLACE] FUNCTION or PROCEDURE */
    size_t parentheses;   /* depth */
    size_t atomic;        /* depth of BEGIN ATOMIC and CASE inside it, each closed by an END */
    bool is_copy, copy_stdin;
    size_t from_word; /* which word the first FROM of a COPY is, 0 before */
    SqlToken last;
} Reading;

typedef struct {
    Arena *arena;
    SqlLexer lexer;
    SqlPieces *pieces;
    Reading now;
    int line; /* of line_at */
    size_t line_at;
} Splitter;

static bool fail(Splitter *splitter, size_t at, Error *err, const char *message, const char *hint)
{
    splitter->pieces->problem = at;
    (void)error_set(err, ERR_USAGE, "%s", message);
    return hint ? error_hint(err, "%s", hint) : false;
}

static void emit(Splitter *splitter, size_t data, size_t data_length)
{
    const Reading *now = &splitter->now;
    for (; splitter->line_at < now->start; splitter->line_at++)
        splitter->line += splitter->lexer.text[splitter->line_at] == '\n';
    SqlPiece piece = {.start = now->start,
                      .length = now->end - now->start,
                      .line = splitter->line,
                      .copy = now->copy_stdin,
                      .data = data,
                      .data_length = data_length};
    ARENA_PUSH(splitter->arena, splitter->pieces->items, splitter->pieces->count,
               splitter->pieces->capacity, piece);
    splitter->now = (Reading){0};
}

/* "AS end" and "t.end" are names; END there closes nothing. */
static bool is_label(const SqlLexer *lexer, SqlToken last)
{
    return sql_token_is(lexer, last, "as") || sql_token_is_symbol(lexer, last, '.');
}

static void see_routine_body(Reading *now, const SqlLexer *lexer, SqlToken token)
{
    if (now->parentheses > 0 || is_label(lexer, now->last))
        return;
    if (sql_token_is(lexer, token, "atomic") && sql_token_is(lexer, now->last, "begin"))
        now->atomic++;
    else if (now->atomic > 0 && sql_token_is(lexer, token, "case"))
        now->atomic++;
    else if (now->atomic > 0 && sql_token_is(lexer, token, "end"))
        now->atomic--;
}

static void see_word(Reading *now, const SqlLexer *lexer, SqlToken token)
{
    now->words++;
    if (now->words == 1) {
        now->create = sql_token_is(lexer, token, "create");
        now->is_copy = sql_token_is(lexer, token, "copy");
    } else if (now->create && (now->words == 2 || now->words == 4) && !now->routine) {
        now->routine =
            (now->words == 2 || sql_token_is(lexer, now->last, "replace")) &&
            (sql_token_is(lexer, token, "function") || sql_token_is(lexer, token, "procedure"));
    }
    if (now->routine)
        see_routine_body(now, lexer, token);
    if (!now->is_copy || now->parentheses > 0)
        return;
    if (now->from_word == 0) {
        if (sql_token_is(lexer, token, "from"))
            now->from_word = now->words;
    } else if (now->words == now->from_word + 1 && sql_token_is(lexer, now->last, "from")) {
        /* The grammar takes STDOUT after FROM for STDIN. */
        now->copy_stdin =
            sql_token_is(lexer, token, "stdin") || sql_token_is(lexer, token, "stdout");
    }
}

/* The data of a COPY begins on the line after its ';' and ends with a line "\." of its own. */
static bool take_copy_data(Splitter *splitter, Error *err)
{
    SqlLexer *lexer = &splitter->lexer;
    const char *text = lexer->text;
    size_t length = lexer->length, at = lexer->at;
    while (at < length && text[at] != '\n') {
        if (text[at] == '-' && at + 1 < length && text[at + 1] == '-') {
            while (at < length && text[at] != '\n')
                at++;
            break;
        }
        if (text[at] != ' ' && text[at] != '\t' && text[at] != '\r')
            return fail(splitter, at, err, "text after the ';' of COPY ... FROM STDIN",
                        "Its data begins on the next line; move what follows the ';' below it.");
        at++;
    }
    size_t data = at < length ? at + 1 : length;
    for (size_t line = data; line < length;) {
        const char *newline = memchr(text + line, '\n', length - line);
        size_t end = newline ? (size_t)(newline - text) : length;
        size_t width = end > line && text[end - 1] == '\r' ? end - 1 - line : end - line;
        if (width == 2 && text[line] == '\\' && text[line + 1] == '.') {
            lexer->at = newline ? end + 1 : length;
            emit(splitter, data, line - data);
            return true;
        }
        line = newline ? end + 1 : length;
    }
    return fail(splitter, splitter->now.start, err,
                "COPY ... FROM STDIN without the end of its data",
                "The data ends with a line that holds only \\. ; is the file cut off?");
}

static bool end_statement(Splitter *splitter, Error *err)
{
    if (!splitter->now.started)
        return true;
    if (splitter->now.copy_stdin)
        return take_copy_data(splitter, err);
    emit(splitter, 0, 0);
    return true;
}

static bool see_symbol(Splitter *splitter, SqlToken token, Error *err)
{
    Reading *now = &splitter->now;
    char symbol = splitter->lexer.text[token.start];
    if (symbol == '(')
        now->parentheses++;
    else if (symbol == ')' && now->parentheses > 0)
        now->parentheses--;
    else if (symbol == '\\')
        return fail(splitter, token.start, err, "a psql command (\\...) is not SQL",
                    "Only psql knows backslash commands; write the SQL itself.");
    return true;
}

static bool see_token(Splitter *splitter, SqlToken token, Error *err)
{
    Reading *now = &splitter->now;
    if (token.kind == TOKEN_ERROR)
        return fail(splitter, token.start, err, splitter->lexer.problem, NULL);
    if (sql_token_is_symbol(&splitter->lexer, token, ';') && now->parentheses == 0 &&
        now->atomic == 0)
        return end_statement(splitter, err);
    if (!now->started) {
        now->started = true;
        now->start = token.start;
    }
    if (token.kind == TOKEN_WORD)
        see_word(now, &splitter->lexer, token);
    else if (token.kind == TOKEN_SYMBOL && !see_symbol(splitter, token, err))
        return false;
    now->end = token.start + token.length;
    now->last = token;
    return true;
}

bool sql_split(Arena *arena, const char *text, size_t length, SqlPieces *pieces, Error *err)
{
    *pieces = (SqlPieces){0};
    Splitter splitter = {.arena = arena, .pieces = pieces, .line = 1};
    sql_lexer_init(&splitter.lexer, text, length);
    const char *nul = length ? memchr(text, '\0', length) : NULL;
    if (nul)
        return fail(&splitter, (size_t)(nul - text), err, "a NUL byte: this is not a text file",
                    NULL);
    for (;;) {
        SqlToken token = sql_lexer_next(&splitter.lexer);
        if (token.kind == TOKEN_END)
            return end_statement(&splitter, err);
        if (!see_token(&splitter, token, err))
            return false;
    }
}
