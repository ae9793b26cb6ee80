#include "migrate/ledger.h"

#include "base/str.h"
#include "migrate/foreign.h"
#include "pg/blockers.h"
#include "sql_texts.h"

/* "schema.name" or "name"; names with dots inside are not supported. */
static void split_name(Arena *arena, const char *table, const char **schema, const char **name)
{
    const char *dot = strchr(table, '.');
    *schema = dot ? arena_strndup(arena, table, (size_t)(dot - table)) : NULL;
    *name = dot ? dot + 1 : table;
}

static bool check_columns(Session *session, const Ledger *ledger, const char *schema,
                          const char *name, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {schema, name};
    if (!session_query_params(session, sql_migrate_ledger_columns, 2, params, &rows, err))
        return false;
    if (result_int64(rows, 0, "known") == 4)
        return true;
    return foreign_refuse_place(session, ledger->table, ledger->plain, err);
}

bool ledger_find(Arena *arena, Session *session, const char *table, Ledger *ledger, Error *err)
{
    *ledger = (Ledger){.plain = table};
    const char *schema = NULL, *name = NULL;
    split_name(arena, table, &schema, &name);
    const char *runs = arena_printf(arena, "%s_runs", name);
    const char *params[] = {schema, name, runs};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_migrate_ledger_find, 3, params, &rows, err))
        return error_context(err, "cannot look for the ledger %s", table);
    if (result_is_null(rows, 0, "schema")) {
        (void)error_set(err, ERR_FAILED, "there is no schema to keep the ledger %s in", table);
        return error_hint(err,
                          "create the schema public, or set ledger_table = schema.%s in "
                          "vaxdb.ini",
                          name);
    }
    schema = arena_strdup(arena, result_text(rows, 0, "schema"));
    ledger->table = sql_qualified(arena, schema, name);
    ledger->runs_table = sql_qualified(arena, schema, runs);
    ledger->schema_table = sql_qualified(arena, schema, arena_printf(arena, "%s_schema", name));
    ledger->exists = result_bool(rows, 0, "ledger");
    ledger->runs_exist = result_bool(rows, 0, "runs");
    ledger->runs_old = ledger->runs_exist && result_bool(rows, 0, "runs_old");
    return !ledger->exists || check_columns(session, ledger, schema, name, err);
}

static char *ledger_ddl(Arena *arena, const Ledger *ledger)
{
    return arena_printf(arena,
                        "CREATE TABLE IF NOT EXISTS %s (\n"
                        "    id SERIAL PRIMARY KEY,\n"
                        "    name VARCHAR(255) NOT NULL UNIQUE,\n"
                        "    checksum VARCHAR(64) NOT NULL,\n"
                        "    applied_at TIMESTAMP NOT NULL DEFAULT NOW()\n"
                        ");",
                        ledger->table);
}

static char *runs_ddl(Arena *arena, const Ledger *ledger)
{
    return arena_printf(arena,
                        "CREATE TABLE IF NOT EXISTS %s (\n"
                        "    id BIGSERIAL PRIMARY KEY,\n"
                        "    name VARCHAR(255) NOT NULL,\n"
                        "    direction VARCHAR(4) NOT NULL,\n"
                        "    checksum VARCHAR(64) NOT NULL,\n"
                        "    down_checksum VARCHAR(64),\n"
                        "    transactional BOOLEAN NOT NULL,\n"
                        "    state VARCHAR(10) NOT NULL,\n"
                        "    statements INTEGER NOT NULL,\n"
                        "    completed INTEGER NOT NULL DEFAULT 0,\n"
                        "    attempting INTEGER,\n"
                        "    before TEXT,\n"
                        "    chain VARCHAR(64) NOT NULL DEFAULT '',\n"
                        "    backup_id TEXT,\n"
                        "    overrides TEXT,\n"
                        "    started_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),\n"
                        "    finished_at TIMESTAMPTZ,\n"
                        "    duration_ms BIGINT,\n"
                        "    sqlstate VARCHAR(5),\n"
                        "    error TEXT\n"
                        ");",
                        ledger->runs_table);
}

