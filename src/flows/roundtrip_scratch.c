#include "flows/roundtrip_internal.h"

#include "base/file.h"
#include "flows/swap.h"
#include "pg/blockers.h"

/* Is there nothing but what a new database has? */
static bool is_fresh(const Schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        const SchemaObject *object = &schema->items[i];
        if (!(str_equal(object->kind, "schema") && str_equal(object->name, "public")) &&
            !(str_equal(object->kind, "extension") && str_equal(object->name, "plpgsql")))
            return false;
    }
    return true;
}

/* Is one of the names applied already? Then only a database made from nothing can show its way. */
static bool any_is_applied(const Roundtrip *trip, const MigrateStatus *status)
{
    const StrList *names = trip->spec->names;
    for (size_t i = 0; names && i < status->count; i++) {
        if (status->items[i].entry && roundtrip_is_named(names, status->items[i].name))
            return true;
    }
    return false;
}

/* The settings of the database belong to how a migration runs there. */
static void carry_settings(Roundtrip *trip, const char *database,
                           const DatabaseProperties *properties)
{
    Error error = {0};
    if (!swap_carry_settings(trip->arena, trip->copy.server, database, properties, trip->copy.name,
                             &error))
        log_warn(trip->log, "settings of %s are not taken over: %s", database, error.message);
}

static bool make_empty(Roundtrip *trip, Error *err)
{
    Copy *copy = &trip->copy;
    const char *database = session_database(trip->spec->session);
    DatabaseProperties there = {0};
    if (!swap_look_up(trip->arena, copy->server, database, &there, err))
        return false;
    ScratchSpec like = there.like;
    like.owner = NULL; /* who runs the migrations owns it */
    like.tablespace = NULL;
    if (!scratch_create(trip->arena, trip->log, copy->server, "roundtrip", &like, true, &copy->name,
                        err))
        return false;
    there.connection_limit = -1;
    carry_settings(trip, database, &there);
    return true;
}

static bool open_session(Roundtrip *trip, Session **session, Error *err)
{
    const SessionOptions options = {.conninfo = trip->spec->target->conninfo,
                                    .dbname = trip->copy.name,
                                    .application_name = "vaxdb roundtrip",
                                    .log = trip->log};
    return session_open(&options, session, err);
}

/* A session of its own: a dump leaves settings behind. */
static bool copy_schema(Roundtrip *trip, Error *err)
{
    _cleanup_session_ Session *to = NULL;
    return open_session(trip, &to, err) &&
           backup_copy_schema(trip->arena, trip->log, trip->spec->session, to,
                              trip->spec->pg_bindir, err);
}

/* So that the same migrations are pending. */
static bool copy_ledger(Roundtrip *trip, const MigrateStatus *status, Error *err)
{
    Ledger ledger;
    Session *session = trip->copy.session;
    Arena *arena = trip->arena;
    if (!ledger_find(arena, session, trip->options.ledger_table, &ledger, err) ||
        !ledger_create(arena, session, &ledger, err))
        return false;
    _cleanup_buffer_ Buffer sql;
    buffer_init(&sql, BUFFER_MAX_FILE);
    for (size_t i = 0; i < status->entry_count; i++) {
        const LedgerEntry *entry = &status->entries[i];
        (void)buffer_append_str(&sql,
                                ledger_sql_insert(arena, &ledger, entry->name, entry->checksum));
    }
    return buffer_check(&sql, "the ledger", err) &&
           (sql.length == 0 || session_execute(session, sql.data, err));
}

static bool make_of_schema(Roundtrip *trip, Error *err)
{
    Schema schema;
    MigrateStatus status;
    const RoundtripSpec *spec = trip->spec;
    const SchemaScope scope = {.ledger_table = trip->options.ledger_table};
    if (!migrate_status(trip->arena, spec->session, trip->options.directory,
                        trip->options.ledger_table, &status, err) ||
        !schema_read(trip->arena, spec->session, &scope, &schema, err))
        return false;
    if (migrate_status_count(&status, MIGRATION_PARTIAL))
        return error_set(err, ERR_FAILED, "a migration is half done there: finish it first");
    bool from_nothing = any_is_applied(trip, &status);
    trip->report->database =
        from_nothing ? "an empty database"
                     : arena_printf(trip->arena, "schema of %s", session_database(spec->session));
    return make_empty(trip, err) && (from_nothing || is_fresh(&schema) || copy_schema(trip, err)) &&
           open_session(trip, &trip->copy.session, err) &&
           (from_nothing || copy_ledger(trip, &status, err));
}

static bool make_of_backup(Roundtrip *trip, Error *err)
{
    Copy *copy = &trip->copy;
    VerifyReport verified;
    ScratchSpec like;
    bool known = false;
    const char *path = trip->spec->backup;
    trip->report->database = path_basename(path);
    copy->keys = trip->spec->keys;
    if (!backup_verify_with(trip->arena, trip->log, NULL, path, VERIFY_CONTENT, copy->keys,
                            &verified, err))
        return false;
    if (!verified.ok)
        return backup_verify_error(path, &verified, err);
    if (!copy_check_space(copy, &verified, &known, err) ||
        !copy_spec_of_manifest(copy, &verified, &like, err))
        return false;
    like.owner = NULL;
    return copy_create(copy, "roundtrip", &like, true, &verified, err) &&
           copy_load(copy, path, err);
}

/* A dump's session has its settings; what reads schemas wants the database's own. */
static bool renew_session(Roundtrip *trip, Error *err)
{
    session_close(TAKE(trip->copy.session));
    return open_session(trip, &trip->copy.session, err);
}

bool roundtrip_make_scratch(Roundtrip *trip, const char **why, Error *err)
{
    Error error = {0};
    *why = NULL;
    if (!copy_open(trip->arena, trip->log, trip->spec->target->conninfo, &trip->copy, err))
        return false;
    if (trip->spec->backup ? make_of_backup(trip, &error) && renew_session(trip, &error)
                           : make_of_schema(trip, &error)) {
        trip->options.dbname = trip->copy.name;
        return true;
    }
    if (error.code != ERR_FAILED || error_is_lock_timeout(&error)) {
        *err = error;
        return false;
    }
    *why = arena_printf(trip->arena, "no scratch database could be made: %s%s%s", error.message,
                        error.hint[0] ? "; " : "", error.hint);
    return true;
}
