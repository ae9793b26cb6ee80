#include "demo/steps.h"

#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "dataset/dataset.h"
#include "demo/claims.h"
#include "flows/drill.h"
#include "flows/guarded.h"
#include "flows/private_cluster.h"

#define DEMO_SEED       1
#define LOCK_TIMEOUT_MS 5000
#define LOCK_ATTEMPTS   5
#define RUN_WAIT_MS     60000
#define DETAIL_WIDTH    48 /* what is left of 80 columns beside a check's name */

/* "1 day", "3 days" */
static const char *plural(const Demo *demo, int64_t count, const char *noun)
{
    return arena_printf(demo->arena, "%s %s%s", str_count(demo->arena, count), noun,
                        count == 1 ? "" : "s");
}

static const char *database_of(const Demo *demo, EnvKind env)
{
    return private_cluster_database(demo->arena, env);
}

bool demo_connect(const Demo *demo, EnvKind env, Session **session, Error *err)
{
    SessionOptions options = {
        .conninfo = cluster_conninfo(&demo->cluster, demo->arena, database_of(demo, env)),
        .log = demo->log};
    return session_open(&options, session, err);
}

/* ---- a private PostgreSQL ---------------------------------------------------------------- */

static bool run_cluster(Demo *demo, json_t *facts, Error *err)
{
    Arena *arena = demo->arena;
    const char *written = NULL;
    const char *version = NULL;
    _cleanup_session_ Session *session = NULL;
    if (!private_cluster_open(arena, demo->options->config, &demo->cluster, err) ||
        !private_cluster_start(arena, demo->log, &demo->cluster, err) ||
        !private_cluster_write_config(arena, demo->options->config, &written, err) ||
        !demo_connect(demo, ENV_PRODUCTION, &session, err) ||
        !session_scalar(session, arena, "SHOW server_version", &version, err))
        return false;
    const Cluster *cluster = &demo->cluster;
    demo_say(demo, "PostgreSQL %.*s runs for you alone, as user %s, in", (int)strcspn(version, " "),
             version, cluster->user_name);
    demo_say(demo, "%s", cluster->directory);
    demo_say(demo, "It can be reached from this machine only (127.0.0.1:%d), with a password.",
             cluster->port);
    if (written)
        demo_say(demo, "Wrote %s, which names its four databases.", written);
    demo_set_text(facts, "server_version", version);
    demo_set_text(facts, "directory", cluster->directory);
    demo_set_int(facts, "port", cluster->port);
    return true;
}

/* ---- migrations -------------------------------------------------------------------------- */

/* As `vaxdb migrate up -e ENV` does it, with every guard. */
static bool migrate_one(const Demo *demo, EnvKind env, GuardedReport *report, Error *err)
{
    const Config *config = demo->options->config;
    _cleanup_session_ Session *session = NULL;
    Target target = {
        .env = env,
        .guard = env,
        .conninfo = cluster_conninfo(&demo->cluster, demo->arena, database_of(demo, env)),
        .database = database_of(demo, env),
        .private_cluster = true,
    };
    MigrateOptions options = {
        .conninfo = target.conninfo,
        .directory = demo->migrations,
        .ledger_table = config_text(config, env, "ledger_table"),
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .lock_attempts = LOCK_ATTEMPTS,
        .wait_ms = RUN_WAIT_MS,
        .log = demo->log,
    };
    GuardSpec spec = {
        .backup_directory = demo->backup_directory,
        .backup_name = config_text(config, env, "name"),
        .pg_bindir = demo->cluster.bindir,
        .backup_max_age_s = config_int(config, env, "backup_max_age") / 1000,
        .retry = arena_printf(demo->arena, "-e %s", env_name(env)),
    };
    return (target_connect(demo->arena, demo->log, demo->state, &target, &session, err) &&
            guarded_up(demo->arena, demo->log, demo->state, &target, session, &options, NULL, &spec,
                       report, err)) ||
           error_context(err, "%s", database_of(demo, env));
}

