#include "base/str.h"
#include "migrate/migrate.h"
#include "migrate/runner.h"
#include "pg/blockers.h"

#include <string.h>

/* What the schema was at the end of the last run, in a side table of the ledger, so that a change
 * made by hand since is seen.
 *
 * A snapshot says at which position of the books it was taken: entries of the ledger, and how far
 * runs outside of transactions have come. A run that is killed between its last commit and its
 * snapshot leaves another position behind; so its own changes are never taken for drift. */

const char *drift_state_name(DriftState state)
{
    static const char *const names[] = {"none", "found", "no_snapshot", "stale", "other_major"};
    return names[state];
}

typedef struct {
    const char *books;  /* changes with everything that runs */
    const char *newest; /* entry of the ledger; "" */
} Position;

/* As SQL, so that whoever writes the books can note it in the same transaction. A run that failed
 * and rolled back changed nothing. */
static const char *books_sql(Arena *arena, const Ledger *ledger)
{
    const char *runs = ledger->runs_exist
                           ? arena_printf(arena,
                                          "(SELECT concat(coalesce(max(id), 0), '/', "
                                          "coalesce(sum(completed), 0), '/', count(attempting)) "
                                          "FROM %s WHERE NOT (transactional AND state = 'failed'))",
                                          ledger->runs_table)
                           : "''";
    return arena_printf(arena,
                        "(SELECT concat(coalesce(max(id), 0), '/', count(*), '/', %s) FROM %s)",
                        runs, ledger->table);
}

static const char *newest_sql(Arena *arena, const Ledger *ledger)
{
    return arena_printf(arena, "coalesce((SELECT name FROM %s ORDER BY id DESC LIMIT 1), '')",
                        ledger->table);
}

static bool read_position(Arena *arena, Session *session, const Ledger *ledger, Position *position,
                          Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    *position = (Position){"", ""};
    if (!ledger->exists)
        return true;
    if (!session_query(session,
                       arena_printf(arena, "SELECT %s AS books, %s AS newest",
                                    books_sql(arena, ledger), newest_sql(arena, ledger)),
                       &rows, err))
        return false;
    position->books = arena_strdup(arena, result_text(rows, 0, "books"));
    position->newest = arena_strdup(arena, result_text(rows, 0, "newest"));
    return true;
}

/* ---- taking one -------------------------------------------------------------------------- */

static bool create_table(Arena *arena, Session *session, const Ledger *ledger, Error *err)
{
    return session_execute(session,
                           arena_printf(arena,
                                        "CREATE TABLE IF NOT EXISTS %s (\n"
                                        "    id BIGSERIAL PRIMARY KEY,\n"
                                        "    position TEXT NOT NULL,\n"
                                        "    newest TEXT NOT NULL,\n"
                                        "    server_major INTEGER NOT NULL,\n"
                                        "    fingerprint VARCHAR(64) NOT NULL,\n"
                                        "    snapshot TEXT,\n"
                                        "    reason TEXT,\n"
                                        "    taken_at TIMESTAMPTZ NOT NULL DEFAULT "
                                        "clock_timestamp()\n"
                                        ");",
                                        ledger->schema_table),
                           err);
}

/* One statement, so that there is always one. What was taken for right otherwise than by a run that
 * ended, and why, stays without its text. */
static bool store(Arena *arena, Session *session, const Ledger *ledger, const Schema *schema,
                  const char *reason, Error *err)
{
    _cleanup_json_ json_t *json = schema_to_json(schema);
    char digest[HASH_HEX_SIZE];
    const Schema plain = schema_without_grants(arena, schema);
    schema_digest(&plain, digest);
    const char *params[] = {arena_printf(arena, "%d", schema->major), digest,
                            json_compact(arena, json), reason};
    const char *table = ledger->schema_table;
    return session_execute_params(
        session,
        arena_printf(arena,
                     "WITH gone AS (DELETE FROM %s WHERE reason IS NULL), emptied AS (UPDATE %s "
                     "SET snapshot = NULL WHERE reason IS NOT NULL AND snapshot IS NOT NULL) "
                     "INSERT INTO %s (position, newest, server_major, fingerprint, snapshot, "
                     "reason) SELECT %s, %s, $1::int, $2, $3, $4",
                     table, table, table, books_sql(arena, ledger), newest_sql(arena, ledger)),
        sizeof(params) / sizeof(*params), params, err);
}

bool snapshot_read(Arena *arena, Session *session, const Ledger *ledger, Schema *schema, Error *err)
{
    const SchemaScope scope = {.ledger_table = ledger->plain, .with_grants = true};
    return schema_read(arena, session, &scope, schema, err) ||
           error_context(err, "remembering the schema");
}

