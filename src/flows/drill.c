#include "flows/drill.h"

#include "base/clock.h"
#include "base/file.h"
#include "flows/copy.h"
#include "flows/swap.h"
#include "pg/queries.h"
#include "state/backups.h"
#include "state/drills.h"

#include <assert.h>

#define QUERY_TIMEOUT_MS 60000

typedef struct {
    Arena *arena;
    Log *log;
    State *state;
    const DrillSpec *spec;
    DrillReport *report;
    VerifyReport verified;
    Copy copy;
} Drill;

static void add_check(Drill *drill, const char *name, bool ok, bool skipped, const char *detail)
{
    DrillReport *report = drill->report;
    assert(report->check_count < DRILL_CHECKS_MAX);
    report->checks[report->check_count++] = (DrillCheck){name, ok, skipped, detail};
    log_info(drill->log, "  %s %s: %s", skipped ? "skip" : ok ? "ok  " : "FAIL", name, detail);
}

static void add_phase(Drill *drill, const char *name, double seconds)
{
    assert(drill->report->phase_count < DRILL_PHASES_MAX);
    drill->report->phases[drill->report->phase_count++] = (DrillPhase){name, seconds};
}

static double seconds_since(int64_t started_ms)
{
    return (double)(clock_monotonic_ms() - started_ms) / 1000;
}

/* Is it the backup's fault, and so a result? What is the server's or the user's ends the drill. */
static bool is_finding(const Error *error)
{
    return error->code == ERR_PROBLEMS || error->code == ERR_FAILED;
}

static bool verify_backup(Drill *drill, bool *good, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    VerifyReport *verified = &drill->verified;
    if (!backup_verify(drill->arena, drill->log, drill->state, drill->spec->path, VERIFY_CONTENT,
                       verified, err))
        return false;
    add_phase(drill, "verify", seconds_since(started_ms));
    *good = verified->ok;
    drill->report->packed_bytes = verified->packed_bytes;
    drill->report->raw_bytes = verified->raw_bytes;
    drill->report->rows = verified->rows;
    drill->report->snapshot_at = verified->has_manifest ? verified->manifest.snapshot_at : 0;
    add_check(drill, "backup_verified", verified->ok, false,
              verified->ok
                  ? arena_printf(drill->arena, "%s rows of %zu tables inflated and counted",
                                 str_count(drill->arena, verified->rows), verified->tables)
                  : str_list_join(&verified->errors, drill->arena, "; "));
    return true;
}

/* The scratch database is made as the backed-up one was, with the settings of the one that is in
 * use where this server has it. */
static bool make_copy(Drill *drill, Error *err)
{
    Copy *copy = &drill->copy;
    ScratchSpec like;
    DatabaseProperties there = {0};
    bool known = false;
    if (!copy_check_space(copy, &drill->verified, &known, err) ||
        !copy_spec_of_manifest(copy, &drill->verified, &like, err) ||
        !copy_create(copy, "drill", &like, true, &drill->verified, err))
        return false;
    if (drill->spec->database &&
        !swap_look_up(drill->arena, copy->server, drill->spec->database, &there, err))
        return false;
    return !there.exists || swap_carry_settings(drill->arena, copy->server, drill->spec->database,
                                                &there, copy->name, err);
}

/* *restored false: the backup did not restore, which is the finding. */
static bool restore_copy(Drill *drill, bool *restored, Error *err)
{
    Error error = {0};
    *restored = false;
    if (!make_copy(drill, err))
        return false;
    add_phase(drill, "create", drill->copy.create_seconds);
    int64_t started_ms = clock_monotonic_ms();
    if (!copy_load(&drill->copy, drill->spec->path, &error)) {
        add_phase(drill, "restore", seconds_since(started_ms));
        if (!is_finding(&error)) {
            *err = error;
            return false;
        }
        add_check(drill, "database_restored", false, false,
                  arena_strdup(drill->arena, error.message));
        return true;
    }
    *restored = true;
    add_phase(drill, "restore", drill->copy.load_seconds);
    add_phase(drill, "analyze", drill->copy.load.analyze_seconds);
    const StrList *notes = &drill->copy.load.notes;
    add_check(drill, "database_restored", true, false,
              arena_printf(drill->arena, "in %.1f s%s%s", drill->copy.load_seconds,
                           notes->count ? "; " : "", str_list_join(notes, drill->arena, "; ")));
    return true;
}