/* Somebody has worked in the demo's databases since it made them. */
static bool offer_reset(const Demo *demo, Error *err)
{
    if (err->code != ERR_REFUSED && err->code != ERR_PROBLEMS)
        return false;
    const char *hint = arena_strdup(demo->arena, err->hint);
    return error_hint(err, "%s%sor give up what the demo's databases hold: vaxdb dev reset", hint,
                      *hint ? "\n      " : "");
}

static bool run_migrations(Demo *demo, json_t *facts, Error *err)
{
    static const struct {
        EnvKind env;
        const char *behind;
    } order[] = {{ENV_STAGING, "up, down and up again in a scratch database first"},
                 {ENV_PRODUCTION, "as staging proved them, behind a verified backup"}};
    demo_say(demo, "A migration is a file that changes the database from one version to the next.");
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        GuardedReport report = {0};
        if (!migrate_one(demo, order[i].env, &report, err))
            return offer_reset(demo, err);
        const char *env = env_name(order[i].env);
        int64_t count = (int64_t)report.run.done.count;
        demo_set_int(facts, env, count);
        if (report.backup)
            demo_set_text(facts, "backup", report.backup);
        if (count)
            demo_say(demo, "%-10s  %s, %s", env, plural(demo, count, "file"), order[i].behind);
        else
            demo_say(demo, "%-10s  up to date already", env);
    }
    demo_say(demo, "Production refuses what staging has not run. The table schema_migrations");
    demo_say(demo, "records what ran, when, with which checksum.");
    return true;
}

/* ---- data -------------------------------------------------------------------------------- */

/* Is the data there that this tour would load? Other data is somebody's and is not replaced. */
static bool check_data(const Demo *demo, Session *session, bool *loaded, Error *err)
{
    bool holds_data = false;
    const char *count = NULL;
    int64_t rows = 0;
    if (!dataset_check_database(session, demo->arena, &holds_data, err))
        return false;
    *loaded = false;
    if (!holds_data)
        return true;
    if (!session_scalar(session, demo->arena, "SELECT count(*) FROM stock_snapshots", &count, err))
        return false;
    *loaded = str_to_int64(count, 0, INT64_MAX, &rows) && rows == demo->options->rows;
    if (*loaded)
        return true;
    (void)error_set(err, ERR_REFUSED,
                    "%s holds other data than this tour would load (%s stock snapshots)",
                    session_database(session), str_count(demo->arena, rows));
    return error_hint(err, "vaxdb demo --rows %s uses what is there; vaxdb dev reset begins anew",
                      count);
}

static bool run_data(Demo *demo, json_t *facts, Error *err)
{
    _cleanup_session_ Session *session = NULL;
    bool loaded = false;
    if (!demo_connect(demo, ENV_PRODUCTION, &session, err) ||
        !check_data(demo, session, &loaded, err))
        return false;
    (void)json_object_set_new(facts, "loaded_before", json_boolean(loaded));
    if (loaded) {
        demo_say(demo, "Already there from an earlier tour: %s stock snapshots.",
                 str_count(demo->arena, demo->options->rows));
        return true;
    }
    demo_say(demo, "Every facility reports its stock of 12 vaccines each day; fridges report");
    demo_say(demo, "their temperature; shortages raise alerts. All of it is generated.");
    DatasetSpec spec = {.rows = demo->options->rows,
                        .seed = DEMO_SEED,
                        .until = (int32_t)(clock_unix_s() / 86400) - 1};
    DatasetResult result;
    if (!dataset_load(session, demo->arena, demo->log, &spec, &result, err))
        return false;
    int64_t snapshots = result.tables[TABLE_STOCK_SNAPSHOTS].rows;
    demo_say(demo, "%s stock snapshots: %s facilities, %s.", str_count(demo->arena, snapshots),
             str_count(demo->arena, result.facilities), plural(demo, result.days, "day"));
    demo_say(demo, "%s rows of other tables. Snapshots went in at %s a second.",
             str_count(demo->arena, result.rows - snapshots),
             str_count(demo->arena, (int64_t)result.rows_per_second));
    demo_set_int(facts, "stock_snapshots", result.tables[TABLE_STOCK_SNAPSHOTS].rows);
    demo_set_int(facts, "rows", result.rows);
    demo_set_text(facts, "digest", result.digest);
    (void)json_object_set_new(facts, "rows_per_second", json_real(result.rows_per_second));
    return true;
}

