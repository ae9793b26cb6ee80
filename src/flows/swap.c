#include "flows/swap.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "sql_texts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SWAP_ATTEMPTS      3
#define TERMINATE_EVERY_MS 50

static const char *keep(Arena *arena, const Result *rows, const char *column)
{
    const char *text = result_text(rows, 0, column);
    return text ? arena_strdup(arena, text) : NULL;
}

bool swap_look_up(Arena *arena, Session *server, const char *database,
                  DatabaseProperties *properties, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {database};
    *properties = (DatabaseProperties){0};
    if (!session_query_params(server, sql_database_properties, 1, params, &rows, err))
        return false;
    if (!result_rows(rows))
        return true;
    properties->exists = true;
    properties->like = (ScratchSpec){
        .owner = keep(arena, rows, "owner"),
        .encoding = keep(arena, rows, "encoding"),
        .collate = keep(arena, rows, "collate"),
        .ctype = keep(arena, rows, "ctype"),
        .locale_provider = keep(arena, rows, "locale_provider"),
        .locale = keep(arena, rows, "locale"),
        .tablespace = keep(arena, rows, "tablespace"),
    };
    properties->allows_connections = result_bool(rows, 0, "allows_connections");
    properties->has_grants = result_bool(rows, 0, "has_grants");
    properties->connection_limit = result_int64(rows, 0, "connection_limit");
    properties->comment = keep(arena, rows, "comment");
    properties->bytes = result_int64(rows, 0, "bytes");
    return true;
}

bool swap_check(Session *server, const char *database, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {database};
    if (!session_query_params(server, sql_database_obstacles, 1, params, &rows, err))
        return false;
    if (!result_rows(rows))
        return true;
    (void)error_set(err, ERR_REFUSED, "the database %s cannot be replaced because of %s", database,
                    result_text(rows, 0, "obstacle"));
    return error_hint(err,
                      "remove that first (it would be lost), or restore into another name with "
                      "--database");
}

/* ---- settings ---------------------------------------------------------------------------- */

/* Settings whose value is a list of quoted names, as in pg_dump (variable_is_guc_list_quote). */
static bool is_name_list(const char *setting)
{
    static const char *const lists[] = {"search_path",
                                        "temp_tablespaces",
                                        "local_preload_libraries",
                                        "session_preload_libraries",
                                        "shared_preload_libraries",
                                        "unix_socket_directories"};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (strcasecmp(setting, lists[i]) == 0)
            return true;
    }
    return false;
}

/* '"$user", public' becomes '$user', 'public': each name a literal of its own. */
static void append_name_list(Buffer *sql, Arena *arena, const char *value)
{
    bool first = true;
    for (const char *at = value; *at;) {
        at += strspn(at, ", ");
        if (!*at)
            break;
        char *name = arena_alloc(arena, strlen(at) + 1);
        size_t length = 0;
        if (*at == '"') {
            for (at++; *at && !(*at == '"' && at[1] != '"'); at++) {
                if (*at == '"')
                    at++;
                name[length++] = *at;
            }
            at += *at == '"';
        } else {
            while (*at && *at != ',' && *at != ' ')
                name[length++] = *at++;
        }
        (void)buffer_printf(sql, "%s%s", first ? "" : ", ", sql_literal(arena, name));
        first = false;
    }
    if (first)
        (void)buffer_append_str(sql, "''");
}

static void append_setting(Buffer *sql, Arena *arena, const Result *rows, size_t row,
                           const char *database)
{
    const char *role = result_text(rows, row, "role");
    const char *name = result_text(rows, row, "name");
    const char *value = result_text(rows, row, "value");
    if (role)
        (void)buffer_printf(sql, "ALTER ROLE %s IN DATABASE %s", sql_identifier(arena, role),
                            sql_identifier(arena, database));
    else
        (void)buffer_printf(sql, "ALTER DATABASE %s", sql_identifier(arena, database));
    (void)buffer_printf(sql, " SET %s TO ", sql_identifier(arena, name));
    if (is_name_list(name))
        append_name_list(sql, arena, value);
    else
        (void)buffer_append_str(sql, sql_literal(arena, value));
    (void)buffer_append_str(sql, ";\n");
}

static bool append_settings(Buffer *sql, Arena *arena, Session *server, const char *from,
                            const char *to, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {from};
    if (!session_query_params(server, sql_database_role_settings, 1, params, &rows, err))
        return false;
    for (size_t i = 0; i < result_rows(rows); i++)
        append_setting(sql, arena, rows, i, to);
    return true;
}

