#include "lint/engine.h"

#include "base/str.h"

/* ---- index keys without their parentheses -------------------------------------------------- */

typedef struct {
    size_t start, end; /* of a key in the statement, without ASC, DESC and NULLS */
} Key;

typedef struct {
    const char *text; /* of the statement */
    size_t length;
    Key *items;
    size_t count, capacity;
} Keys;

static void add_key(Arena *arena, Keys *keys, SqlToken first, SqlToken last)
{
    Key key = {first.start, last.start + last.length};
    if (key.end > key.start)
        ARENA_PUSH(arena, keys->items, keys->count, keys->capacity, key);
}

static bool is_order(const SqlLexer *lexer, SqlToken token)
{
    return sql_token_is(lexer, token, "asc") || sql_token_is(lexer, token, "desc") ||
           sql_token_is(lexer, token, "nulls");
}

/* The keys of CREATE INDEX: what stands between the commas of its first parentheses. */
static bool read_keys(Arena *arena, Keys *keys)
{
    SqlLexer lexer;
    sql_lexer_init(&lexer, keys->text, keys->length);
    SqlToken token = sql_lexer_next(&lexer), first = {0}, last = {0};
    if (!sql_token_is(&lexer, token, "create"))
        return false;
    token = sql_lexer_next(&lexer);
    if (sql_token_is(&lexer, token, "unique"))
        token = sql_lexer_next(&lexer);
    if (!sql_token_is(&lexer, token, "index"))
        return false;
    bool in_key = false, ordered = false;
    for (int depth = 0;;) {
        token = sql_lexer_next(&lexer);
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return false;
        bool closes = sql_token_is_symbol(&lexer, token, ')');
        if (depth == 1 && (closes || sql_token_is_symbol(&lexer, token, ','))) {
            if (in_key)
                add_key(arena, keys, first, last);
            in_key = ordered = false;
            if (closes)
                return keys->count > 0;
            continue;
        }
        if (depth > 0 && !in_key) {
            in_key = true;
            first = token;
        }
        ordered |= depth == 1 && is_order(&lexer, token);
        if (depth > 0 && !ordered)
            last = token;
        depth += sql_token_is_symbol(&lexer, token, '(') ? 1 : closes ? -1 : 0;
    }
}

static const Key *key_at(const Keys *keys, size_t offset)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (offset >= keys->items[i].start && offset <= keys->items[i].end)
            return &keys->items[i];
    }
    return NULL;
}

/* The text with parentheses around the key at which the grammar stopped; NULL where it did not stop
 * in a key. */
static char *mended(Arena *arena, const char *text, const Error *rejected, const Key **found)
{
    Keys keys = {.text = text, .length = strlen(text)};
    size_t offset = sql_offset_of_character(text, keys.length, rejected->position);
    const Key *key = read_keys(arena, &keys) ? key_at(&keys, offset) : NULL;
    if (!key)
        return NULL;
    *found = key;
    return arena_printf(arena, "%.*s(%.*s)%s", (int)key->start, text, (int)(key->end - key->start),
                        text + key->start, text + key->end);
}

#define KEYS_MAX 32 /* the limit of the server's indexes */

static bool explain_key(LintRun *run, const LintStatement *now, const Error *rejected)
{
    if (now->length > INT32_MAX / 2)
        return false;
    const char *text = arena_strndup(now->arena, now->file->text + now->start, now->length);
    Error why = *rejected;
    const Key *first = NULL;
    for (int i = 0; i < KEYS_MAX; i++) {
        const Key *key = NULL;
        const char *better = mended(now->arena, text, &why, &key);
        if (!better)
            return false;
        if (!first)
            first = key;
        Statement what;
        statement_classify(now->arena, better, strlen(better), &what, &why);
        if (!what.analysed) {
            text = better;
            continue;
        }
        const char *source = now->file->text + now->start + first->start;
        const char *shown = str_one_line(
            now->arena, arena_strndup(now->arena, source, first->end - first->start), 80);
        const LintRule *rule = lint_rule_find("index-expression-parentheses");
        findings_add(
            run, now->start + first->start, rule, rule->severity,
            arena_printf(now->arena, "write ((%s)): one more pair of parentheses", shown),
            arena_printf(now->arena, "the key %s is an expression without parentheses", shown));
        return true;
    }
    return false;
}

/* ---- statements that the grammar did not take -------------------------------------------- */

static void report(LintRun *run, const LintStatement *now, const Error *why)
{
    size_t at = now->start;
    const char *text = now->file->text + now->start;
    if (why->position > 0)
        at += sql_offset_of_character(text, now->length, why->position);
    const LintRule *rule = lint_rule_find("syntax-error");
    findings_add(run, at, rule, rule->severity, why->hint[0] ? why->hint : NULL, why->message);
}

bool syntax_check(LintRun *run, const LintStatement *now, const Error *rejected, Error *err)
{
    Error why = *rejected;
    if (run->session) {
        const char *text = arena_strndup(now->arena, now->file->text + now->start, now->length);
        Error answer = {0};
        if (session_check_syntax(run->session, text, &answer)) {
            run->report->not_analysed++;
            lint_add(now, "not-analysed", -1,
                     "the server knows this statement, the rules of lint do not");
            return true;
        }
        if (answer.code != ERR_FAILED) {
            *err = answer;
            return false;
        }
        why = answer;
    }
    if (!explain_key(run, now, rejected))
        report(run, now, &why);
    return true;
}
