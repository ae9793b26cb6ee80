#include "flows/restore.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "flows/copy.h"
#include "flows/swap.h"
#include "pg/conninfo.h"
#include "sql_texts.h"

#define PRODUCTION_WORDS "RESTORE PRODUCTION DATABASE"
/* A packed plain dump is seldom more than half of the database. */
#define SAFETY_SPACE_DIVISOR 2

typedef struct {
    Arena *arena;
    Log *log;
    State *state;
    Target target; /* with the name of the database that is restored */
    const RestoreSpec *spec;
    RestoreResult *result;
    DatabaseProperties there;
    bool has_tables;
    VerifyReport report;
    Copy copy;
} Restore;

/* ---- before anything is touched ---------------------------------------------------------- */

/* The database need not exist, so its identity comes from the server and its name. */
static bool learn_guard(Restore *restore, Error *err)
{
    Target *target = &restore->target;
    DatabaseIdentity identity;
    const char *seen = NULL;
    if (!session_identity(restore->copy.server, restore->arena, &identity, err) ||
        !state_identity_get(restore->state, restore->arena, identity.system_identifier,
                            target->database, &seen, err))
        return false;
    if (str_equal(seen, env_name(ENV_PRODUCTION)))
        target->guard = ENV_PRODUCTION;
    if (restore->spec->database || (target->from_url && target->env != ENV_PRODUCTION))
        return true;
    return state_identity_remember(restore->state, identity.system_identifier, target->database,
                                   env_name(target->env), err);
}

static bool confirm(Restore *restore, Error *err)
{
    const Target *target = &restore->target;
    bool asks = target->guard == ENV_PRODUCTION && restore->there.exists &&
                !restore->spec->confirm && restore->log->can_ask;
    if (asks)
        return log_confirm_words(restore->log, PRODUCTION_WORDS, err,
                                 "The production database %s will be replaced by the backup %s.",
                                 target->database, path_basename(restore->spec->path));
    if (!restore->there.exists && !restore->spec->confirm)
        return true; /* nothing is overwritten */
    return target_guard(target, "overwriting it by a restore", restore->spec->confirm, err);
}

/* Those that restores replaced and did not drop: kept, or left by one that was killed after the
 * swap. They take room, and nothing else would tell of them. */
static bool tell_replaced(const Restore *restore, Error *err)
{
    const char *params[] = {restore->target.database};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(
            restore->copy.server,
            "SELECT datname FROM pg_database WHERE datname ~ '_old_[0-9]{8}_[0-9]{6}$' AND "
            "left(datname, -20) = left($1::text, 38) ORDER BY 1",
            1, params, &rows, err))
        return false;
    for (size_t i = 0; i < result_rows(rows); i++)
        log_warn(restore->log,
                 "%s is still there, which an earlier restore replaced: drop it when it is not "
                 "needed any more",
                 result_text(rows, i, "datname"));
    return true;
}

static bool look_at_database(Restore *restore, Error *err)
{
    const char *database = restore->target.database;
    if (!swap_look_up(restore->arena, restore->copy.server, database, &restore->there, err) ||
        !learn_guard(restore, err) || !confirm(restore, err) || !tell_replaced(restore, err))
        return false;
    if (!restore->there.exists)
        return true;
    if (restore->spec->tables) {
        (void)error_set(err, ERR_REFUSED,
                        "the database %s exists, and some tables must not take the place of all",
                        database);
        return error_hint(err, "name a new database with --database, and copy from there what you "
                               "need");
    }
    if (!swap_check(restore->copy.server, database, err))
        return false;
    if (!restore->there.allows_connections) {
        (void)error_set(err, ERR_REFUSED, "the database %s does not allow connections", database);
        return error_hint(err, "ALTER DATABASE %s ALLOW_CONNECTIONS true, if it is meant",
                          sql_identifier(restore->arena, database));
    }
    SessionOptions options = {
        .conninfo = restore->target.conninfo, .dbname = database, .log = restore->log};
    _cleanup_session_ Session *session = NULL;
    _cleanup_result_ Result *rows = NULL;
    if (!session_open(&options, &session, err) ||
        !session_query(session, sql_backup_tables, &rows, err))
        return false;
    restore->has_tables = result_rows(rows) > 0;
    return true;
}

static void tell_contents(const Restore *restore)
{
    Arena *arena = restore->arena;
    const VerifyReport *report = &restore->report;
    if (!report->has_manifest) {
        log_info(restore->log,
                 "The backup %s: %s rows of %zu tables; without a manifest nothing "
                 "tells its age or what it should hold",
                 path_basename(restore->spec->path), str_count(arena, report->rows),
                 report->tables);
        return;
    }
    const Manifest *manifest = &report->manifest;
    double age_ms = (double)(clock_unix_s() - manifest->snapshot_at) * 1000;
    log_info(restore->log, "The backup %s shows %s (%s) as of %s, %s ago: %s rows of %zu tables",
             manifest->file, manifest->database, manifest->env,
             clock_iso_utc(arena, manifest->snapshot_at),
             str_duration(arena, age_ms < 1000 ? 1000 : age_ms),
             str_count(arena, manifest_rows(manifest)), manifest_table_count(manifest));
}

