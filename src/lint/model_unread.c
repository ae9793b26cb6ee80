/* Statements that the grammar did not take. They are wrong, or newer than the grammar; either way
 * they must not hide what stands behind them, so only what they name becomes unknown where that is
 * all they can touch. */
#include "lint/model_internal.h"
#include "pg/lex.h"

static bool is_one_of(const SqlLexer *lexer, SqlToken token, const char *const *words)
{
    for (; *words; words++)
        if (sql_token_is(lexer, token, *words))
            return true;
    return false;
}

typedef enum {
    REACH_ALL,   /* it may have done anything */
    REACH_NAMED, /* tables that it names may be other than before */
    REACH_NONE,  /* no table or column comes, goes or changes; an index may */
} Reach;

static Reach reach_of(const char *text, size_t length)
{
    static const char *const of_rows[] = {
        "analyze", "cluster", "comment", "copy",   "delete",   "grant",  "insert", "lock",
        "merge",   "refresh", "reindex", "revoke", "truncate", "update", "vacuum", NULL};
    static const char *const of_schema[] = {"alter", "create", "drop", NULL};
    static const char *const adjectives[] = {
        "constraint", "foreign", "global", "local",     "materialized", "or",       "recursive",
        "replace",    "system",  "temp",   "temporary", "unique",       "unlogged", NULL};
    static const char *const objects[] = {
        "aggregate",  "domain", "function", "policy", "procedure",   "role", "rule", "sequence",
        "statistics", "table",  "trigger",  "type",   "publication", "user", "view", NULL};
    SqlLexer lexer;
    sql_lexer_init(&lexer, text, length);
    SqlToken token = sql_lexer_next(&lexer);
    if (is_one_of(&lexer, token, of_rows))
        return REACH_NONE;
    if (!is_one_of(&lexer, token, of_schema))
        return REACH_ALL;
    do {
        token = sql_lexer_next(&lexer);
    } while (is_one_of(&lexer, token, adjectives));
    if (sql_token_is(&lexer, token, "index"))
        return REACH_NONE;
    return is_one_of(&lexer, token, objects) ? REACH_NAMED : REACH_ALL;
}

static char *lower(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
    return text;
}

/* A name as the server stores it; NULL for what is none. */
static const char *name_of(Arena *arena, const SqlLexer *lexer, SqlToken token)
{
    const char *at = lexer->text + token.start;
    if (token.kind == TOKEN_WORD)
        return lower(arena_strndup(arena, at, token.length));
    if (token.kind != TOKEN_NAME || *at != '"')
        return NULL;
    char *name = arena_alloc(arena, token.length), *to = name;
    for (size_t i = 1; i + 1 < token.length; i++) {
        *to++ = at[i];
        i += at[i] == '"';
    }
    return name;
}

void model_apply_unread(Model *model, const char *text, size_t length, size_t file_ordinal)
{
    if (file_ordinal != model->file)
        model_begin_file(model, file_ordinal);
    SqlLexer lexer;
    sql_lexer_init(&lexer, text, length);
    Reach reach = reach_of(text, length);
    for (SqlToken token = sql_lexer_next(&lexer); reach != REACH_ALL && token.kind != TOKEN_END;
         token = sql_lexer_next(&lexer)) {
        const char *name = name_of(model->arena, &lexer, token);
        if (name && (reach == REACH_NAMED || !name_map_has(&model->unread, "", name)))
            name_map_put(model->arena, &model->unread, "", name,
                         reach == REACH_NAMED ? model : NULL);
        /* What hangs on it goes with it, and is not named; an unfinished quote hides the rest. */
        if (token.kind == TOKEN_ERROR || sql_token_is(&lexer, token, "cascade"))
            reach = REACH_ALL;
    }
    model->uncertain = model->uncertain || reach == REACH_ALL;
}
