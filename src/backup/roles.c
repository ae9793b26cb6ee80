#include "backup/roles.h"

#include <ctype.h>
#include <string.h>

typedef enum { TOKEN_END, TOKEN_WORD, TOKEN_NAME, TOKEN_OTHER } TokenKind;

typedef struct {
    TokenKind kind;
    const char *text; /* a word folded to lower case; a quoted name or literal without quotes */
} Token;

typedef struct {
    Arena *arena;
    const char *at;
    Token token;
} Cursor;

static const char *read_quoted(Arena *arena, const char **at)
{
    char quote = **at;
    char *text = arena_alloc(arena, strlen(*at) + 1);
    size_t length = 0;
    for ((*at)++; **at; (*at)++) {
        if (**at == quote && (*at)[1] != quote)
            break;
        if (**at == quote)
            (*at)++;
        text[length++] = **at;
    }
    if (**at)
        (*at)++;
    return text;
}

static bool in_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' ||
           (unsigned char)byte >= 0x80;
}

static void advance(Cursor *cursor)
{
    while (isspace((unsigned char)*cursor->at))
        cursor->at++;
    const char *start = cursor->at;
    if (!*start) {
        cursor->token = (Token){TOKEN_END, ""};
    } else if (*start == '"' || *start == '\'') {
        cursor->token = (Token){TOKEN_NAME, read_quoted(cursor->arena, &cursor->at)};
    } else if (in_word(*start)) {
        while (in_word(*cursor->at))
            cursor->at++;
        char *word = arena_strndup(cursor->arena, start, (size_t)(cursor->at - start));
        for (char *byte = word; *byte; byte++)
            *byte = (char)tolower((unsigned char)*byte);
        cursor->token = (Token){TOKEN_WORD, word};
    } else {
        cursor->at++;
        cursor->token = (Token){TOKEN_OTHER, arena_strndup(cursor->arena, start, 1)};
    }
}

static bool at_word(const Cursor *cursor, const char *word)
{
    return cursor->token.kind == TOKEN_WORD && str_equal(cursor->token.text, word);
}

static bool accept(Cursor *cursor, const char *word)
{
    if (!at_word(cursor, word))
        return false;
    advance(cursor);
    return true;
}

static void add_role(const Token *token, StrList *roles)
{
    static const char *const keywords[] = {"public",       "current_user", "current_role",
                                           "session_user", "default",      "none"};
    if (token->kind != TOKEN_WORD && token->kind != TOKEN_NAME)
        return;
    for (size_t i = 0; i < COUNT_OF(keywords) && token->kind == TOKEN_WORD; i++) {
        if (str_equal(token->text, keywords[i]))
            return;
    }
    if (!str_list_has(roles, token->text))
        str_list_add(roles, token->text);
}

/* "a, GROUP b, c" */
static void add_role_list(Cursor *cursor, StrList *roles)
{
    for (;;) {
        (void)accept(cursor, "group");
        add_role(&cursor->token, roles);
        advance(cursor);
        if (cursor->token.kind != TOKEN_OTHER || *cursor->token.text != ',')
            return;
        advance(cursor);
    }
}

/* GRANT ... TO list, REVOKE ... FROM list, CREATE POLICY ... TO list, ALTER DEFAULT PRIVILEGES FOR
 * ROLE name ..., and, last, what granted it. */
static void scan_grant(Cursor *cursor, StrList *roles)
{
    while (cursor->token.kind != TOKEN_END) {
        if (accept(cursor, "to") || accept(cursor, "from")) {
            add_role_list(cursor, roles);
        } else if (accept(cursor, "for")) {
            if (accept(cursor, "role") || accept(cursor, "user"))
                add_role_list(cursor, roles);
        } else if (accept(cursor, "granted")) {
            if (accept(cursor, "by"))
                add_role(&cursor->token, roles);
        } else if (at_word(cursor, "using") || at_word(cursor, "check")) {
            return; /* expressions of a policy */
        } else {
            advance(cursor);
        }
    }
}

static void scan_owner(Cursor *cursor, StrList *roles)
{
    while (cursor->token.kind != TOKEN_END) {
        if (accept(cursor, "owner")) {
            if (accept(cursor, "to"))
                add_role(&cursor->token, roles);
        } else {
            advance(cursor);
        }
    }
}

void roles_of_statement(const char *sql, StrList *roles)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    Cursor cursor = {.arena = scratch, .at = sql};
    advance(&cursor);
    if (accept(&cursor, "grant") || accept(&cursor, "revoke")) {
        scan_grant(&cursor, roles);
    } else if (accept(&cursor, "alter")) {
        if (at_word(&cursor, "default"))
            scan_grant(&cursor, roles);
        else
            scan_owner(&cursor, roles);
    } else if (accept(&cursor, "create")) {
        if (accept(&cursor, "policy"))
            scan_grant(&cursor, roles);
    } else if (accept(&cursor, "set")) {
        if (accept(&cursor, "session") && accept(&cursor, "authorization"))
            add_role(&cursor.token, roles);
    }
}

bool roles_mentioned(const char *sql, const StrList *roles)
{
    if (!roles || !roles->count)
        return false;
    _cleanup_arena_ Arena *arena = arena_create();
    StrList mentioned;
    str_list_init(&mentioned, arena);
    roles_of_statement(sql, &mentioned);
    for (size_t i = 0; i < mentioned.count; i++) {
        if (str_list_has(roles, mentioned.items[i]))
            return true;
    }
    return false;
}

static bool role_exists(Session *session, const char *role, bool *exists, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {role};
    if (!session_query_params(session, "SELECT FROM pg_roles WHERE rolname = $1", 1, params, &rows,
                              err))
        return false;
    *exists = result_rows(rows) > 0;
    return true;
}

bool roles_prepare(Arena *arena, Session *session, const StrList *roles, StrList *created,
                   StrList *skipped, Error *err)
{
    str_list_init(created, arena);
    str_list_init(skipped, arena);
    for (size_t i = 0; i < roles->count; i++) {
        const char *role = roles->items[i];
        bool exists = false;
        if (!role_exists(session, role, &exists, err))
            return false;
        if (exists)
            continue;
        Error refused = {0};
        const char *sql =
            arena_printf(arena, "CREATE ROLE %s NOLOGIN", sql_identifier(arena, role));
        if (session_execute(session, sql, &refused)) {
            str_list_add(created, role);
            continue;
        }
        /* Not permitted, or a name that begins with pg_: those belong to newer servers. */
        bool denied = str_equal(refused.sqlstate, "42501") || str_equal(refused.sqlstate, "42939");
        if (!denied) {
            *err = refused;
            return error_context(err, "creating the role %s", role);
        }
        str_list_add(skipped, role);
    }
    return true;
}

void roles_drop(Arena *arena, Session *session, const StrList *created)
{
    for (size_t i = 0; i < created->count; i++) {
        Error ignored = {0};
        (void)!session_execute(
            session,
            arena_printf(arena, "DROP ROLE IF EXISTS %s", sql_identifier(arena, created->items[i])),
            &ignored);
    }
}
