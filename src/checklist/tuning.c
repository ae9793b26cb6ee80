#include "checklist/facts.h"
#include "pool/size.h"
#include "sql_texts.h"

#include <unistd.h>

#define SHOWN        3
#define CHANGED_PART 0.20 /* autovacuum analyzes at 10 % */
#define IN_USE_PART  0.80
#define MIB          (INT64_C(1) << 20)
#define GIB          (INT64_C(1) << 30)

static bool no_data(Facts *facts, CheckOutcome *outcome)
{
    check_fix(facts, outcome, "vaxdb dev load%s", facts->spec->flags);
    return check_skip(facts, outcome, "no table has more than %s rows: nothing can be seen yet",
                      str_count(facts->arena, SMALL_TABLE_ROWS));
}

static bool no_queries(Facts *facts, CheckOutcome *outcome)
{
    check_fix(facts, outcome,
              "queries_dir = FOLDER      (in vaxdb.ini: the application's queries)");
    return check_skip(facts, outcome,
                      "no folder of the application's queries is known (queries_dir)");
}

/* "visits in visits_of_clinic, ..."; NULL when there are none. *first is one to mend. */
static const char *scans_text(Arena *arena, const FullScans *scans, const FullScan **first)
{
    StrList texts;
    str_list_init(&texts, arena);
    *first = NULL;
    for (size_t i = 0; i < scans->count; i++) {
        const FullScan *scan = &scans->items[i];
        const char *text = arena_printf(arena, "%s in %s", scan->table, scan->query);
        if (!*first)
            *first = scan;
        if (!str_list_has(&texts, text))
            str_list_add(&texts, text);
    }
    return *first ? facts_some(arena, &texts, SHOWN) : NULL;
}

/* Large tables read whole as planned now, for a few of their rows. */
static FullScans harmful_scans(Facts *facts, const QueryPlans *plans)
{
    FullScans harmful = {0};
    for (size_t i = 0; i < plans->as_planned.count; i++) {
        FullScan scan = plans->as_planned.items[i];
        if (scan.table_rows >= LARGE_TABLE_ROWS && scan.wanted_part < SELECTIVE_PART)
            ARENA_PUSH(facts->arena, harmful.items, harmful.count, harmful.capacity, scan);
    }
    return harmful;
}

static bool some_failed(Facts *facts, const QueryPlans *plans, CheckOutcome *outcome)
{
    return check_skip(facts, outcome, "%zu of %zu queries could not be planned: %s",
                      plans->failed.count, plans->queries,
                      facts_some(facts->arena, &plans->failed, 1));
}

static bool fail_scan(Facts *facts, CheckOutcome *outcome, const FullScan *scan, const char *what,
                      const char *scans)
{
    check_fix(facts, outcome, "CREATE INDEX CONCURRENTLY ON %s (...);      (for %s.sql)",
              scan->table, scan->query);
    return check_fail(facts, outcome, "%s %s", what, scans);
}

/* Those without any index to use, and those whose index is so little use that it is not taken: its
 * first column is not in the condition. */
static bool judge_where(Facts *facts, const QueryPlans *plans, CheckOutcome *outcome)
{
    FullScans scans = harmful_scans(facts, plans);
    for (size_t i = 0; i < plans->no_index.count; i++)
        ARENA_PUSH(facts->arena, scans.items, scans.count, scans.capacity,
                   plans->no_index.items[i]);
    const FullScan *first = NULL;
    const char *text = scans_text(facts->arena, &scans, &first);
    if (first)
        return fail_scan(facts, outcome, first, "no index serves the condition on", text);
    if (plans->failed.count)
        return some_failed(facts, plans, outcome);
    return check_pass(facts, outcome,
                      "%zu queries planned: every table over %s rows is reached by an index",
                      plans->queries, str_count(facts->arena, SMALL_TABLE_ROWS));
}

