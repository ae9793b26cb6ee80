#include "flows/scratch.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/interrupt.h"

#include <string.h>
#include <sys/random.h>

#define PREFIX     "vaxdb_"
#define CHECK_SIZE 10
/* Class of the advisory locks: "scra" in ASCII. */
#define LOCK_CLASS 0x73637261

bool scratch_connect(Log *log, const char *conninfo, Session **server, Error *err)
{
    SessionOptions options = {.conninfo = conninfo, .dbname = "postgres", .log = log};
    if (session_open(&options, server, err))
        return true;
    if (str_empty(err->hint))
        (void)error_hint(err, "restores and drills work through the database `postgres` of the "
                              "server: the role must be allowed to connect to it");
    return false;
}

/* Hash of the name without its check, and of the server. */
static void hash_name(const char *stem, size_t length, const char *system_identifier,
                      char hex[HASH_HEX_SIZE])
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *text =
        arena_printf(arena, "vaxdb scratch database %s %.*s", system_identifier, (int)length, stem);
    hash_bytes(text, strlen(text), hex);
}

bool scratch_is_ours(const char *name, const char *system_identifier)
{
    size_t length = strlen(name);
    char hex[HASH_HEX_SIZE];
    if (!str_starts(name, PREFIX) || length <= strlen(PREFIX) + CHECK_SIZE + 1)
        return false;
    size_t stem = length - CHECK_SIZE - 1;
    hash_name(name, stem, system_identifier, hex);
    return name[stem] == '_' && strncmp(name + stem + 1, hex, CHECK_SIZE) == 0;
}

static const char *make_name(Arena *arena, const char *kind, const char *system_identifier)
{
    uint32_t noise = 0;
    if (getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
        noise = (uint32_t)clock_monotonic_us();
    char *time = clock_name_utc(arena, clock_unix_s());
    for (char *byte = time; *byte; byte++) {
        if (*byte == '-')
            *byte = '_';
    }
    char hex[HASH_HEX_SIZE];
    char *stem = arena_printf(arena, PREFIX "%s_%s_%08x", kind, time, noise);
    hash_name(stem, strlen(stem), system_identifier, hex);
    return arena_printf(arena, "%s_%.*s", stem, CHECK_SIZE, hex);
}

static bool try_lock(Arena *arena, Session *server, const char *name, bool *locked, Error *err)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(name, strlen(name), hex);
    hex[7] = '\0'; /* 28 bits: a positive int4 */
    const char *taken = NULL;
    const char *sql = arena_printf(arena, "SELECT pg_try_advisory_lock(%d, %lld)", LOCK_CLASS,
                                   strtoll(hex, NULL, 16));
    if (!session_scalar(server, arena, sql, &taken, err))
        return false;
    *locked = str_equal(taken, "t");
    return true;
}

static void append_option(Buffer *sql, Arena *arena, const char *keyword, const char *value)
{
    if (value)
        (void)buffer_printf(sql, " %s %s", keyword, sql_literal(arena, value));
}

static char *create_statement(Arena *arena, const char *name, const ScratchSpec *spec,
                              bool with_locale)
{
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_LINE);
    (void)buffer_printf(&sql, "CREATE DATABASE %s TEMPLATE template0", sql_identifier(arena, name));
    append_option(&sql, arena, "ENCODING", spec->encoding);
    if (with_locale) {
        append_option(&sql, arena, "LC_COLLATE", spec->collate);
        append_option(&sql, arena, "LC_CTYPE", spec->ctype);
        if (str_equal(spec->locale_provider, "i"))
            append_option(&sql, arena, "LOCALE_PROVIDER icu ICU_LOCALE", spec->locale);
        if (str_equal(spec->locale_provider, "b"))
            append_option(&sql, arena, "LOCALE_PROVIDER builtin BUILTIN_LOCALE", spec->locale);
    }
    if (spec->owner)
        (void)buffer_printf(&sql, " OWNER %s", sql_identifier(arena, spec->owner));
    if (spec->tablespace)
        (void)buffer_printf(&sql, " TABLESPACE %s", sql_identifier(arena, spec->tablespace));
    return arena_strdup(arena, sql.data);
}

bool scratch_create(Arena *arena, Log *log, Session *server, const char *kind,
                    const ScratchSpec *spec, bool may_fall_back, const char **name, Error *err)
{
    DatabaseIdentity identity;
    bool locked = false;
    if (!session_identity(server, arena, &identity, err))
        return false;
    const char *made = make_name(arena, kind, identity.system_identifier);
    if (!try_lock(arena, server, made, &locked, err))
        return false;
    *name = made; /* from here on the caller drops it: an interrupted CREATE may have worked */
    if (session_execute(server, create_statement(arena, made, spec, true), err))
        return true;
    bool locale = str_equal(err->sqlstate, "42809") || str_equal(err->sqlstate, "22023") ||
                  str_equal(err->sqlstate, "0A000");
    if (!locale || !may_fall_back)
        return error_context(err, "creating a database beside the others");
    log_warn(log, "%s: the server's own locale is taken instead", err->message);
    return session_execute(server, create_statement(arena, made, spec, false), err);
}

static bool drop(Arena *arena, Session *server, const char *name, Error *err)
{
    return session_execute(
        server,
        arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", sql_identifier(arena, name)),
        err);
}

void scratch_drop(Arena *arena, Log *log, Session *server, const char *conninfo, const char *name)
{
    Error error = {0};
    _cleanup_session_ Session *fresh = NULL;
    if (!name)
        return;
    interrupt_clear(); /* the work has stopped already; this must not */
    bool dropped = !session_is_lost(server) && drop(arena, server, name, &error);
    if (!dropped)
        dropped =
            scratch_connect(NULL, conninfo, &fresh, &error) && drop(arena, fresh, name, &error);
    if (!dropped)
        log_warn(log, "the scratch database %s is left: %s (the next restore or drill removes it)",
                 name, error.message);
}

bool scratch_sweep(Arena *arena, Log *log, Session *server, Error *err)
{
    DatabaseIdentity identity;
    _cleanup_result_ Result *rows = NULL;
    if (!session_identity(server, arena, &identity, err) ||
        !session_query(server, "SELECT datname FROM pg_database WHERE datname LIKE 'vaxdb\\_%'",
                       &rows, err))
        return false;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, "datname");
        bool locked = false;
        Error error = {0};
        if (!scratch_is_ours(name, identity.system_identifier))
            continue;
        if (!try_lock(arena, server, name, &locked, err))
            return false;
        if (!locked)
            continue; /* its maker lives */
        if (drop(arena, server, name, &error))
            log_info(log, "Removed %s, left by a run that was killed", name);
        else
            log_warn(log, "cannot remove %s, left by a run that was killed: %s", name,
                     error.message);
    }
    return true;
}
