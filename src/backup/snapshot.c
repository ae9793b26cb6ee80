#include "backup/snapshot.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "pg/blockers.h"
#include "pg/pooler.h"
#include "sql_texts.h"

#include <inttypes.h>

/* Key of the advisory lock "a backup of this database": "vaxd" and "back" in ASCII. */
#define LOCK_CLASS      0x76617864
#define LOCK_OBJECT     0x6261636B
#define LOCK_TIMEOUT_MS 60000
/* Who waits for a table while others are locked already keeps migrations of those from starting: so
 * all locks are let go after a while, and asked for again. */
#define LOCK_SLICE_MS    2000
#define LOCK_PATIENCE_MS 300000
#define BEGIN_ATTEMPTS   5

static bool take_backup_lock(Session *session, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *taken = NULL;
    const char *sql =
        arena_printf(arena, "SELECT pg_try_advisory_lock(%d, %d)", LOCK_CLASS, LOCK_OBJECT);
    if (!session_scalar(session, arena, sql, &taken, err))
        return false;
    if (str_equal(taken, "t"))
        return true;
    (void)error_set(err, ERR_REFUSED, "another backup of the database %s is running",
                    session_database(session));
    return error_hint(err, "wait until it has ended, then run the command again");
}

/* A server or role may limit what takes long; a backup takes as long as it takes. The other
 * settings are pg_dump's: rows as text that any server reads as the same values, all of them, in
 * the order in which they lie, and nothing but tables where a table was meant (CVE-2024-7348). The
 * time zone is added, because a row's digest is that of its text, on whatever server. */
static bool settle(Session *session, Error *err)
{
    return session_execute(
        session,
        "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN "
        "('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', "
        "'idle_session_timeout'); "
        "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings "
        "WHERE name = 'restrict_nonsystem_relation_kind'; "
        "SELECT set_config('client_encoding', current_setting('server_encoding'), false); "
        "SET row_security = off; SET search_path = pg_catalog; SET DateStyle = ISO; "
        "SET IntervalStyle = postgres; SET extra_float_digits = 3; SET bytea_output = hex; "
        "SET TimeZone = 'UTC'; SET quote_all_identifiers = off; "
        "SET synchronize_seqscans = off; SET enable_tidscan = on; "
        "SET max_parallel_workers_per_gather = 0; SET jit = off; "
        "SET standard_conforming_strings = on",
        err);
}

bool backup_leader_open(Log *log, const char *conninfo, const char *dbname, BackupLeader *leader,
                        Error *err)
{
    SessionOptions options = {.conninfo = conninfo,
                              .dbname = dbname,
                              .application_name = "vaxdb backup",
                              .lock_timeout_ms = LOCK_TIMEOUT_MS,
                              .log = log};
    *leader = (BackupLeader){.log = log};
    if (!session_open(&options, &leader->session, err))
        return false;
    if (session_check_pooler(leader->session, &options, "backups", err) &&
        take_backup_lock(leader->session, err) && settle(leader->session, err))
        return true;
    backup_leader_close(leader);
    return false;
}

void backup_leader_close(BackupLeader *leader)
{
    session_close(leader->session);
    *leader = (BackupLeader){0};
}

static bool lock_tables(Session *session, Arena *arena, const Result *rows, Error *err)
{
    if (!result_rows(rows))
        return true;
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_FILE);
    (void)buffer_printf(&sql, "SET LOCAL lock_timeout = %d; LOCK TABLE", LOCK_SLICE_MS);
    for (size_t i = 0; i < result_rows(rows); i++)
        (void)buffer_printf(
            &sql, "%s ONLY %s", i ? "," : "",
            sql_qualified(arena, result_text(rows, i, "schema"), result_text(rows, i, "name")));
    (void)buffer_printf(&sql, " IN ACCESS SHARE MODE; SET LOCAL lock_timeout = %d",
                        LOCK_TIMEOUT_MS);
    if (!buffer_check(&sql, "the list of tables", err))
        return false;
    return session_execute(session, sql.data, err) ||
           error_context(err, "cannot lock the tables for reading");
}

static bool same_tables(const Result *a, const Result *b)
{
    if (result_rows(a) != result_rows(b))
        return false;
    for (size_t i = 0; i < result_rows(a); i++) {
        if (!str_equal(result_text(a, i, "name"), result_text(b, i, "name")) ||
            !str_equal(result_text(a, i, "schema"), result_text(b, i, "schema")))
            return false;
    }
    return true;
}

static void keep_tables(Arena *arena, const Result *rows, Manifest *manifest)
{
    manifest->table_count = result_rows(rows);
    manifest->tables = arena_array(arena, manifest->table_count, sizeof(*manifest->tables));
    for (size_t i = 0; i < manifest->table_count; i++)
        manifest->tables[i] = (ManifestTable){
            .schema = arena_strdup(arena, result_text(rows, i, "schema")),
            .name = arena_strdup(arena, result_text(rows, i, "name")),
            .partitioned = result_bool(rows, i, "partitioned"),
        };
}

/* Lists, locks, and lists again under the snapshot: *settled is false when a table came or went
 * between. */
static bool lock_and_list(Session *session, Arena *arena, Manifest *manifest, bool *settled,
                          Error *err)
{
    _cleanup_result_ Result *before = NULL;
    _cleanup_result_ Result *under = NULL;
    if (!session_query(session, sql_backup_tables, &before, err) ||
        !session_execute(session, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err))
        return false;
    if (!lock_tables(session, arena, before, err)) {
        *settled = false;
        /* A table that was dropped meanwhile. */
        bool gone = str_equal(err->sqlstate, "42P01") || str_equal(err->sqlstate, "3F000");
        return gone && session_execute(session, "ROLLBACK", err);
    }
    if (!session_query(session, sql_backup_tables, &under, err))
        return false;
    *settled = same_tables(before, under);
    if (!*settled)
        return session_execute(session, "ROLLBACK", err);
    keep_tables(arena, under, manifest);
    return true;
}