bool ledger_create(Arena *arena, Session *session, Ledger *ledger, Error *err)
{
    if (ledger->exists && ledger->runs_exist && !ledger->runs_old)
        return true;
    const char *upgrade = arena_printf(
        arena, "ALTER TABLE %s ADD COLUMN IF NOT EXISTS overrides TEXT", ledger->runs_table);
    const char *sql = arena_printf(arena, "%s%s%s", ledger->exists ? "" : ledger_ddl(arena, ledger),
                                   ledger->runs_exist ? "" : runs_ddl(arena, ledger),
                                   ledger->runs_old ? upgrade : "");
    if (!session_execute(session, sql, err)) {
        (void)lock_timeout_explain(session, LOCK_TO_WRITE, err);
        return error_context(err, "cannot create the ledger %s", ledger->plain);
    }
    ledger->exists = ledger->runs_exist = true;
    ledger->runs_old = false;
    return true;
}

bool ledger_read(Arena *arena, Session *session, const Ledger *ledger, LedgerEntry **entries,
                 size_t *count, Error *err)
{
    *count = 0;
    *entries = NULL;
    if (!ledger->exists)
        return true;
    _cleanup_result_ Result *rows = NULL;
    const char *known = ledger->runs_exist
                            ? arena_printf(arena,
                                           "(SELECT DISTINCT name FROM %s WHERE state IN ('done', "
                                           "'repaired', 'baseline'))",
                                           ledger->runs_table)
                            : "(SELECT NULL::text AS name)";
    const char *sql =
        arena_printf(arena,
                     "SELECT l.id, l.name, l.checksum, to_char(l.applied_at, "
                     "'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS applied_at, k.name IS NOT NULL AS known "
                     "FROM %s AS l LEFT JOIN %s AS k ON k.name = l.name ORDER BY l.id",
                     ledger->table, known);
    if (!session_query(session, sql, &rows, err))
        return error_context(err, "cannot read the ledger %s", ledger->plain);
    *count = result_rows(rows);
    *entries = arena_array(arena, *count, sizeof(**entries));
    for (size_t i = 0; i < *count; i++) {
        LedgerEntry *entry = &(*entries)[i];
        const char *applied_at = result_text(rows, i, "applied_at");
        entry->id = result_int64(rows, i, "id");
        entry->name = arena_strdup(arena, result_text(rows, i, "name"));
        entry->checksum = arena_strdup(arena, result_text(rows, i, "checksum"));
        entry->applied_at = applied_at ? arena_strdup(arena, applied_at) : NULL;
        entry->is_known = result_bool(rows, i, "known");
    }
    return true;
}

