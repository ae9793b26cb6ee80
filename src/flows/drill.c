#include "flows/drill.h"

#include "base/clock.h"
#include "base/file.h"
#include "flows/copy.h"
#include "flows/scratch_cluster.h"
#include "flows/swap.h"
#include "pg/conninfo.h"
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
    VerifyLevel level;
    DrillReport *report;
    VerifyReport verified;
    ScratchCluster scratch;
    const char *conninfo; /* of the server that it is restored on */
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
    if (!backup_verify_with(drill->arena, drill->log, drill->state, drill->spec->path,
                            VERIFY_CONTENT, drill->spec->keys, verified, err))
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
    if (drill->spec->conninfo && drill->spec->database &&
        !swap_look_up(drill->arena, copy->server, drill->spec->database, &there, err))
        return false;
    return !there.exists || swap_carry_settings(drill->arena, copy->server, drill->spec->database,
                                                &there, copy->name, err);
}

/* Connects to the server that was named, or to a cluster made for this drill: then only is it known
 * of which major, and whether there is a point in making it. */
static bool open_server(Drill *drill, Error *err)
{
    const DrillSpec *spec = drill->spec;
    DrillReport *report = drill->report;
    drill->conninfo = spec->conninfo;
    if (!spec->conninfo) {
        const VerifyReport *verified = &drill->verified;
        int64_t started_ms = clock_monotonic_ms();
        ScratchClusterSpec cluster = {
            .state_directory = spec->state_directory,
            .kind = "drill",
            .bindir = spec->pg_bindir,
            .major = verified->has_manifest
                         ? (int)(verified->manifest.server_version_number / 10000)
                         : 0};
        log_info(drill->log, "Making a scratch cluster for the drill");
        if (!scratch_cluster_create(drill->arena, drill->log, &cluster, &drill->scratch, err))
            return false;
        drill->conninfo = cluster_conninfo(&drill->scratch.cluster, drill->arena, "postgres");
        report->server = scratch_cluster_describe(&drill->scratch);
        add_phase(drill, "cluster", seconds_since(started_ms));
    }
    if (!copy_open(drill->arena, drill->log, drill->conninfo, &drill->copy, err))
        return false;
    drill->copy.keys = spec->keys;
    if (spec->conninfo)
        report->server = session_describe(drill->copy.server, drill->arena);
    return true;
}

/* Text sorts by the locale: where this machine lacks it the copy is not quite the original. */
static bool check_locale(Drill *drill, Error *err)
{
    const Manifest *manifest = &drill->verified.manifest;
    const char *params[] = {drill->copy.name};
    _cleanup_result_ Result *rows = NULL;
    if (!drill->verified.has_manifest || !manifest->collate)
        return true;
    if (!session_query_params(drill->copy.server,
                              "SELECT datcollate FROM pg_database WHERE datname = $1", 1, params,
                              &rows, err))
        return false;
    const char *taken = result_rows(rows) ? result_text(rows, 0, "datcollate") : NULL;
    bool same = str_equal(taken, manifest->collate);
    add_check(drill, "same_locale", true, !same,
              same
                  ? arena_strdup(drill->arena, taken)
                  : arena_printf(drill->arena,
                                 "%s is not installed here, %s was taken: texts may sort otherwise",
                                 manifest->collate, taken ? taken : "another"));
    return true;
}

/* *restored false: the backup did not restore, which is the finding. */
static bool restore_copy(Drill *drill, bool *restored, Error *err)
{
    Error error = {0};
    *restored = false;
    if (!make_copy(drill, err))
        return false;
    add_phase(drill, "create", drill->copy.create_seconds);
    if (!check_locale(drill, err))
        return false;
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
    bool adopted = drill->verified.manifest.adopted;
    add_check(drill, "indexes_valid", !compared.wrong_indexes.count, adopted,
              list_or(drill, &compared.wrong_indexes,
                      adopted
                          ? arena_printf(arena,
                                         "%zu; an adopted backup does not say how many there "
                                         "should be",
                                         compared.indexes)
                          : arena_printf(arena, "all %zu", drill->verified.manifest.index_count)));
    size_t sequences = drill->verified.manifest.sequence_count;
    add_check(drill, "sequences_equal", !compared.wrong_sequences.count, adopted,
              list_or(drill, &compared.wrong_sequences,
                      sequences ? arena_printf(arena, "all %zu go on where they were", sequences)
                                : "the manifest names none"));
    return true;
}