static bool append_grants(Buffer *sql, Arena *arena, Session *server, const char *from,
                          const DatabaseProperties *properties, const char *to, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {from};
    if (!properties->has_grants)
        return true;
    if (!session_query_params(server, sql_database_grants, 1, params, &rows, err))
        return false;
    const char *database = sql_identifier(arena, to);
    (void)buffer_printf(sql, "REVOKE ALL ON DATABASE %s FROM PUBLIC, %s;\n", database,
                        sql_identifier(arena, properties->like.owner));
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *grantee = result_text(rows, i, "grantee");
        (void)buffer_printf(sql, "GRANT %s ON DATABASE %s TO %s%s;\n",
                            result_text(rows, i, "privilege"), database,
                            grantee ? sql_identifier(arena, grantee) : "PUBLIC",
                            result_bool(rows, i, "grantable") ? " WITH GRANT OPTION" : "");
    }
    return true;
}

bool swap_carry_settings(Arena *arena, Session *server, const char *from,
                         const DatabaseProperties *properties, const char *to, Error *err)
{
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_FILE);
    const char *database = sql_identifier(arena, to);
    (void)buffer_append_str(&sql, "BEGIN;\n");
    if (!append_grants(&sql, arena, server, from, properties, to, err) ||
        !append_settings(&sql, arena, server, from, to, err))
        return false;
    (void)buffer_printf(&sql, "ALTER DATABASE %s CONNECTION LIMIT %lld;\n", database,
                        (long long)properties->connection_limit);
    if (properties->comment)
        (void)buffer_printf(&sql, "COMMENT ON DATABASE %s IS %s;\n", database,
                            sql_literal(arena, properties->comment));
    (void)buffer_append_str(&sql, "COMMIT");
    if (!buffer_check(&sql, "the settings of the database", err))
        return false;
    if (session_execute(server, sql.data, err))
        return true;
    Error ignored = {0};
    if (session_in_transaction(server))
        (void)!session_execute(server, "ROLLBACK", &ignored);
    return error_context(err, "carrying over the settings of %s", from);
}

/* ---- renaming ---------------------------------------------------------------------------- */

typedef struct {
    Session *session;
    const char *database;
    atomic_bool stop;
} Terminator;

static void *run_terminator(void *data)
{
    Terminator *terminator = data;
    const char *params[] = {terminator->database};
    while (!atomic_load(&terminator->stop)) {
        Error ignored = {0};
        (void)!session_execute_params(terminator->session,
                                      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                      "WHERE datname = $1 AND pid <> pg_backend_pid()",
                                      1, params, &ignored);
        (void)clock_sleep_ms(TERMINATE_EVERY_MS);
    }
    return NULL;
}

static bool rename_both(Arena *arena, Session *server, const char *database, const char *fresh,
                        const char *old, Error *err)
{
    const char *name = sql_identifier(arena, database);
    const char *sql =
        arena_printf(arena,
                     "BEGIN; ALTER DATABASE %s RENAME TO %s; "
                     "ALTER DATABASE %s RENAME TO %s; COMMIT",
                     name, sql_identifier(arena, old), sql_identifier(arena, fresh), name);
    for (int attempt = 1;; attempt++) {
        if (session_execute(server, sql, err))
            return true;
        Error ignored = {0};
        if (session_in_transaction(server))
            (void)!session_execute(server, "ROLLBACK", &ignored);
        bool in_use = str_equal(err->sqlstate, "55006");
        if (!in_use || attempt == SWAP_ATTEMPTS)
            return in_use ? error_hint(err, "sessions of a superuser can only be ended by one; end "
                                            "them and run the restore again")
                          : false;
    }
}

bool swap_databases(Arena *arena, const char *conninfo, Session *server, const char *database,
                    const char *fresh, const char *old, Error *err)
{
    _cleanup_session_ Session *second = NULL;
    if (!scratch_connect(NULL, conninfo, &second, err))
        return false;
    Terminator terminator = {.session = second, .database = database};
    pthread_t thread;
    int errnum = pthread_create(&thread, NULL, run_terminator, &terminator);
    if (errnum)
        return error_set_errno(err, ERR_FAILED, errnum, "cannot start a thread");
    bool renamed = rename_both(arena, server, database, fresh, old, err);
    atomic_store(&terminator.stop, true);
    (void)pthread_join(thread, NULL);
    if (renamed)
        return true;
    if (session_is_lost(server)) /* perhaps in the answer to COMMIT */
        (void)error_hint(err,
                         "the swap may have happened all the same: then a database %s is there, "
                         "which is the one that was replaced",
                         old);
    return error_context(err, "putting the restored database in the place of %s", database);
}
