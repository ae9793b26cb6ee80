#include "state/state_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "state_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#define SCHEMA_VERSION  1
#define BUSY_TIMEOUT_MS 5000

bool state_fail(const State *state, Error *err)
{
    (void)error_set(err, ERR_FAILED, "%s: %s", state->path, sqlite3_errmsg(state->db));
    int code = sqlite3_errcode(state->db);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return error_hint(err,
                          "it holds history only: move the file away and vaxdb makes a new one");
    return false;
}

static bool bind(State *state, sqlite3_stmt *statement, const char *format, va_list arguments,
                 Error *err)
{
    int result = SQLITE_OK;
    for (int at = 1; *format && result == SQLITE_OK; format++, at++) {
        if (*format == 's') {
            const char *text = va_arg(arguments, const char *);
            result = sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
        } else if (*format == 'i') {
            result = sqlite3_bind_int64(statement, at, va_arg(arguments, int64_t));
        } else {
            result = sqlite3_bind_double(statement, at, va_arg(arguments, double));
        }
    }
    return result == SQLITE_OK || state_fail(state, err);
}

static bool prepare(State *state, sqlite3_stmt **statement, const char *sql, const char *format,
                    va_list arguments, Error *err)
{
    if (sqlite3_prepare_v2(state->db, sql, -1, statement, NULL) != SQLITE_OK)
        return state_fail(state, err);
    return bind(state, *statement, format, arguments, err);
}

bool state_prepare(State *state, sqlite3_stmt **statement, Error *err, const char *sql,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool prepared = prepare(state, statement, sql, format, arguments, err);
    va_end(arguments);
    return prepared;
}

bool state_step(State *state, sqlite3_stmt *statement, bool *row, Error *err)
{
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return state_fail(state, err);
    *row = result == SQLITE_ROW;
    return true;
}

bool state_run(State *state, Error *err, const char *sql, const char *format, ...)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    va_list arguments;
    va_start(arguments, format);
    bool prepared = prepare(state, &statement, sql, format, arguments, err);
    va_end(arguments);
    bool row = true;
    while (prepared && row)
        prepared = state_step(state, statement, &row, err);
    return prepared;
}

char *state_text(Arena *arena, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? arena_strdup(arena, (const char *)text) : NULL;
}

/* SQLite would create the file readable by all; its WAL files take over the mode of the file. */
static bool create_private(const char *path, Error *err)
{
    _cleanup_close_ int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot open %s", path);
    return true;
}

static bool check_version(State *state, int *version, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    if (!state_prepare(state, &statement, err, "PRAGMA user_version", "") ||
        !state_step(state, statement, &row, err))
        return false;
    *version = row ? sqlite3_column_int(statement, 0) : 0;
    if (*version <= SCHEMA_VERSION)
        return true;
    (void)error_set(err, ERR_FAILED, "%s was written by a newer vaxdb", state->path);
    return error_hint(err, "use that version, or another VAXDB_STATE_DIR");
}

static bool prepare_schema(State *state, Error *err)
{
    (void)sqlite3_busy_timeout(state->db, BUSY_TIMEOUT_MS);
    int version = 0;
    if (!check_version(state, &version, err))
        return false;
    bool done =
        sqlite3_exec(state->db, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL, NULL) ==
            SQLITE_OK &&
        sqlite3_exec(state->db, sql_schema, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(state->db, "PRAGMA user_version = 1; COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    return done || state_fail(state, err);
}

bool state_open(const char *directory, State **state, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *path = path_join(arena, directory, "vaxdb.sqlite");
    if (!directory_make(directory, geteuid() == 0 ? 0711 : 0700, err) ||
        !create_private(path, err)) {
        (void)error_context(err, "vaxdb keeps its state in %s", directory);
        return error_hint(err, "set VAXDB_STATE_DIR to a folder that you may write");
    }
    State *opened = calloc(1, sizeof(*opened));
    if (!opened || !(opened->path = strdup(path))) {
        free(opened);
        return error_set(err, ERR_FAILED, "out of memory");
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    bool ready =
        sqlite3_open_v2(path, &opened->db, flags, NULL) == SQLITE_OK || state_fail(opened, err);
    if (!ready || !prepare_schema(opened, err)) {
        state_close(opened);
        return false;
    }
    *state = opened;
    return true;
}

void state_close(State *state)
{
    if (!state)
        return;
    (void)sqlite3_close(state->db);
    free(state->path);
    free(state);
}

bool state_identity_get(State *state, Arena *arena, const char *system_identifier,
                        const char *database, const char **env, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    *env = NULL;
    if (!state_prepare(state, &statement, err,
                       "SELECT env FROM identities WHERE system_identifier = ?1 AND database = ?2",
                       "ss", system_identifier, database) ||
        !state_step(state, statement, &row, err))
        return false;
    if (row)
        *env = state_text(arena, statement, 0);
    return true;
}

bool state_identity_remember(State *state, const char *system_identifier, const char *database,
                             const char *env, Error *err)
{
    return state_run(state, err,
                     "INSERT INTO identities VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET "
                     "env = iif(env = 'production', env, excluded.env), seen_at = excluded.seen_at",
                     "sssi", system_identifier, database, env, clock_unix_s());
}