static const char *text_of(Arena *arena, const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static RunDirection direction_of(const Result *rows, size_t row)
{
    return str_equal(result_text(rows, row, "direction"), "down") ? RUN_DOWN : RUN_UP;
}

static LedgerRun run_of(Arena *arena, const Result *rows, size_t row)
{
    const char *sqlstate = text_of(arena, rows, row, "sqlstate");
    return (LedgerRun){
        .id = result_int64(rows, row, "id"),
        .name = text_of(arena, rows, row, "name"),
        .direction = direction_of(rows, row),
        .transactional = result_bool(rows, row, "transactional"),
        .state = text_of(arena, rows, row, "state"),
        .completed = result_int64(rows, row, "completed"),
        .attempting =
            result_is_null(rows, row, "attempting") ? -1 : result_int64(rows, row, "attempting"),
        .before = text_of(arena, rows, row, "before"),
        .chain = text_of(arena, rows, row, "chain"),
        .error = text_of(arena, rows, row, "error"),
        .sqlstate = sqlstate ? sqlstate : "",
    };
}

bool ledger_read_unfinished(Arena *arena, Session *session, const Ledger *ledger, LedgerRun **runs,
                            size_t *count, Error *err)
{
    *count = 0;
    *runs = NULL;
    if (!ledger->runs_exist)
        return true;
    _cleanup_result_ Result *rows = NULL;
    const char *sql = arena_printf(
        arena,
        "SELECT * FROM (SELECT id, name, direction, transactional, state, completed, attempting, "
        "before, chain, error, sqlstate, row_number() OVER (PARTITION BY name ORDER BY id DESC) "
        "AS age, row_number() OVER (PARTITION BY name, direction ORDER BY id DESC) AS "
        "direction_age FROM %s WHERE NOT (transactional AND state = 'failed')) AS runs WHERE "
        "state IN ('running', 'failed') AND (age = 1 OR (direction = 'up' AND direction_age = 1))",
        ledger->runs_table);
    if (!session_query(session, sql, &rows, err))
        return error_context(err, "cannot read %s_runs", ledger->plain);
    *count = result_rows(rows);
    *runs = arena_array(arena, *count, sizeof(**runs));
    for (size_t i = 0; i < *count; i++)
        (*runs)[i] = run_of(arena, rows, i);
    return true;
}

bool ledger_read_overrides(Arena *arena, Session *session, const Ledger *ledger,
                           LedgerOverride **overrides, size_t *count, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    *overrides = NULL;
    *count = 0;
    if (!ledger->runs_exist || ledger->runs_old)
        return true;
    if (!session_query(session,
                       arena_printf(arena,
                                    "SELECT name, state, direction, overrides, backup_id, "
                                    "to_char(coalesce(finished_at, started_at) AT TIME ZONE "
                                    "'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS at FROM %s "
                                    "WHERE overrides IS NOT NULL ORDER BY id",
                                    ledger->runs_table),
                       &rows, err))
        return error_context(err, "cannot read %s_runs", ledger->plain);
    *count = result_rows(rows);
    *overrides = arena_array(arena, *count, sizeof(**overrides));
    for (size_t i = 0; i < *count; i++)
        (*overrides)[i] = (LedgerOverride){.name = text_of(arena, rows, i, "name"),
                                           .state = text_of(arena, rows, i, "state"),
                                           .overrides = text_of(arena, rows, i, "overrides"),
                                           .backup_id = text_of(arena, rows, i, "backup_id"),
                                           .at = text_of(arena, rows, i, "at"),
                                           .direction = direction_of(rows, i)};
    return true;
}

bool ledger_run_is_partial(const LedgerRun *run)
{
    return run && !run->transactional && (run->completed > 0 || run->attempting >= 0);
}

/* ---- texts ------------------------------------------------------------------------------- */

char *ledger_sql_insert(Arena *arena, const Ledger *ledger, const char *name, const char *checksum)
{
    return arena_printf(arena, "INSERT INTO %s (name, checksum) VALUES (%s, %s);", ledger->table,
                        sql_literal(arena, name), sql_literal(arena, checksum));
}

char *ledger_sql_delete(Arena *arena, const Ledger *ledger, const char *name)
{
    return arena_printf(arena, "DELETE FROM %s WHERE name = %s;", ledger->table,
                        sql_literal(arena, name));
}

static const char *literal_or_null(Arena *arena, const char *text)
{
    return text ? sql_literal(arena, text) : "NULL";
}

/* The columns that RunFacts fill. */
#define FACT_COLUMNS                                                                               \
    "name, direction, checksum, down_checksum, transactional, statements, backup_id, overrides"

static char *fact_values(Arena *arena, const RunFacts *facts)
{
    return arena_printf(arena, "%s, '%s', '%s', %s, %s, %zu, %s, %s",
                        sql_literal(arena, facts->name), facts->direction == RUN_UP ? "up" : "down",
                        facts->checksum, literal_or_null(arena, facts->down_checksum),
                        facts->transactional ? "true" : "false", facts->statements,
                        literal_or_null(arena, facts->backup_id),
                        literal_or_null(arena, facts->overrides));
}

char *ledger_sql_run_done(Arena *arena, const Ledger *ledger, const RunFacts *facts,
                          const char *chain)
{
    return arena_printf(arena,
                        "INSERT INTO %s (" FACT_COLUMNS
                        ", state, completed, chain, started_at, finished_at, "
                        "duration_ms) VALUES (%s, 'done', %zu, '%s', now(), clock_timestamp(), "
                        "1000 * extract(epoch FROM clock_timestamp() - now()));",
                        ledger->runs_table, fact_values(arena, facts), facts->statements, chain);
}

char *ledger_sql_undo_partial(Arena *arena, const Ledger *ledger, const char *name)
{
    return arena_printf(arena,
                        "UPDATE %s SET state = 'undone' WHERE name = %s AND direction = 'up' AND "
                        "state IN ('running', 'failed');",
                        ledger->runs_table, sql_literal(arena, name));
}

char *ledger_sql_progress(Arena *arena, const Ledger *ledger, int64_t run, size_t completed,
                          const char *chain)
{
    return arena_printf(arena,
                        "UPDATE %s SET completed = %zu, chain = '%s', attempting = NULL, "
                        "before = NULL WHERE id = %lld;",
                        ledger->runs_table, completed, chain, (long long)run);
}

char *ledger_sql_finish(Arena *arena, const Ledger *ledger, int64_t run, int64_t duration_ms)
{
    return arena_printf(arena,
                        "UPDATE %s SET state = 'done', finished_at = clock_timestamp(), "
                        "duration_ms = coalesce(duration_ms, 0) + %lld, error = NULL, "
                        "sqlstate = NULL WHERE id = %lld;",
                        ledger->runs_table, (long long)duration_ms, (long long)run);
}

/* ---- runs -------------------------------------------------------------------------------- */

bool ledger_run_begin(Arena *arena, Session *session, const Ledger *ledger, const RunFacts *facts,
                      int64_t *id, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *sql = arena_printf(
        arena, "INSERT INTO %s (" FACT_COLUMNS ", state) VALUES (%s, 'running') RETURNING id",
        ledger->runs_table, fact_values(arena, facts));
    if (!session_query(session, sql, &rows, err))
        return error_context(err, "cannot record the run of %s", facts->name);
    *id = result_int64(rows, 0, "id");
    return true;
}

bool ledger_run_resume(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                       const RunFacts *facts, Error *err)
{
    return session_execute(session,
                           arena_printf(arena,
                                        "UPDATE %s SET state = 'running', checksum = '%s', "
                                        "statements = %zu WHERE id = %lld",
                                        ledger->runs_table, facts->checksum, facts->statements,
                                        (long long)id),
                           err);
}

bool ledger_run_attempt(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                        size_t index, const char *before, Error *err)
{
    return session_execute(session,
                           arena_printf(arena,
                                        "UPDATE %s SET state = 'running', attempting = %zu, "
                                        "before = %s, error = NULL, sqlstate = NULL "
                                        "WHERE id = %lld",
                                        ledger->runs_table, index, literal_or_null(arena, before),
                                        (long long)id),
                           err);
}

bool ledger_run_fail(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                     const RunFacts *facts, const Error *why, int64_t duration_ms, Error *err)
{
    const char *error = sql_literal(arena, why->message);
    const char *sqlstate = literal_or_null(arena, why->sqlstate[0] ? why->sqlstate : NULL);
    if (id)
        return session_execute(session,
                               arena_printf(arena,
                                            "UPDATE %s SET state = 'failed', error = %s, "
                                            "sqlstate = %s, duration_ms = coalesce(duration_ms, "
                                            "0) + %lld WHERE id = %lld",
                                            ledger->runs_table, error, sqlstate,
                                            (long long)duration_ms, (long long)id),
                               err);
    return session_execute(session,
                           arena_printf(arena,
                                        "INSERT INTO %s (" FACT_COLUMNS
                                        ", state, error, sqlstate, duration_ms) VALUES (%s, "
                                        "'failed', %s, %s, %lld)",
                                        ledger->runs_table, fact_values(arena, facts), error,
                                        sqlstate, (long long)duration_ms),
                           err);
}