/* ---- the guide's claims ------------------------------------------------------------------ */

static void print_claims(const Demo *demo, const ClaimList *claims)
{
    demo_say(demo, "%-36s %11s  %s", "The guide's claim", "guide", "here");
    for (size_t i = 0; i < claims->count; i++) {
        const Claim *claim = &claims->items[i];
        demo_say(demo, "%-36s %11s  %s%s", claim->text, claim->guide, claim->measured,
                 claim->met ? "" : "  NOT MET");
    }
}

static void record_claims(const Demo *demo, const ClaimList *claims)
{
    for (size_t i = 0; i < claims->count; i++) {
        const Claim *claim = &claims->items[i];
        json_t *row = json_object();
        demo_set_text(row, "id", claim->id);
        demo_set_text(row, "claim", claim->text);
        demo_set_text(row, "guide", claim->guide);
        demo_set_text(row, "measured", claim->measured);
        (void)json_object_set_new(row, "value", json_real(claim->value));
        demo_set_text(row, "unit", claim->unit);
        (void)json_object_set_new(row, "met", json_boolean(claim->met));
        (void)json_array_append_new(demo->claims, row);
    }
}

static bool run_claims(Demo *demo, json_t *facts, Error *err)
{
    _cleanup_session_ Session *session = NULL;
    ClaimList claims;
    if (!demo_connect(demo, ENV_PRODUCTION, &session, err) ||
        !queries_load(demo->arena, demo->queries_directory, &demo->queries, err) ||
        !claims_measure(session, demo->arena, &demo->queries, &claims, err))
        return false;
    demo_say(demo, "An index is to a table what the index of a book is to its pages. Without it");
    demo_say(demo, "every row is read. (\"No index\": dropped in a transaction that was rolled");
    demo_say(demo, "back. Times are the server's, medians of many runs.)");
    print_claims(demo, &claims);
    record_claims(demo, &claims);
    demo_set_int(facts, "claims", (int64_t)claims.count);
    return true;
}

/* ---- backup ------------------------------------------------------------------------------ */

/* The guide's number is of plain SQL; how much packing saves depends on what the rows hold. */
#define GUIDE_SAVED_PERCENT 80

static void claim_saving(const Demo *demo, double saved)
{
    ClaimList claims = {.count = 1};
    claims.items[0] = (Claim){.id = "backup_saving",
                              .text = "Backup beside plain SQL",
                              .guide = "80 % saved",
                              .measured = arena_printf(demo->arena, "%.0f %% saved", saved),
                              .value = saved,
                              .unit = "percent saved",
                              .met = saved >= GUIDE_SAVED_PERCENT};
    print_claims(demo, &claims);
    record_claims(demo, &claims);
    if (!claims.items[0].met)
        demo_say(demo, "How much it is depends on the rows: readings and identifiers pack badly.");
}

static bool run_backup(Demo *demo, json_t *facts, Error *err)
{
    const Config *config = demo->options->config;
    BackupSpec spec = {
        .conninfo =
            cluster_conninfo(&demo->cluster, demo->arena, database_of(demo, ENV_PRODUCTION)),
        .directory = demo->backup_directory,
        .name = config_text(config, ENV_PRODUCTION, "name"),
        .env = env_name(ENV_PRODUCTION),
        .reason = "demo",
        .pg_bindir = demo->cluster.bindir,
        .compression = COMPRESS_BALANCED,
    };
    BackupResult made;
    if (!backup_create(demo->arena, demo->log, &spec, &made, err))
        return false;
    demo->backup = made.path;
    const Manifest *manifest = &made.manifest;
    double saved = manifest->raw_bytes ? 100.0 - 100.0 * (double)manifest->packed_bytes /
                                                     (double)manifest->raw_bytes
                                       : 0;
    demo_say(demo, "One file that `gunzip -c FILE | psql` restores, copied by several sessions");
    demo_say(demo, "that all see the same moment. Nobody had to wait for it.");
    demo_say(demo, "%s", path_basename(made.path));
    demo_say(demo, "%s of SQL, %s packed.", str_bytes(demo->arena, manifest->raw_bytes),
             str_bytes(demo->arena, manifest->packed_bytes));
    claim_saving(demo, saved);
    demo_set_text(facts, "file", made.path);
    demo_set_int(facts, "raw_bytes", manifest->raw_bytes);
    demo_set_int(facts, "bytes", manifest->packed_bytes);
    demo_set_int(facts, "rows", manifest_rows(manifest));
    (void)json_object_set_new(facts, "saved_percent", json_real(saved));
    return true;
}