bool snapshot_write(Session *session, const Ledger *ledger, const Schema *schema,
                    const char *reason, Error *err)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    if (create_table(scratch, session, ledger, err) &&
        store(scratch, session, ledger, schema, reason, err))
        return true;
    (void)lock_timeout_explain(session, LOCK_TO_WRITE, err);
    return error_context(err, "remembering the schema");
}

bool snapshot_take(Session *session, const Ledger *ledger, const char *reason, Error *err)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    Schema schema;
    return snapshot_read(scratch, session, ledger, &schema, err) &&
           snapshot_write(session, ledger, &schema, reason, err);
}

void runner_take_snapshot(Runner *runner, MigrateReport *report)
{
    Error err = {0};
    if (runner->options->no_snapshot || session_is_lost(runner->guard) ||
        snapshot_take(runner->guard, &runner->ledger, runner->taken_in, &err))
        return;
    str_list_addf(&report->warnings, "%s; `vaxdb migrate verify` cannot tell drift until a run can",
                  err.message);
}

/* ---- comparing --------------------------------------------------------------------------- */

typedef struct {
    Position position;
    int major;
    const char *id;     /* NULL: there is none */
    const char *digest; /* without owners and privileges */
} Snapshot;

static bool table_exists(Session *session, const Ledger *ledger, bool *exists, Error *err)
{
    const char *params[] = {ledger->schema_table};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, "SELECT to_regclass($1) IS NOT NULL AS found", 1, params,
                              &rows, err))
        return false;
    *exists = result_bool(rows, 0, "found");
    return true;
}

static bool read_snapshot(Arena *arena, Session *session, const Ledger *ledger, Snapshot *snapshot,
                          MigrateDrift *drift, Error *err)
{
    bool exists = false;
    _cleanup_result_ Result *rows = NULL;
    *snapshot = (Snapshot){0};
    if (!table_exists(session, ledger, &exists, err))
        return false;
    if (!exists)
        return true;
    if (!session_query(
            session,
            arena_printf(arena,
                         "SELECT id, position, newest, server_major, fingerprint, reason, "
                         "to_char(taken_at AT TIME ZONE 'UTC', "
                         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS taken_at FROM %s "
                         "WHERE snapshot IS NOT NULL ORDER BY id DESC LIMIT 1",
                         ledger->schema_table),
            &rows, err))
        return false;
    if (!result_rows(rows))
        return true;
    const char *reason = result_text(rows, 0, "reason");
    snapshot->position.books = arena_strdup(arena, result_text(rows, 0, "position"));
    snapshot->position.newest = arena_strdup(arena, result_text(rows, 0, "newest"));
    snapshot->major = (int)result_int64(rows, 0, "server_major");
    snapshot->id = arena_strdup(arena, result_text(rows, 0, "id"));
    snapshot->digest = arena_strdup(arena, result_text(rows, 0, "fingerprint"));
    drift->taken_at = arena_strdup(arena, result_text(rows, 0, "taken_at"));
    drift->reason = reason ? arena_strdup(arena, reason) : NULL;
    drift->snapshot_major = snapshot->major;
    return true;
}

/* Its text, which is long: only where the digests differ. */
static bool read_before(Arena *arena, Session *session, const Ledger *ledger,
                        const Snapshot *snapshot, Schema *before, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    _cleanup_json_ json_t *json = NULL;
    const char *sql =
        arena_printf(arena, "SELECT snapshot FROM %s WHERE id = $1", ledger->schema_table);
    if (!session_query_params(session, sql, 1, &snapshot->id, &rows, err))
        return false;
    const char *text = result_rows(rows) ? result_cell(rows, 0, 0) : NULL;
    if (!text)
        return error_set(err, ERR_FAILED, "another run has ended meanwhile; run this again");
    if (json_parse(text, strlen(text), "the snapshot", &json, err) &&
        schema_from_json(arena, json, before, err))
        return true;
    (void)error_context(err, "the schema that the last run left");
    return error_hint(err, "`vaxdb migrate verify --accept REASON` takes it anew");
}

/* plain is live without owners and privileges. */
static bool compare(Arena *arena, Session *session, const Ledger *ledger, const Snapshot *snapshot,
                    const StrList *ignore, bool with_grants, Schema *live, const Schema *plain,
                    SchemaDiff *diff, Error *err)
{
    Schema before;
    char digest[HASH_HEX_SIZE];
    schema_digest(plain, digest);
    if (!with_grants && str_equal(digest, snapshot->digest))
        return true;
    if (!read_before(arena, session, ledger, snapshot, &before, err))
        return false;
    if (!with_grants)
        before = schema_without_grants(arena, &before);
    schema_leave_out(arena, &before, ignore);
    schema_leave_out(arena, live, ignore);
    schema_diff(arena, &before, live, diff);
    return true;
}