static const char *list_or(Drill *drill, const StrList *list, const char *fine)
{
    return list->count ? str_list_join(list, drill->arena, "; ") : fine;
}

static bool check_contents(Drill *drill, Error *err)
{
    Arena *arena = drill->arena;
    bool has_manifest = drill->verified.has_manifest;
    CompareReport compared;
    if (!backup_compare(arena, drill->log, drill->copy.session,
                        has_manifest ? &drill->verified.manifest : NULL, &compared, err))
        return false;
    if (!has_manifest) {
        const char *why =
            arena_printf(arena,
                         "%zu tables, %s rows, %zu indexes; no manifest says "
                         "how many there should be",
                         compared.tables, str_count(arena, compared.rows), compared.indexes);
        add_check(drill, "tables_present", true, true, why);
        add_check(drill, "row_counts", compared.rows == drill->verified.rows, false,
                  arena_printf(arena, "%s rows, the dump holds %s", str_count(arena, compared.rows),
                               str_count(arena, drill->verified.rows)));
        add_check(drill, "indexes_valid", true, true, why);
        return true;
    }
    add_check(
        drill, "tables_present", !compared.missing_tables.count, false,
        list_or(drill, &compared.missing_tables, arena_printf(arena, "all %zu", compared.tables)));
    add_check(drill, "row_counts", !compared.wrong_rows.count, false,
              list_or(drill, &compared.wrong_rows,
                      arena_printf(arena, "%s rows, as the manifest says of every table",
                                   str_count(arena, compared.rows))));
    add_check(drill, "indexes_valid", !compared.wrong_indexes.count, false,
              list_or(drill, &compared.wrong_indexes,
                      arena_printf(arena, "all %zu", drill->verified.manifest.index_count)));
    return true;
}

/* Row by row, by the digests that were taken when the backup was made. */
static bool check_content(Drill *drill, Error *err)
{
    StrList wrong;
    Error error = {0};
    if (!drill->verified.has_manifest) {
        add_check(drill, "content_equal", true, true, "no manifest says what the rows were");
        return true;
    }
    if (backup_compare_content(drill->arena, drill->log, drill->copy.session,
                               drill->spec->pg_bindir, &drill->verified.manifest, &wrong, &error)) {
        add_check(drill, "content_equal", !wrong.count, false,
                  list_or(drill, &wrong, "every row is the one that was backed up"));
        return true;
    }
    if (!is_finding(&error)) {
        *err = error;
        return false;
    }
    /* Without a pg_dump for this server the other checks still stand. */
    bool unseen = error.code == ERR_FAILED;
    add_check(drill, "content_equal", unseen, unseen, arena_strdup(drill->arena, error.message));
    return true;
}

/* ---- the application --------------------------------------------------------------------- */

/* A session as the application would have it. Its password is not ours to know: the role is taken
 * on by SET ROLE, and that it may log in and connect is looked up. */
static bool take_on_role(Drill *drill, Session *session, const char **detail, Error *err)
{
    const char *role = drill->spec->app_role;
    if (!role) {
        const char *user = NULL;
        *detail = "";
        if (!session_scalar(session, drill->arena, "SELECT current_user", &user, err))
            return false;
        *detail = arena_printf(drill->arena,
                               "as %s, this session's own role (set app_role to try "
                               "the application's)",
                               user);
        return true;
    }
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {role};
    if (!session_query_params(session,
                              "SELECT rolcanlogin AS login, has_database_privilege(oid, "
                              "current_database(), 'CONNECT') AS connect FROM pg_roles "
                              "WHERE rolname = $1",
                              1, params, &rows, err))
        return false;
    if (!result_rows(rows))
        return error_set(err, ERR_PROBLEMS, "there is no role %s", role);
    if (!result_bool(rows, 0, "login") || !result_bool(rows, 0, "connect"))
        return error_set(err, ERR_PROBLEMS, "the role %s may not %s", role,
                         result_bool(rows, 0, "login") ? "connect to the database" : "log in");
    const char *sql = arena_printf(drill->arena, "SET ROLE %s", sql_identifier(drill->arena, role));
    if (!session_execute(session, sql, err) || !session_execute(session, "SELECT 1", err))
        return false;
    *detail = arena_printf(drill->arena, "as %s (by SET ROLE; its password was not tried)", role);
    return true;
}