static bool wants_safety_backup(const Restore *restore)
{
    return restore->there.exists && restore->has_tables && !restore->spec->no_safety_backup;
}

static bool check_space(Restore *restore, Error *err)
{
    bool known = false;
    if (!copy_check_space(&restore->copy, &restore->report, &known, err))
        return false;
    if (!known)
        log_debug(restore->log,
                  "the server's disk cannot be seen from here: its room is not known");
    if (!wants_safety_backup(restore))
        return true;
    const char *directory = restore->spec->backup_directory;
    int64_t free_bytes = 0;
    int64_t wanted = restore->there.bytes / SAFETY_SPACE_DIVISOR;
    if (!disk_free_bytes(directory, &free_bytes, err))
        return false;
    if (free_bytes >= wanted)
        return true;
    (void)error_set(err, ERR_FAILED, "%s has %s free, the safety backup may take %s", directory,
                    str_bytes(restore->arena, free_bytes), str_bytes(restore->arena, wanted));
    return error_hint(err, "make room there (`vaxdb backup prune`), or name another folder with "
                           "--dir; nothing was changed");
}

static bool verify_file(Restore *restore, Error *err)
{
    if (!backup_verify_with(restore->arena, restore->log, restore->state, restore->spec->path,
                            VERIFY_CONTENT, restore->spec->keys, &restore->report, err))
        return false;
    if (!restore->report.ok) {
        (void)backup_verify_error(restore->spec->path, &restore->report, err);
        return error_context(err, "nothing was changed");
    }
    tell_contents(restore);
    return true;
}

/* ---- the five steps ---------------------------------------------------------------------- */

static bool make_safety_backup(Restore *restore, Error *err)
{
    const RestoreSpec *spec = restore->spec;
    if (!wants_safety_backup(restore)) {
        const char *why = spec->no_safety_backup  ? arena_printf(restore->arena, "not wanted: %s",
                                                                 spec->no_safety_backup)
                          : restore->there.exists ? "the database is empty"
                                                  : "the database does not exist yet";
        log_info(restore->log, "[1/5] No pre-restore backup (%s)", why);
        return true;
    }
    log_info(restore->log, "[1/5] Pre-restore backup of %s (safety net)", restore->target.database);
    BackupSpec safety = {.conninfo = restore->target.conninfo,
                         .dbname = restore->target.database,
                         .directory = spec->backup_directory,
                         .name = spec->backup_name,
                         .env = env_name(restore->target.env),
                         .reason = "before a restore",
                         .compression = COMPRESS_BALANCED,
                         .pg_bindir = spec->pg_bindir,
                         .keys = spec->keys};
    BackupResult made;
    VerifyReport report;
    if (!backup_create(restore->arena, restore->log, &safety, &made, err) ||
        !backup_verify_with(restore->arena, restore->log, restore->state, made.path, VERIFY_CONTENT,
                            spec->keys, &report, err))
        return error_context(err, "the pre-restore backup failed, so nothing was changed");
    if (!report.ok)
        return backup_verify_error(made.path, &report, err);
    restore->result->safety_backup = made.path;
    log_info(restore->log, "      %s", made.path);
    return true;
}

static bool make_database(Restore *restore, Error *err)
{
    ScratchSpec spec = restore->there.like;
    bool exists = restore->there.exists;
    log_info(restore->log,
             exists ? "[2/5] New database beside %s (it stays until the new one is "
                      "verified)"
                    : "[2/5] New database %s",
             restore->target.database);
    if (!exists && !copy_spec_of_manifest(&restore->copy, &restore->report, &spec, err))
        return false;
    return copy_create(&restore->copy, "restore", &spec, !exists, &restore->report, err);
}

/* Each of the critical tables must be there. */
static bool check_critical(Restore *restore, Error *err)
{
    if (!restore->spec->critical_tables)
        return true;
    StrList wanted;
    str_list_init(&wanted, restore->arena);
    str_split(&wanted, restore->spec->critical_tables, ",");
    for (size_t i = 0; i < wanted.count; i++) {
        const char *params[] = {wanted.items[i]};
        _cleanup_result_ Result *rows = NULL;
        if (!session_query_params(restore->copy.session,
                                  "SELECT FROM pg_class AS c JOIN pg_namespace AS n "
                                  "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND "
                                  "$1::text IN (c.relname, n.nspname || '.' || c.relname)",
                                  1, params, &rows, err))
            return false;
        if (!result_rows(rows))
            return error_set(err, ERR_PROBLEMS, "the restored database lacks the critical table %s",
                             wanted.items[i]);
    }
    return true;
}