static const char *keep(Arena *arena, const Result *rows, const char *column)
{
    const char *text = result_text(rows, 0, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static bool read_origin(Session *session, Arena *arena, BackupLeader *leader, Manifest *manifest,
                        Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_backup_origin, &rows, err))
        return false;
    manifest->database = keep(arena, rows, "database");
    manifest->owner = keep(arena, rows, "owner");
    manifest->encoding = keep(arena, rows, "encoding");
    manifest->collate = keep(arena, rows, "collate");
    manifest->ctype = keep(arena, rows, "ctype");
    manifest->locale_provider = keep(arena, rows, "locale_provider");
    manifest->locale = keep(arena, rows, "locale");
    manifest->database_bytes = result_int64(rows, 0, "bytes");
    manifest->server_version = keep(arena, rows, "server_version");
    manifest->server_version_number = session_server_version(session);
    manifest->system_identifier = keep(arena, rows, "system_identifier");
    manifest->snapshot_lsn = keep(arena, rows, "lsn");
    manifest->snapshot_at = result_int64(rows, 0, "snapshot_at");
    leader->snapshot = keep(arena, rows, "snapshot");
    return true;
}

static bool read_indexes(Session *session, Arena *arena, Manifest *manifest, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_backup_indexes, &rows, err))
        return false;
    manifest->index_count = result_rows(rows);
    manifest->indexes = arena_array(arena, manifest->index_count, sizeof(*manifest->indexes));
    for (size_t i = 0; i < manifest->index_count; i++)
        manifest->indexes[i] = (ManifestIndex){
            .schema = arena_strdup(arena, result_text(rows, i, "schema")),
            .name = arena_strdup(arena, result_text(rows, i, "name")),
            .table = arena_strdup(arena, result_text(rows, i, "table_name")),
            .valid = result_bool(rows, i, "valid"),
        };
    return true;
}

static bool read_extensions(Session *session, Arena *arena, Manifest *manifest, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, "SELECT extname, extversion FROM pg_extension ORDER BY 1", &rows,
                       err))
        return false;
    manifest->extension_count = result_rows(rows);
    manifest->extensions =
        arena_array(arena, manifest->extension_count, sizeof(*manifest->extensions));
    for (size_t i = 0; i < manifest->extension_count; i++)
        manifest->extensions[i] =
            (ManifestExtension){arena_strdup(arena, result_text(rows, i, "extname")),
                                arena_strdup(arena, result_text(rows, i, "extversion"))};
    return true;
}

/* The locks were not to be had in time; true: try again. */
static bool wait_for_locks(BackupLeader *leader, int64_t until_ms, bool *told, Error *err)
{
    Error failure = *err;
    if (!session_execute(leader->session, "ROLLBACK", err))
        return false;
    (void)lock_timeout_explain(leader->session, LOCK_TO_READ, &failure);
    if (clock_monotonic_ms() >= until_ms) {
        *err = failure;
        return error_context(err, "cannot lock the tables for reading");
    }
    if (!*told)
        log_warn(leader->log, "waiting up to %d min to read the tables: %s",
                 LOCK_PATIENCE_MS / 60000, failure.message);
    *told = true;
    return true;
}

static bool settle_tables(Arena *arena, BackupLeader *leader, Manifest *manifest, Error *err)
{
    int64_t until_ms = clock_monotonic_ms() + LOCK_PATIENCE_MS;
    bool told = false;
    for (int attempt = 0; attempt < BEGIN_ATTEMPTS;) {
        bool settled = false;
        Error failure = {0};
        if (lock_and_list(leader->session, arena, manifest, &settled, &failure)) {
            if (settled)
                return true;
            attempt++;
            continue;
        }
        *err = failure;
        if (!error_is_lock_timeout(err) || !wait_for_locks(leader, until_ms, &told, err))
            return false;
    }
    return error_set(err, ERR_FAILED,
                     "tables are created and dropped all the time: %d attempts "
                     "to list and lock them met a change",
                     BEGIN_ATTEMPTS);
}

bool backup_leader_begin(Arena *arena, BackupLeader *leader, Manifest *manifest, Error *err)
{
    Session *session = leader->session;
    if (session_in_transaction(session) && !session_execute(session, "ROLLBACK", err))
        return false;
    if (!settle_tables(arena, leader, manifest, err))
        return false;
    return read_origin(session, arena, leader, manifest, err) &&
           read_indexes(session, arena, manifest, err) &&
           read_extensions(session, arena, manifest, err);
}

/* ---- other sessions ---------------------------------------------------------------------- */

bool backup_join_snapshot(const char *conninfo, const char *dbname, const char *snapshot,
                          Session **session, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    SessionOptions options = {.conninfo = conninfo,
                              .dbname = dbname,
                              .application_name = "vaxdb backup",
                              .lock_timeout_ms = LOCK_TIMEOUT_MS};
    const char *sql = arena_printf(arena,
                                   "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
                                   "SET TRANSACTION SNAPSHOT %s",
                                   sql_literal(arena, snapshot));
    return session_open(&options, session, err) && settle(*session, err) &&
           session_execute(*session, sql, err);
}

/* ---- large objects ----------------------------------------------------------------------- */

bool backup_has_large_objects(Session *leader, bool *has, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *value = NULL;
    if (!session_scalar(leader, arena,
                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)", &value,
                        err))
        return false;
    *has = str_equal(value, "t");
    return true;
}