/* Row by row, by the digests that were taken when the backup was made. */
static bool check_content(Drill *drill, Error *err)
{
    StrList wrong;
    StrList unseen;
    Error error = {0};
    if (!drill->verified.has_manifest) {
        add_check(drill, "content_equal", true, true, "no manifest says what the rows were");
        return true;
    }
    if (backup_compare_content(drill->arena, drill->log, drill->copy.session,
                               drill->spec->pg_bindir, &drill->verified.manifest, &wrong, &unseen,
                               &error)) {
        const char *fine = "every row is the one that was backed up";
        if (unseen.count)
            fine = arena_printf(drill->arena,
                                "a dump of others does not say in which time zone its timestamps "
                                "are, so these tables cannot be compared: %s",
                                str_list_join(&unseen, drill->arena, ", "));
        add_check(drill, "content_equal", !wrong.count, unseen.count && !wrong.count,
                  list_or(drill, &wrong, fine));
        return true;
    }
    if (!is_finding(&error)) {
        *err = error;
        return false;
    }
    /* Without a pg_dump for this server the other checks still stand. */
    bool no_program = error.code == ERR_FAILED;
    add_check(drill, "content_equal", no_program, no_program,
              arena_strdup(drill->arena, error.message));
    return true;
}

/* ---- the application --------------------------------------------------------------------- */

/* The session's own role: none was named. */
static bool take_own_role(Drill *drill, Session *session, const char **detail, Error *err)
{
    const char *user = NULL;
    if (!session_scalar(session, drill->arena, "SELECT current_user", &user, err))
        return false;
    *detail = arena_printf(drill->arena,
                           "as %s, this session's own role (set app_role to try the application's)",
                           user);
    return true;
}

/* A session as the application would have it. On a server that was named its password is not ours
 * to know: the role is taken on by SET ROLE, and that it may log in and connect is looked up. */