static bool check_copy(Restore *restore, Error *err)
{
    const VerifyReport *report = &restore->report;
    CompareReport compared;
    log_info(restore->log, "[4/5] Checking critical tables, row counts and indexes");
    Manifest narrow;
    const Manifest *manifest = report->has_manifest ? &report->manifest : NULL;
    bool partial = restore->spec->tables != NULL;
    if (partial && manifest) {
        if (!backup_narrow(restore->arena, restore->copy.session, &restore->copy.load, manifest,
                           &narrow, err))
            return false;
        manifest = &narrow;
    }
    if (!backup_compare(restore->arena, restore->log, restore->copy.session, manifest, &compared,
                        err) ||
        (!partial && !check_critical(restore, err)))
        return false;
    const StrList *lists[] = {&compared.missing_tables, &compared.wrong_rows,
                              &compared.wrong_indexes, &compared.wrong_sequences};
    static const char *const names[] = {"missing table", "row count", "index", "sequence"};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (lists[i]->count)
            return error_set(err, ERR_PROBLEMS,
                             "the restored database is not what was backed up "
                             "(%s): %s",
                             names[i], str_list_join(lists[i], restore->arena, "; "));
    }
    restore->result->tables = compared.tables;
    restore->result->rows = compared.rows;
    restore->result->indexes = compared.indexes;
    restore->result->table_rows = compared.table_rows;
    restore->result->table_count = compared.table_row_count;
    return true;
}

/* DATABASE_old_YYYYMMDD_HHMMSS, of a later second where that is taken. */
static bool old_name(const Restore *restore, const char **name, Error *err)
{
    for (int64_t at = clock_unix_s();; at++) {
        char *time = clock_name_utc(restore->arena, at);
        for (char *byte = time; *byte; byte++) {
            if (*byte == '-')
                *byte = '_';
        }
        /* Names have at most 63 bytes; the server would cut the end, which tells them apart. */
        *name = arena_printf(restore->arena, "%.38s_old_%s", restore->target.database, time);
        _cleanup_result_ Result *rows = NULL;
        if (!session_query_params(restore->copy.server,
                                  "SELECT FROM pg_database WHERE datname = $1", 1, name, &rows,
                                  err))
            return false;
        if (!result_rows(rows))
            return true;
    }
}

static void drop_old(Restore *restore, const char *old)
{
    Error error = {0};
    const char *sql = arena_printf(restore->arena, "DROP DATABASE %s WITH (FORCE)",
                                   sql_identifier(restore->arena, old));
    if (session_execute(restore->copy.server, sql, &error))
        return;
    restore->result->kept_old = old;
    log_warn(restore->log, "the replaced database could not be dropped and is called %s now: %s",
             old, error.message);
}

static bool put_in_place(Restore *restore, Error *err)
{
    Copy *copy = &restore->copy;
    const char *database = restore->target.database;
    session_close(copy->session); /* a rename wants nobody connected */
    copy->session = NULL;
    if (!interrupt_check(err))
        return false;
    if (!restore->there.exists) {
        const char *sql = arena_printf(restore->arena, "ALTER DATABASE %s RENAME TO %s",
                                       sql_identifier(restore->arena, copy->name),
                                       sql_identifier(restore->arena, database));
        if (!session_execute(copy->server, sql, err))
            return false;
        copy_keep(copy);
        restore->result->created = true;
        return true;
    }
    const char *old = NULL;
    if (!old_name(restore, &old, err) || !swap_check(copy->server, database, err) ||
        !swap_carry_settings(restore->arena, copy->server, database, &restore->there, copy->name,
                             err) ||
        !swap_databases(restore->arena, restore->target.conninfo, copy->server, database,
                        copy->name, old, err))
        return false;
    copy_keep(copy);
    if (restore->spec->keep_old)
        restore->result->kept_old = old;
    else
        drop_old(restore, old);
    return true;
}

static bool run_steps(Restore *restore, Error *err)
{
    if (!make_safety_backup(restore, err) || !make_database(restore, err))
        return false;
    log_info(restore->log, "[3/5] Restoring the data");
    restore->copy.jobs = restore->spec->jobs;
    restore->copy.tables = restore->spec->tables;
    if (!copy_load(&restore->copy, restore->spec->path, err) || !check_copy(restore, err))
        return false;
    RestoreResult *result = restore->result;
    result->roles_created = restore->copy.roles_created;
    result->notes = restore->copy.load.notes;
    if (!put_in_place(restore, err))
        return false;
    log_info(restore->log, "[5/5] Restored: %s rows of %zu tables, %zu indexes",
             str_count(restore->arena, result->rows), result->tables, result->indexes);
    return true;
}

bool restore_run(Arena *arena, Log *log, State *state, const Target *target,
                 const RestoreSpec *spec, RestoreResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    Restore restore = {.arena = arena,
                       .log = log,
                       .state = state,
                       .target = *target,
                       .spec = spec,
                       .result = result};
    *result = (RestoreResult){0};
    if (spec->database)
        restore.target.database = spec->database;
    else if (!conninfo_database(arena, target->conninfo, &restore.target.database, err))
        return false;
    bool opened = copy_open(arena, log, target->conninfo, &restore.copy, err);
    restore.copy.keys = spec->keys;
    bool done = opened && look_at_database(&restore, err) && verify_file(&restore, err) &&
                check_space(&restore, err) && run_steps(&restore, err);
    copy_release(&restore.copy);
    result->database = restore.target.database;
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return done;
}