/* Opens the application's session; *session NULL when that failed, which is a finding. */
static bool check_connection(Drill *drill, Session **session, Error *err)
{
    Error error = {0};
    const char *detail = NULL;
    SessionOptions options = {.conninfo = drill->spec->conninfo,
                              .dbname = drill->copy.name,
                              .application_name = "vaxdb drill"};
    if (!session_open(&options, session, err))
        return false;
    bool connected = take_on_role(drill, *session, &detail, &error);
    if (!connected && !is_finding(&error)) {
        *err = error;
        return false;
    }
    add_check(drill, "application_connects", connected, false,
              connected ? detail : arena_strdup(drill->arena, error.message));
    if (!connected) {
        session_close(*session);
        *session = NULL;
    }
    return true;
}

static bool run_queries(Drill *drill, Session *session, const QueryList *queries, Error *err)
{
    StrList failures;
    int64_t rows = 0;
    str_list_init(&failures, drill->arena);
    for (size_t i = 0; i < queries->count; i++) {
        Error error = {0};
        QueryRun run;
        if (query_run(session, drill->arena, &queries->items[i], QUERY_TIMEOUT_MS, &run, &error)) {
            rows += run.rows;
            continue;
        }
        if (!is_finding(&error)) {
            *err = error;
            return false;
        }
        str_list_add(&failures, error.message);
    }
    add_check(drill, "critical_queries", !failures.count, false,
              list_or(drill, &failures,
                      arena_printf(drill->arena, "%zu queries ran, %s rows", queries->count,
                                   str_count(drill->arena, rows))));
    return true;
}

static bool check_queries(Drill *drill, Session *session, Error *err)
{
    QueryList queries;
    const char *directory = drill->spec->queries_directory;
    if (!directory) {
        add_check(drill, "critical_queries", true, true,
                  "no folder of queries (set queries_dir): none was run");
        return true;
    }
    if (!session) {
        add_check(drill, "critical_queries", false, false, "the application could not connect");
        return true;
    }
    return queries_load(drill->arena, directory, &queries, err) &&
           run_queries(drill, session, &queries, err);
}

static bool check_copy(Drill *drill, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    _cleanup_session_ Session *application = NULL;
    if (!check_contents(drill, err) || !check_content(drill, err) ||
        !check_connection(drill, &application, err) || !check_queries(drill, application, err))
        return false;
    add_phase(drill, "checks", seconds_since(started_ms));
    return true;
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool run_phases(Drill *drill, Error *err)
{
    bool good = false;
    bool restored = false;
    if (!verify_backup(drill, &good, err))
        return false;
    if (!good)
        return true; /* nothing damaged is restored, not even to see what happens */
    if (!restore_copy(drill, &restored, err))
        return false;
    return !restored || check_copy(drill, err);
}

static bool record(Drill *drill, Error *err)
{
    const DrillReport *report = drill->report;
    const VerifyReport *verified = &drill->verified;
    const char *sha256 = verified->has_manifest ? verified->manifest.sha256 : verified->sha256;
    _cleanup_json_ json_t *object = drill_report_json(report);
    StateDrill entry = {.started_at = report->started_at,
                        .env = drill->spec->env,
                        .path = report->path,
                        .sha256 = sha256,
                        .passed = report->passed,
                        .seconds = report->seconds,
                        .report = json_compact(drill->arena, object)};
    return state_drill_add(drill->state, &entry, err) &&
           state_backup_drilled(drill->state, sha256, report->path, report->passed,
                                report->started_at, err);
}

bool drill_run(Arena *arena, Log *log, State *state, const DrillSpec *spec, DrillReport *report,
               Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    Drill drill = {.arena = arena, .log = log, .state = state, .spec = spec, .report = report};
    *report = (DrillReport){
        .path = spec->path, .started_at = clock_unix_s(), .tool_version = VAXDB_VERSION};
    bool done = copy_open(arena, log, spec->conninfo, &drill.copy, err);
    if (done) {
        report->server = session_describe(drill.copy.server, arena);
        done = run_phases(&drill, err);
    }
    int64_t dropping_ms = clock_monotonic_ms();
    copy_release(&drill.copy);
    if (!done)
        return false;
    add_phase(&drill, "drop", seconds_since(dropping_ms));
    report->seconds = seconds_since(started_ms);
    report->passed = !drill_report_failure(report);
    return record(&drill, err);
}
