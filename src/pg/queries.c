#include "pg/queries.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#include <assert.h>
#include <string.h>

#define BIND_PREFIX "bind $"

/* "bind $2: SELECT ..." of a comment line. */
static bool parse_binding(Arena *arena, Query *query, char *comment, Error *err)
{
    char *colon = strchr(comment, ':');
    if (!colon)
        return error_set(err, ERR_USAGE, "%s: \"%s\" needs a colon and the SQL of a sample value",
                         query->path, comment);
    char *number = arena_strndup(arena, comment + strlen(BIND_PREFIX),
                                 (size_t)(colon - comment) - strlen(BIND_PREFIX));
    int64_t index = 0;
    if (!str_to_int64(str_trim(number), 1, QUERY_MAX_BINDINGS, &index))
        return error_set(err, ERR_USAGE, "%s: \"$%s\" is no parameter between $1 and $%d",
                         query->path, number, QUERY_MAX_BINDINGS);
    if (query->bindings[index - 1])
        return error_set(err, ERR_USAGE, "%s: $%s is bound twice", query->path, number);
    const char *sql = str_trim(colon + 1);
    if (str_empty(sql))
        return error_set(err, ERR_USAGE, "%s: the binding of $%s is empty", query->path, number);
    query->bindings[index - 1] = sql;
    if ((size_t)index > query->binding_count)
        query->binding_count = (size_t)index;
    return true;
}

static bool check_bindings(const Query *query, Error *err)
{
    for (size_t i = 0; i < query->binding_count; i++)
        if (!query->bindings[i]) {
            (void)error_set(err, ERR_USAGE, "%s: $%zu is bound but $%zu is not", query->path,
                            query->binding_count, i + 1);
            return error_hint(err, "add a line \"-- bind $%zu: SELECT ...\" above the statement",
                              i + 1);
        }
    return true;
}

/* Takes the comment lines off the top of text; what remains is the statement. */
static bool parse_query(Arena *arena, char *text, Query *query, Error *err)
{
    StrList purpose;
    str_list_init(&purpose, arena);
    char *rest = text;
    for (;;) {
        rest += strspn(rest, " \t\r\n");
        if (!str_starts(rest, "--"))
            break;
        size_t length = strcspn(rest, "\n");
        char *comment = str_trim(arena_strndup(arena, rest + 2, length - 2));
        if (str_starts(comment, BIND_PREFIX)) {
            if (!parse_binding(arena, query, comment, err))
                return false;
        } else if (!str_empty(comment)) {
            str_list_add(&purpose, comment);
        }
        rest += length;
    }
    query->purpose = str_list_join(&purpose, arena, " ");
    query->sql = str_trim(rest);
    if (str_empty(query->sql))
        return error_set(err, ERR_USAGE, "%s holds no statement", query->path);
    return check_bindings(query, err);
}

bool queries_load(Arena *arena, const char *directory, QueryList *list, Error *err)
{
    StrList names;
    str_list_init(&names, arena);
    if (!file_is_directory(directory)) {
        (void)error_set(err, ERR_USAGE, "there is no folder of queries at %s", directory);
        return error_hint(err, "set queries_dir in vaxdb.ini to the folder with the .sql files");
    }
    if (!directory_list(arena, directory, &names, err))
        return false;
    Query *items = arena_array(arena, names.count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < names.count; i++) {
        if (!str_ends(names.items[i], ".sql") || names.items[i][0] == '.')
            continue;
        Query *query = &items[count++];
        query->path = path_join(arena, directory, names.items[i]);
        query->name = arena_strndup(arena, names.items[i], strlen(names.items[i]) - strlen(".sql"));
        char *text = NULL;
        size_t length = 0;
        if (!file_read(arena, query->path, BUFFER_MAX_LINE, &text, &length, err))
            return false;
        if (strlen(text) != length)
            return error_set(err, ERR_USAGE, "%s holds a zero byte: it is not text", query->path);
        if (!parse_query(arena, text, query, err))
            return false;
    }
    if (!count) {
        (void)error_set(err, ERR_USAGE, "there are no .sql files in %s", directory);
        return error_hint(err, "put the application's queries there, one a file, or set "
                               "queries_dir in vaxdb.ini to where they are");
    }
    *list = (QueryList){.items = items, .count = count};
    return true;
}

const Query *queries_find(const QueryList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].name, name))
            return &list->items[i];
    return NULL;
}

bool query_bind(Session *session, Arena *arena, const Query *query, const char **values[],
                Error *err)
{
    const char **bound = arena_array(arena, query->binding_count + 1, sizeof(*bound));
    for (size_t i = 0; i < query->binding_count; i++) {
        _cleanup_result_ Result *rows = NULL;
        if (!session_query(session, query->bindings[i], &rows, err)) {
            (void)error_context(err, "%s: binding $%zu", query->path, i + 1);
            return false;
        }
        if (result_columns(rows) != 1)
            return error_set(err, ERR_USAGE, "%s: binding $%zu gives %zu columns instead of one",
                             query->path, i + 1, result_columns(rows));
        const char *text = result_rows(rows) ? result_cell(rows, 0, 0) : NULL;
        bound[i] = text ? arena_strdup(arena, text) : NULL;
    }
    *values = bound;
    return true;
}

static bool run_in_transaction(Session *session, Arena *arena, const Query *query,
                               int64_t timeout_ms, QueryRun *run, Error *err)
{
    const char *limit =
        arena_printf(arena, "SET LOCAL statement_timeout = %lld", (long long)timeout_ms);
    const char **values = NULL;
    if (!session_execute(session, limit, err) || !query_bind(session, arena, query, &values, err))
        return false;
    _cleanup_result_ Result *rows = NULL;
    int64_t started_us = clock_monotonic_us();
    if (!session_query_params(session, query->sql, query->binding_count, values, &rows, err)) {
        (void)error_context(err, "%s", query->path);
        return false;
    }
    run->ms = (double)(clock_monotonic_us() - started_us) / 1000.0;
    run->rows = (int64_t)result_rows(rows);
    return true;
}

bool query_run(Session *session, Arena *arena, const Query *query, int64_t timeout_ms,
               QueryRun *run, Error *err)
{
    assert(!session_in_transaction(session));
    if (!session_execute(session, "BEGIN READ ONLY", err))
        return false;
    bool done = run_in_transaction(session, arena, query, timeout_ms, run, err);
    /* After a failure the first error is the one to tell; a lost session has rolled back. */
    Error ignored = {0};
    bool ended =
        session_is_lost(session) || session_execute(session, "ROLLBACK", done ? err : &ignored);
    return done && ended;
}