bool probe_indexing_where(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const QueryPlans *plans = NULL;
    const TableInfo *largest = NULL;
    if (!facts_plans(facts, &plans, err) || !facts_largest_table(facts, &largest, err))
        return false;
    if (!plans->directory || !plans->queries)
        return no_queries(facts, outcome);
    if (!largest || largest->rows < SMALL_TABLE_ROWS)
        return no_data(facts, outcome);
    return judge_where(facts, plans, outcome);
}

bool probe_tuning_indexes(Facts *facts, CheckOutcome *outcome, Error *err)
{
    CheckOutcome join = {.fix = outcome->fix};
    if (!probe_indexing_where(facts, outcome, err) || !probe_indexing_join(facts, &join, err))
        return false;
    const char *evidence =
        arena_printf(facts->arena, "WHERE: %s; JOIN: %s", outcome->evidence, join.evidence);
    bool join_is_worse = join.status == CHECK_FAIL ||
                         (join.status == CHECK_WARN && outcome->status != CHECK_FAIL) ||
                         (join.status == CHECK_SKIP && outcome->status == CHECK_PASS);
    if (join_is_worse && outcome->status != CHECK_FAIL)
        *outcome = join;
    outcome->evidence = evidence;
    return true;
}

bool probe_tuning_statistics(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const TableList *tables = NULL;
    const TableInfo *largest = NULL;
    if (!facts_tables(facts, &tables, err) || !facts_largest_table(facts, &largest, err))
        return false;
    if (!largest || largest->rows < SMALL_TABLE_ROWS)
        return no_data(facts, outcome);
    StrList never, stale;
    str_list_init(&never, facts->arena);
    str_list_init(&stale, facts->arena);
    size_t looked_at = 0;
    for (size_t i = 0; i < tables->count; i++) {
        const TableInfo *table = &tables->items[i];
        if (table->rows < SMALL_TABLE_ROWS)
            continue;
        looked_at++;
        double changed = (double)table->changed_rows / (double)table->rows;
        if (!table->last_analyze)
            str_list_add(&never, table->name);
        else if (changed > CHANGED_PART)
            str_list_addf(&stale, "%s (%.0f %% changed)", table->name, 100.0 * changed);
    }
    if (never.count)
        return check_fail(facts, outcome, "never analyzed: %s",
                          facts_some(facts->arena, &never, SHOWN));
    if (stale.count)
        return check_warn(facts, outcome, "much has changed since the last ANALYZE: %s",
                          facts_some(facts->arena, &stale, SHOWN));
    return check_pass(facts, outcome, "%zu tables over %s rows, each analyzed; the largest at %s",
                      looked_at, str_count(facts->arena, SMALL_TABLE_ROWS), largest->last_analyze);
}

/* pgtune's rules: shared_buffers a quarter of the memory, work_mem what all connections may use
 * three times over of the rest. Half and double of that are left to taste. */
static bool judge_memory(Facts *facts, CheckOutcome *outcome, const Result *rows, int64_t memory)
{
    Arena *arena = facts->arena;
    int64_t shared = result_int64(rows, 0, "shared_buffers_bytes");
    int64_t work = result_int64(rows, 0, "work_mem_bytes");
    int64_t slots =
        result_int64(rows, 0, "max_connections") + result_int64(rows, 0, "max_worker_processes");
    int64_t work_rule = (memory - shared) / (slots * 3);
    const char *seen =
        arena_printf(arena, "shared_buffers %s, work_mem %s on %s of memory",
                     str_bytes(arena, shared), str_bytes(arena, work), str_bytes(arena, memory));
    bool shared_small = shared < memory / 8 && shared < 2 * GIB;
    if (shared_small || shared > memory * 2 / 5) {
        check_fix(facts, outcome,
                  "psql -c \"ALTER SYSTEM SET shared_buffers = '%lldMB'\", then restart the server",
                  (long long)(memory / 4 / MIB));
        return check_warn(facts, outcome, "%s: shared_buffers is %s", seen,
                          shared_small ? "small" : "large");
    }
    if (work < 4 * MIB || work > 2 * (work_rule > 4 * MIB ? work_rule : 4 * MIB)) {
        int64_t wanted = work_rule > 4 * MIB ? work_rule : 4 * MIB;
        check_fix(facts, outcome,
                  "psql -c \"ALTER SYSTEM SET work_mem = '%lldMB'\" -c \"SELECT pg_reload_conf()\"",
                  (long long)(wanted / MIB));
        return check_warn(facts, outcome, "%s: work_mem is %s for %lld connections", seen,
                          work < 4 * MIB ? "small" : "large",
                          (long long)result_int64(rows, 0, "max_connections"));
    }
    return check_pass(facts, outcome, "%s: within pgtune's rules", seen);
}

