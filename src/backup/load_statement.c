#include "backup/load_statement.h"

#include "base/str.h"
#include "pg/lex.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    Arena *arena;
    SqlLexer lexer;
    SqlToken token;
} Cursor;

static void advance(Cursor *cursor)
{
    cursor->token = sql_lexer_next(&cursor->lexer);
}

static bool at_word(const Cursor *cursor, const char *word)
{
    return sql_token_is(&cursor->lexer, cursor->token, word);
}

static bool at_symbol(const Cursor *cursor, char symbol)
{
    return sql_token_is_symbol(&cursor->lexer, cursor->token, symbol);
}

static bool accept(Cursor *cursor, const char *word)
{
    bool there = at_word(cursor, word);
    if (there)
        advance(cursor);
    return there;
}

static bool accept_symbol(Cursor *cursor, char symbol)
{
    bool there = at_symbol(cursor, symbol);
    if (there)
        advance(cursor);
    return there;
}

/* The text from an offset to the token at hand, without the white space before it. */
static const char *text_from(const Cursor *cursor, size_t start)
{
    size_t end = cursor->token.kind == TOKEN_END ? cursor->lexer.length : cursor->token.start;
    while (end > start && isspace((unsigned char)cursor->lexer.text[end - 1]))
        end--;
    return arena_strndup(cursor->arena, cursor->lexer.text + start, end - start);
}

/* One identifier; NULL when there is none, or one that pg_dump would not write (U&"..."). */
static const char *take_name(Cursor *cursor)
{
    const char *text = cursor->lexer.text + cursor->token.start;
    size_t length = cursor->token.length;
    char *name = arena_alloc(cursor->arena, length + 1);
    size_t at = 0;
    if (cursor->token.kind == TOKEN_WORD) {
        for (; at < length; at++)
            name[at] = (char)tolower((unsigned char)text[at]);
    } else if (cursor->token.kind == TOKEN_NAME && *text == '"') {
        for (size_t i = 1; i + 1 < length; i++) {
            name[at++] = text[i];
            if (text[i] == '"')
                i++;
        }
    } else {
        return NULL;
    }
    advance(cursor);
    return name;
}

static bool take_qualified(Cursor *cursor, const char **schema, const char **name)
{
    *schema = NULL;
    *name = take_name(cursor);
    if (*name && accept_symbol(cursor, '.')) {
        *schema = *name;
        *name = take_name(cursor);
    }
    return *name != NULL;
}

/* "(...)", with its text; what stands in it is left to the server. */
static bool take_parentheses(Cursor *cursor, const char **text)
{
    size_t start = cursor->token.start;
    size_t depth = 0;
    if (!at_symbol(cursor, '('))
        return false;
    do {
        if (cursor->token.kind == TOKEN_END || cursor->token.kind == TOKEN_ERROR)
            return false;
        if (at_symbol(cursor, '('))
            depth++;
        else if (at_symbol(cursor, ')'))
            depth--;
        advance(cursor);
    } while (depth);
    *text = text_from(cursor, start);
    return true;
}

/* "(a, "B")": plain columns and nothing else. A temporal key ("b WITHOUT OVERLAPS") is no index
 * that could be made beforehand. */
static bool take_columns(Cursor *cursor, const char **text)
{
    size_t start = cursor->token.start;
    if (!accept_symbol(cursor, '('))
        return false;
    do {
        if (!take_name(cursor))
            return false;
    } while (accept_symbol(cursor, ','));
    if (!accept_symbol(cursor, ')'))
        return false;
    *text = text_from(cursor, start);
    return true;
}

/* ---- keys -------------------------------------------------------------------------------- */

/* "[NOT] DEFERRABLE [INITIALLY DEFERRED | IMMEDIATE]" and the end of the statement. */
static bool take_deferrable(Cursor *cursor, const char **text)
{
    size_t start = cursor->token.start;
    (void)accept(cursor, "not");
    if (accept(cursor, "deferrable") && accept(cursor, "initially") &&
        !accept(cursor, "deferred") && !accept(cursor, "immediate"))
        return false;
    *text = text_from(cursor, start);
    return cursor->token.kind == TOKEN_END;
}

/* Behind PRIMARY KEY or UNIQUE. table and constraint are as the statement writes them. */
static void split_key(Cursor *cursor, const char *table, const char *constraint, bool primary,
                      LoadStatement *statement)
{
    const char *columns = NULL;
    const char *included = NULL;
    const char *parameters = NULL;
    const char *deferrable = NULL;
    Arena *arena = cursor->arena;
    size_t start = cursor->token.start;
    const char *nulls = "";
    if (!primary && accept(cursor, "nulls")) {
        (void)accept(cursor, "not");
        if (!accept(cursor, "distinct"))
            return;
        nulls = text_from(cursor, start);
    }
    if (!take_columns(cursor, &columns) ||
        (accept(cursor, "include") && !take_columns(cursor, &included)) ||
        (accept(cursor, "with") && !take_parentheses(cursor, &parameters)) ||
        !take_deferrable(cursor, &deferrable))
        return;
    statement->index_sql = arena_printf(
        arena, "CREATE UNIQUE INDEX %s ON %s USING btree %s%s%s%s%s%s%s", constraint, table,
        columns, included ? " INCLUDE " : "", included ? included : "", *nulls ? " " : "", nulls,
        parameters ? " WITH " : "", parameters ? parameters : "");
    statement->attach_sql =
        arena_printf(arena, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s USING INDEX %s %s", table,
                     constraint, primary ? "PRIMARY KEY" : "UNIQUE", constraint, deferrable);
}