static bool take_on_role(Drill *drill, Session *session, const char **detail, Error *err)
{
    const char *role = drill->spec->app_role;
    if (!role)
        return take_own_role(drill, session, detail, err);
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

/* In a cluster of our own the role gets a password and logs in. *named is false when the backup
 * gives it nothing: its rights come by membership in other roles, which no dump of a database
 * holds. */
static bool give_password(Drill *drill, const char *password, bool *named, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *role = drill->spec->app_role;
    const char *params[] = {role};
    if (!session_query_params(drill->copy.server, "SELECT FROM pg_roles WHERE rolname = $1", 1,
                              params, &rows, err))
        return false;
    *named = result_rows(rows) > 0;
    const char *sql =
        arena_printf(drill->arena, "ALTER ROLE %s LOGIN PASSWORD %s",
                     sql_identifier(drill->arena, role), sql_literal(drill->arena, password));
    return !*named || session_execute(drill->copy.server, sql, err);
}

/* Opens a session, and what it is to be told. */
static bool open_application(Drill *drill, Session **session, const char **detail, bool *skipped,
                             Error *err)
{
    Arena *arena = drill->arena;
    const char *role = drill->spec->conninfo ? NULL : drill->spec->app_role;
    const char *password = drill->scratch.cluster.password;
    bool named = false;
    SessionOptions options = {
        .conninfo = drill->conninfo, .dbname = drill->copy.name, .application_name = "vaxdb drill"};
    if (!role)
        return session_open(&options, session, err) && take_on_role(drill, *session, detail, err);
    if (!give_password(drill, password, &named, err))
        return false;
    *detail = arena_printf(arena, "as %s, logged in", role);
    if (named) {
        options.conninfo =
            arena_printf(arena, "%s user=%s", drill->conninfo, conninfo_quote(arena, role));
    } else {
        *skipped = true;
        *detail = arena_printf(arena,
                               "nothing in the backup names the role %s: what it may do comes from "
                               "elsewhere, and this session's own role was taken",
                               role);
    }
    return session_open(&options, session, err);
}

/* Opens the application's session; *session NULL when that failed, which is a finding. */
static bool check_connection(Drill *drill, Session **session, Error *err)
{
    Error error = {0};
    const char *detail = NULL;
    bool skipped = false;
    if (open_application(drill, session, &detail, &skipped, &error)) {
        add_check(drill, "application_connects", true, skipped, detail);
        return true;
    }
    /* On our own cluster nothing but the role keeps it from connecting. */
    bool refused = *session || (!drill->spec->conninfo && error.code == ERR_UNREACHABLE);
    if (!refused || !(is_finding(&error) || error.code == ERR_UNREACHABLE)) {
        *err = error;
        return false;
    }
    add_check(drill, "application_connects", false, false,
              arena_strdup(drill->arena, error.message));
    session_close(*session);
    *session = NULL;
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

static bool check_application(Drill *drill, Error *err)
{
    _cleanup_session_ Session *application = NULL;
    return check_connection(drill, &application, err) && check_queries(drill, application, err);
}

static bool check_copy(Drill *drill, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    if (!check_contents(drill, err) ||
        (drill->level >= VERIFY_DRILL &&
         (!check_content(drill, err) || !check_application(drill, err))))
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
    if (!drill->spec->conninfo && !open_server(drill, err))
        return false;
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

static bool run_drill(Drill *drill, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    const DrillSpec *spec = drill->spec;
    DrillReport *report = drill->report;
    *report = (DrillReport){.path = spec->place ? spec->place : spec->path,
                            .started_at = clock_unix_s(),
                            .tool_version = VAXDB_VERSION};
    if (spec->place)
        add_phase(drill, "pull", spec->pull_seconds);
    bool done = (!spec->conninfo || open_server(drill, err)) && run_phases(drill, err);
    int64_t dropping_ms = clock_monotonic_ms();
    if (!spec->conninfo)
        copy_keep(&drill->copy); /* it goes with its cluster */
    copy_release(&drill->copy);
    scratch_cluster_release(&drill->scratch);
    if (!done)
        return false;
    add_phase(drill, "drop", seconds_since(dropping_ms));
    report->seconds = spec->pull_seconds + seconds_since(started_ms);
    report->passed = !drill_report_failure(report);
    return drill->level < VERIFY_DRILL || record(drill, err);
}

bool drill_run(Arena *arena, Log *log, State *state, const DrillSpec *spec, DrillReport *report,
               Error *err)
{
    Drill drill = {.arena = arena,
                   .log = log,
                   .state = state,
                   .spec = spec,
                   .level = VERIFY_DRILL,
                   .report = report};
    return run_drill(&drill, err);
}

/* What the trial found beyond what reading the file did. */
static void take_findings(const DrillReport *report, VerifyReport *verified)
{
    for (size_t i = 0; verified->ok && i < report->check_count; i++) {
        const DrillCheck *check = &report->checks[i];
        if (!check->ok)
            str_list_addf(&verified->errors, "%s: %s", check->name, check->detail);
    }
    verified->ok = report->passed;
}

bool drill_verify(Arena *arena, Log *log, State *state, const DrillSpec *spec, VerifyLevel level,
                  VerifyReport *verified, DrillReport *report, Error *err)
{
    Drill drill = {
        .arena = arena, .log = log, .state = state, .spec = spec, .level = level, .report = report};
    if (!run_drill(&drill, err))
        return false;
    *verified = drill.verified;
    verified->level = level;
    take_findings(report, verified);
    const char *sha256 = verified->has_manifest ? verified->manifest.sha256 : verified->sha256;
    return state_backup_verified(state, sha256, spec->path, (int)level, verified->ok,
                                 clock_unix_s(), err);
}