bool probe_tuning_configuration(Facts *facts, CheckOutcome *outcome, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(facts->spec->session, sql_checklist_configuration, &rows, err))
        return false;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (!result_bool(rows, 0, "local") || pages <= 0 || page_bytes <= 0) {
        check_fix(facts, outcome, "run vaxdb checklist on the server's machine");
        return check_skip(facts, outcome,
                          "the server runs on another machine, whose memory cannot be seen");
    }
    return judge_memory(facts, outcome, rows, (int64_t)pages * page_bytes);
}

bool probe_tuning_full_scans(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const QueryPlans *plans = NULL;
    const TableInfo *largest = NULL;
    if (!facts_plans(facts, &plans, err) || !facts_largest_table(facts, &largest, err))
        return false;
    if (!plans->directory || !plans->queries)
        return no_queries(facts, outcome);
    if (!largest || largest->rows < LARGE_TABLE_ROWS) {
        check_fix(facts, outcome, "vaxdb dev load%s", facts->spec->flags);
        return check_skip(facts, outcome, "no table has more than %s rows",
                          str_count(facts->arena, LARGE_TABLE_ROWS));
    }
    FullScans harmful = harmful_scans(facts, plans);
    const FullScan *first = NULL;
    const char *text = scans_text(facts->arena, &harmful, &first);
    if (first)
        return fail_scan(facts, outcome, first, "read whole for a few rows:", text);
    if (plans->failed.count)
        return some_failed(facts, plans, outcome);
    return check_pass(
        facts, outcome,
        "%zu queries planned: none reads a table over %s rows whole for a few of them",
        plans->queries, str_count(facts->arena, LARGE_TABLE_ROWS));
}

bool probe_tuning_connections(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    PoolServer server;
    if (!pool_server_read(spec->session, &server, err))
        return false;
    int64_t pool_max = config_int(spec->config, spec->env, "pool_max");
    int64_t instances = config_int(spec->config, spec->env, "pool_instances");
    const char *seen = arena_printf(
        facts->arena, "%lld instance%s of %lld connections, the server has %lld usable",
        (long long)instances, instances == 1 ? "" : "s", (long long)pool_max,
        (long long)server.usable);
    if (pool_max * instances > server.usable)
        return check_fail(facts, outcome, "%s: they do not fit", seen);
    if ((double)server.in_use > IN_USE_PART * (double)server.usable)
        return check_warn(facts, outcome, "%s, and %lld are in use", seen,
                          (long long)server.in_use);
    return check_pass(facts, outcome, "%s, %lld in use", seen, (long long)server.in_use);
}

bool probe_tuning_monitoring(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const char *schema = NULL;
    Error missing = {0};
    if (monitor_statements_ready(facts->spec->session, facts->arena, &schema, &missing))
        return check_pass(facts, outcome, "loaded, and its extension is in schema %s", schema);
    if (missing.code != ERR_FAILED || missing.sqlstate[0]) {
        *err = missing;
        return false;
    }
    check_fix(facts, outcome, "%s", missing.hint);
    return check_fail(facts, outcome, "%s", missing.message);
}