/* ---- verify ------------------------------------------------------------------------------ */

static bool run_verify(Demo *demo, json_t *facts, Error *err)
{
    VerifyReport report;
    int64_t from_ms = clock_monotonic_ms();
    if (!backup_verify(demo->arena, demo->log, demo->state, demo->backup, VERIFY_CONTENT, &report,
                       err))
        return false;
    if (!report.ok)
        return backup_verify_error(demo->backup, &report, err);
    double ms = (double)(clock_monotonic_ms() - from_ms);
    demo_say(demo, "Unpacked again whole: %s of SQL in %s.",
             str_bytes(demo->arena, report.raw_bytes), str_duration(demo->arena, ms));
    demo_say(demo, "All %s rows of %zu tables are those that the server sent.",
             str_count(demo->arena, report.rows), report.tables);
    demo_say(demo, "A single bit that changes on the disk would be found.");
    demo_set_int(facts, "level", report.level);
    demo_set_int(facts, "raw_bytes", report.raw_bytes);
    demo_set_int(facts, "rows", report.rows);
    demo_set_int(facts, "tables", (int64_t)report.tables);
    return true;
}

/* ---- drill ------------------------------------------------------------------------------- */

/* The detail goes on below itself where it is too long for the line. */
static void say_check(const Demo *demo, const char *word, const char *name, const char *detail)
{
    for (bool first = true; first || *detail; first = false) {
        size_t length = strlen(detail);
        if (length > DETAIL_WIDTH) {
            length = DETAIL_WIDTH;
            while (length && detail[length] != ' ')
                length--;
            length = length ? length : DETAIL_WIDTH;
        }
        demo_say(demo, "%-4s  %-20s  %.*s", first ? word : "", first ? name : "", (int)length,
                 detail);
        detail += length;
        detail += strspn(detail, " ");
    }
}

static bool run_drill(Demo *demo, json_t *facts, Error *err)
{
    DrillSpec spec = {
        .path = demo->backup,
        .conninfo = cluster_conninfo(&demo->cluster, demo->arena, "postgres"),
        .env = env_name(ENV_PRODUCTION),
        .database = database_of(demo, ENV_PRODUCTION),
        .queries_directory = demo->queries_directory,
    };
    DrillReport report;
    demo_say(demo, "A backup is useless if you haven't verified that you can restore it: so it is");
    demo_say(demo, "restored into a scratch database, looked at, and dropped again.");
    if (!drill_run(demo->arena, demo->log, demo->state, &spec, &report, err))
        return false;
    for (size_t i = 0; i < report.check_count; i++) {
        const DrillCheck *check = &report.checks[i];
        const char *word = check->skipped ? "skip" : check->ok ? "ok" : "FAIL";
        say_check(demo, word, check->name, check->detail);
    }
    (void)json_object_set_new(facts, "drill", drill_report_json(&report));
    if (report.passed)
        return true;
    return error_set(err, ERR_PROBLEMS, "the drill of %s failed", path_basename(demo->backup));
}

/* ---- the table --------------------------------------------------------------------------- */

const DemoStep demo_steps[] = {
    {"cluster", "A private PostgreSQL", run_cluster},
    {"migrations", "Migrations: staging first, then production", run_migrations},
    {"data", "A national data set", run_data},
    {"claims", "What an index is worth", run_claims},
    {"backup", "A backup", run_backup},
    {"verify", "The backup, verified", run_verify},
    {"drill", "A restore drill", run_drill},
    {"watch", "The database at work", demo_watch},
    {"checklist", "The guide's checklists: what this database still lacks", demo_checklist},
};
const size_t demo_steps_count = COUNT_OF(demo_steps);
