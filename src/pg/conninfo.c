#include "pg/conninfo.h"

#include "base/str.h"

#include <libpq-fe.h>
#include <string.h>

static const char *find(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++) {
        if (str_equal(options->keyword, keyword) && !str_empty(options->val))
            return options->val;
    }
    return NULL;
}

static bool is_bare_name(const char *conninfo)
{
    return !strchr(conninfo, '=') && !str_starts(conninfo, "postgresql://") &&
           !str_starts(conninfo, "postgres://");
}

bool conninfo_database(Arena *arena, const char *conninfo, const char **database, Error *err)
{
    PQconninfoOption *given = NULL;
    if (is_bare_name(conninfo) && *conninfo) {
        *database = arena_strdup(arena, conninfo);
        return true;
    }
    if (*conninfo) {
        char *message = NULL;
        given = PQconninfoParse(conninfo, &message);
        if (!given) {
            (void)error_set(err, ERR_USAGE, "%s",
                            message ? str_trim(arena_strdup(arena, message)) : "out of memory");
            PQfreemem(message);
            return false;
        }
    }
    PQconninfoOption *defaults = PQconndefaults();
    const char *found = find(given, "dbname");
    if (!found)
        found = find(defaults, "dbname");
    if (!found)
        found = find(given, "user");
    if (!found)
        found = find(defaults, "user");
    *database = arena_strdup(arena, found ? found : "postgres");
    PQconninfoFree(given);
    PQconninfoFree(defaults);
    return true;
}

/* A value of a conninfo string: quoted, with \ before ' and \. */
char *conninfo_quote(Arena *arena, const char *value)
{
    char *quoted = arena_alloc(arena, strlen(value) * 2 + 3);
    char *out = quoted;
    *out++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            *out++ = '\\';
        *out++ = *value;
    }
    *out = '\'';
    return quoted;
}