/* What the books alone tell. */
static DriftState judge_books(const Position *position, const Snapshot *snapshot, int major)
{
    if (!snapshot->id)
        return DRIFT_NO_SNAPSHOT;
    if (!str_equal(snapshot->position.books, position->books))
        return DRIFT_STALE;
    return snapshot->major == major ? DRIFT_NONE : DRIFT_OTHER_MAJOR;
}

static void init_drift(Arena *arena, const Session *session, MigrateDrift *drift)
{
    *drift = (MigrateDrift){.server_major = session_server_version(session) / 10000};
    str_list_init(&drift->diff.reordered, arena);
}

bool migrate_drift_books(Arena *arena, Session *session, const Ledger *ledger, MigrateDrift *drift,
                         Error *err)
{
    Position position;
    Snapshot snapshot;
    init_drift(arena, session, drift);
    if (!read_position(arena, session, ledger, &position, err) ||
        !read_snapshot(arena, session, ledger, &snapshot, drift, err))
        return lock_timeout_explain(session, LOCK_TO_READ, err);
    drift->since = position.newest;
    drift->state = judge_books(&position, &snapshot, drift->server_major);
    return true;
}

bool snapshot_is_current(Arena *arena, Session *session, const Ledger *ledger, bool *current,
                         Error *err)
{
    MigrateDrift drift;
    if (!migrate_drift_books(arena, session, ledger, &drift, err))
        return false;
    *current = drift.state == DRIFT_NONE || drift.state == DRIFT_OTHER_MAJOR;
    return true;
}

char *snapshot_sql_follow(Arena *arena, const Ledger *ledger)
{
    return arena_printf(arena,
                        "UPDATE %s SET position = %s, newest = %s WHERE snapshot IS NOT NULL;",
                        ledger->schema_table, books_sql(arena, ledger), newest_sql(arena, ledger));
}

bool snapshot_look(Arena *arena, Session *session, const Ledger *ledger, const StrList *ignore,
                   bool with_schema, MigrateDrift *drift, Error *err)
{
    Position position;
    Snapshot snapshot;
    Schema live;
    init_drift(arena, session, drift);
    if (!read_position(arena, session, ledger, &position, err) ||
        !read_snapshot(arena, session, ledger, &snapshot, drift, err))
        return false;
    drift->since = position.newest;
    drift->state = judge_books(&position, &snapshot, drift->server_major);
    bool wanted = with_schema || drift->state == DRIFT_STALE;
    if (!wanted || !snapshot.id || snapshot.major != drift->server_major)
        return true;
    const SchemaScope scope = {.ledger_table = ledger->plain};
    if (!schema_read(arena, session, &scope, &live, err) ||
        !compare(arena, session, ledger, &snapshot, ignore, false, &live, &live, &drift->diff, err))
        return false;
    if (drift->state == DRIFT_NONE && drift->diff.count)
        drift->state = DRIFT_FOUND;
    return true;
}

bool migrate_drift(Arena *arena, Session *session, const char *ledger_table, const StrList *ignore,
                   bool with_grants, MigrateDrift *drift, Error *err)
{
    Ledger ledger;
    Position position;
    Snapshot snapshot;
    Schema live;
    const SchemaScope scope = {.ledger_table = ledger_table, .with_grants = with_grants};
    init_drift(arena, session, drift);
    if (!ledger_find(arena, session, ledger_table, &ledger, err) ||
        !read_position(arena, session, &ledger, &position, err) ||
        !read_snapshot(arena, session, &ledger, &snapshot, drift, err) ||
        !schema_read(arena, session, &scope, &live, err))
        return lock_timeout_explain(session, LOCK_TO_READ, err);
    drift->since = position.newest;
    const Schema plain = schema_without_grants(arena, &live);
    memcpy(drift->fingerprint, plain.fingerprint, sizeof(drift->fingerprint));
    drift->state = judge_books(&position, &snapshot, live.major);
    if (drift->state != DRIFT_NONE)
        return true;
    if (!compare(arena, session, &ledger, &snapshot, ignore, with_grants, &live, &plain,
                 &drift->diff, err))
        return false;
    drift->state = drift->diff.count ? DRIFT_FOUND : DRIFT_NONE;
    return true;
}
