/* The steps that look at the loaded database: monitoring and the checklists. */
#include "base/str.h"
#include "checklist/checklist.h"
#include "demo/steps.h"
#include "flows/samples.h"
#include "pg/watch.h"
#include "pool/size.h"

#define FIXES_MAX   3
#define TABLES_TOP  3
#define QUERIES_TOP 3
#define QUERY_WIDTH 48

/* ---- monitoring -------------------------------------------------------------------------- */

static bool say_tables(const Demo *demo, Session *session, json_t *facts, Error *err)
{
    TableList tables;
    if (!monitor_tables(session, demo->arena, TABLES_TOP, &tables, err))
        return false;
    json_t *rows = json_array();
    demo_say(demo, "Largest tables:");
    for (size_t i = 0; i < tables.count; i++) {
        const TableInfo *table = &tables.items[i];
        demo_say(demo, "  %-24s %12s rows  %10s, indexes %s", table->name,
                 str_count(demo->arena, table->rows), str_bytes(demo->arena, table->table_bytes),
                 str_bytes(demo->arena, table->index_bytes));
        json_t *row = json_object();
        demo_set_text(row, "name", table->name);
        demo_set_int(row, "bytes", table->total_bytes);
        (void)json_array_append_new(rows, row);
    }
    (void)json_object_set_new(facts, "tables", rows);
    return true;
}

/* The statements with the longest mean, whatever few calls the tour made. */
static bool say_slow(const Demo *demo, Session *session, Error *err)
{
    SlowQueries slow;
    if (!monitor_slow(session, demo->arena, 0, QUERIES_TOP, &slow, err))
        return false;
    demo_say(demo, "Slowest statements so far (vaxdb monitor slow):");
    for (size_t i = 0; i < slow.count; i++) {
        demo_say(demo, "  %10s  %s", str_duration(demo->arena, slow.items[i].mean_ms),
                 str_one_line(demo->arena, slow.items[i].query, QUERY_WIDTH));
    }
    return true;
}

static bool say_pool(const Demo *demo, Session *session, json_t *facts, Error *err)
{
    Machine machine;
    PoolSize size;
    PoolServer server;
    machine_detect(demo->arena, "/sys", &machine);
    PoolSizeInput input = {.cores = machine.cores,
                           .spindles = machine.spindles,
                           .instances = 1,
                           .cap = POOL_PRODUCTION_CAP};
    pool_size_compute(demo->arena, &input, &size);
    if (!pool_server_read(session, &server, err))
        return false;
    demo_say(demo, "Connection pool by the guide's formula, for this machine:");
    demo_say(demo, "  %s (the server would take %lld)", size.formula, (long long)server.usable);
    demo_set_int(facts, "pool_size", size.per_instance);
    return true;
}

/* Readings are kept, so that next month there is something to compare with. */
static bool keep_readings(const Demo *demo, Session *session, json_t *facts, Error *err)
{
    Connections connections;
    IndexList indexes;
    IndexWindow window;
    DatabaseIdentity identity;
    if (!session_identity(session, demo->arena, &identity, err) ||
        !monitor_connections(session, demo->arena, MONITOR_LONG_SECONDS, MONITOR_IDLE_IN_TX_SECONDS,
                             &connections, err) ||
        !index_list(session, demo->arena, NULL, &indexes, err) ||
        !index_window_read(session, demo->arena, &window, err) ||
        !samples_keep_connections(demo->state, &identity, &connections, err) ||
        !samples_keep_indexes(demo->arena, demo->state, &identity, &indexes, &window, err))
        return false;
    demo_say(demo, "The scans of %zu indexes were noted: unused ones show in a month.",
             indexes.count);
    demo_set_int(facts, "indexes", (int64_t)indexes.count);
    return true;
}

bool demo_watch(Demo *demo, json_t *facts, Error *err)
{
    _cleanup_session_ Session *session = NULL;
    return demo_connect(demo, ENV_PRODUCTION, &session, err) && watch_begin(session, err) &&
           say_tables(demo, session, facts, err) && say_slow(demo, session, err) &&
           say_pool(demo, session, facts, err) && keep_readings(demo, session, facts, err);
}

/* ---- the checklist ----------------------------------------------------------------------- */

static bool look_at_production(const Demo *demo, ChecklistReport *report, Error *err)
{
    _cleanup_session_ Session *session = NULL;
    Target target;
    ChecklistSpec spec = {.arena = demo->arena,
                          .log = demo->log,
                          .env = ENV_PRODUCTION,
                          .target = &target,
                          .state = demo->state,
                          .flags = " -e production"};
    Config *config = NULL;
    StrList all;
    str_list_init(&all, demo->arena);
    const CheckItem **items = NULL;
    size_t count = 0;
    /* Read again: the first step may have written it. */
    if (!config_load(demo->arena, config_path(demo->options->config), NULL, &config, err) ||
        !target_resolve(demo->arena, demo->log, config, ENV_PRODUCTION, NULL, &target, err) ||
        !target_connect(demo->arena, demo->log, demo->state, &target, &session, err) ||
        !session_identity(session, demo->arena, &spec.identity, err) ||
        !watch_begin(session, err) || !checklist_select(demo->arena, &all, &items, &count, err))
        return false;
    spec.config = config;
    spec.session = session;
    return checklist_run(&spec, items, count, report, err);
}

bool demo_checklist(Demo *demo, json_t *facts, Error *err)
{
    ChecklistReport report;
    if (!look_at_production(demo, &report, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < report.count; i++) {
        const CheckResult *result = &report.results[i];
        const char *status = check_status_name(result->outcome.status);
        demo_say(demo, "%-4s  %s", status, result->item->title);
        json_t *row = json_object();
        demo_set_text(row, "id", result->item->id);
        demo_set_text(row, "status", status);
        demo_set_text(row, "evidence", result->outcome.evidence);
        (void)json_array_append_new(items, row);
    }
    (void)json_object_set_new(facts, "items", items);
    demo_say(demo, "%zu pass, %zu warn, %zu fail, %zu could not be looked at.",
             report.totals[CHECK_PASS], report.totals[CHECK_WARN], report.totals[CHECK_FAIL],
             report.totals[CHECK_SKIP]);
    const CheckResult *fixes[FIXES_MAX];
    size_t count = checklist_top_fixes(&report, fixes, FIXES_MAX);
    if (count)
        demo_say(demo, "Most urgent:");
    for (size_t i = 0; i < count; i++)
        demo_say(demo, "  %s", fixes[i]->outcome.fix);
    return true;
}
