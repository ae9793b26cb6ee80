#include "pool/userlist.h"

#include "base/str.h"

#include <ctype.h>

static const char scram_prefix[] = "SCRAM-SHA-256$";

typedef struct {
    const char *path;
    const char *at;
    const char *end;
    int line;
} Scan;

static char peek(const Scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static void skip_line(Scan *scan)
{
    while (scan->at < scan->end && *scan->at != '\n')
        scan->at++;
}

static void skip_space(Scan *scan, bool lines)
{
    while (scan->at < scan->end && isspace((unsigned char)*scan->at) &&
           (lines || *scan->at != '\n')) {
        scan->line += *scan->at == '\n';
        scan->at++;
    }
}

/* NULL with the reason when there is no whole field. A field may hold line ends. */
static const char *read_field(Scan *scan, Arena *arena, const char **reason)
{
    if (peek(scan) != '"') {
        *reason = "a line is \"name\" \"secret\", both in double quotes";
        return NULL;
    }
    const char *start = scan->at + 1;
    const char *at = start;
    size_t quotes = 0;
    for (; at < scan->end && *at; at++) {
        if (*at != '"')
            continue;
        if (at + 1 == scan->end || at[1] != '"')
            break;
        at++;
        quotes++;
    }
    if (at == scan->end || !*at) {
        *reason = at == scan->end ? "a quote that is not closed" : "a NUL byte";
        return NULL;
    }
    char *field = arena_alloc(arena, (size_t)(at - start) - quotes + 1);
    size_t length = 0;
    for (const char *from = start; from < at; from++) {
        scan->line += *from == '\n';
        field[length++] = *from;
        from += *from == '"';
    }
    scan->at = at + 1;
    return field;
}

static bool read_user(Scan *scan, Arena *arena, PoolSecret *user, const char **reason)
{
    user->entry.line = scan->line;
    user->entry.name = read_field(scan, arena, reason);
    if (!user->entry.name)
        return false;
    skip_space(scan, false);
    user->secret = read_field(scan, arena, reason);
    if (!user->secret)
        return false;
    if (!*user->entry.name)
        *reason = "an empty name";
    else if (strlen(user->entry.name) > POOL_USER_NAME_MAX)
        *reason = "the name is too long";
    else if (strlen(user->secret) > POOL_SECRET_MAX)
        *reason = "the secret is too long";
    user->kind = password_kind(user->secret);
    return !**reason;
}

bool userlist_parse(Arena *arena, const char *path, const char *text, size_t length, Userlist *list,
                    PoolProblems *problems)
{
    *list = (Userlist){0};
    size_t errors = problems->errors;
    Scan scan = {path, text, text + length, 1};
    for (skip_space(&scan, true); scan.at < scan.end; skip_space(&scan, true)) {
        if (*scan.at == ';') {
            skip_line(&scan);
            continue;
        }
        PoolSecret user = {.entry = {.path = path, .order = list->count}};
        const char *reason = "";
        int line = scan.line;
        if (!read_user(&scan, arena, &user, &reason)) {
            (void)problems_error(problems, path, line, "%s", reason);
        } else {
            if (user.kind == PASSWORD_PLAIN && str_starts(user.secret, scram_prefix))
                problems_warn(problems, path, line,
                              "what starts like a SCRAM secret is none, and so is a password");
            ARENA_PUSH(arena, list->items, list->count, list->capacity, user);
        }
        skip_line(&scan);
    }
    list->count = entries_settle(list->items, list->count, sizeof(*list->items));
    return problems->errors == errors;
}

const PoolSecret *userlist_find(const Userlist *list, const char *name)
{
    return entries_find(list->items, list->count, sizeof(*list->items), name);
}