/* Behind ALTER TABLE. */
static void read_constraint(Cursor *cursor, LoadStatement *statement)
{
    (void)accept(cursor, "only");
    size_t start = cursor->token.start;
    if (!take_qualified(cursor, &statement->schema, &statement->name))
        return;
    const char *table = text_from(cursor, start);
    if (!accept(cursor, "add") || !accept(cursor, "constraint"))
        return;
    start = cursor->token.start;
    if (!take_name(cursor))
        return;
    const char *constraint = text_from(cursor, start);
    if (accept(cursor, "primary")) {
        statement->kind = LOAD_KEY;
        if (accept(cursor, "key"))
            split_key(cursor, table, constraint, true, statement);
    } else if (accept(cursor, "unique")) {
        statement->kind = LOAD_KEY;
        split_key(cursor, table, constraint, false, statement);
    } else if (accept(cursor, "exclude")) {
        statement->kind = LOAD_EXCLUSION;
    } else if (accept(cursor, "foreign") && accept(cursor, "key")) {
        const char *columns = NULL;
        if (take_columns(cursor, &columns) && accept(cursor, "references") &&
            take_qualified(cursor, &statement->to_schema, &statement->to_name))
            statement->kind = LOAD_REFERENCE;
    }
}

/* Behind CREATE. */
static void read_index(Cursor *cursor, LoadStatement *statement)
{
    (void)accept(cursor, "unique");
    if (!accept(cursor, "index") || !take_name(cursor) || !accept(cursor, "on"))
        return;
    (void)accept(cursor, "only");
    if (take_qualified(cursor, &statement->schema, &statement->name))
        statement->kind = LOAD_INDEX;
}

/* ---- settings and data -------------------------------------------------------------------- */

/* Behind SET. */
static void read_set(Cursor *cursor, LoadStatement *statement)
{
    static const char *const others[] = {"session", "local", "role", "transaction", "constraints"};
    statement->kind = LOAD_SESSION;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (at_word(cursor, others[i]))
            return;
    }
    const char *prefix = NULL;
    const char *name = NULL;
    if (!take_qualified(cursor, &prefix, &name))
        return;
    if (!accept_symbol(cursor, '=') && !accept(cursor, "to"))
        return;
    statement->kind = LOAD_SETTING;
    statement->setting = prefix ? arena_printf(cursor->arena, "%s.%s", prefix, name) : name;
}

/* Behind SELECT: the functions by which pg_dump sets sequences and writes large objects. */
static void read_select(Cursor *cursor, LoadStatement *statement)
{
    static const char *const writers[] = {"setval", "lo_create", "lo_open", "lowrite", "lo_close"};
    const char *schema = NULL;
    const char *function = NULL;
    if (!take_qualified(cursor, &schema, &function) || !str_equal(schema, "pg_catalog") ||
        !accept_symbol(cursor, '('))
        return;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        if (str_equal(function, writers[i]))
            statement->kind = LOAD_DATA;
    }
    if (!str_equal(function, "set_config"))
        return;
    bool plain = cursor->token.kind == TOKEN_STRING && cursor->token.length > 2 &&
                 cursor->lexer.text[cursor->token.start] == '\'';
    statement->kind = plain ? LOAD_SETTING : LOAD_SESSION;
    if (plain)
        statement->setting = arena_strndup(
            cursor->arena, cursor->lexer.text + cursor->token.start + 1, cursor->token.length - 2);
}

/* A transaction by itself; with more words it is not one that pg_dump writes. */
static void read_transaction(const Cursor *cursor, bool opens, LoadStatement *statement)
{
    bool alone = cursor->token.kind == TOKEN_END;
    statement->kind = alone ? LOAD_DATA : LOAD_SESSION;
    statement->opens = alone && opens;
    statement->closes = alone && !opens;
}

static bool changes_session(Cursor *cursor)
{
    static const char *const words[] = {
        "reset",   "start",   "savepoint",  "release", "end",   "abort", "rollback", "discard",
        "prepare", "execute", "deallocate", "declare", "fetch", "close", "lock",     "load"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (at_word(cursor, words[i]))
            return true;
    }
    return false;
}

void load_statement_read(Arena *arena, const char *sql, LoadStatement *statement)
{
    Cursor cursor = {.arena = arena};
    *statement = (LoadStatement){.kind = LOAD_OTHER};
    sql_lexer_init(&cursor.lexer, sql, strlen(sql));
    advance(&cursor);
    if (changes_session(&cursor)) {
        statement->kind = LOAD_SESSION;
    } else if (accept(&cursor, "set")) {
        read_set(&cursor, statement);
    } else if (accept(&cursor, "select")) {
        read_select(&cursor, statement);
    } else if (accept(&cursor, "begin")) {
        read_transaction(&cursor, true, statement);
    } else if (accept(&cursor, "commit")) {
        read_transaction(&cursor, false, statement);
    } else if (accept(&cursor, "create")) {
        if (at_word(&cursor, "temp") || at_word(&cursor, "temporary"))
            statement->kind = LOAD_SESSION;
        else
            read_index(&cursor, statement);
    } else if (accept(&cursor, "alter")) {
        if (accept(&cursor, "table"))
            read_constraint(&cursor, statement);
    } else if (accept(&cursor, "comment")) {
        statement->kind = LOAD_COMMENT;
    }
}
