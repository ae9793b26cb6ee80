#include "base/json.h"
#include "checklist/facts.h"
#include "pg/queries.h"
#include "pg/watch.h"

/* One query's plan being walked. */
typedef struct {
    Arena *arena;
    const TableList *tables;
    const char *query;
    FullScans *scans;
} Walk;

/* A node that reads all of its table: a sequential scan, or an index scan without a condition. */
static bool reads_whole_table(const json_t *node)
{
    const char *type = json_get_text(node, "Node Type", "");
    if (str_equal(type, "Seq Scan"))
        return true;
    bool by_index = str_equal(type, "Index Scan") || str_equal(type, "Index Only Scan");
    return by_index && !json_object_get(node, "Index Cond");
}

static void note_scan(Walk *walk, const json_t *node)
{
    const char *table = json_get_text(node, "Relation Name", "");
    const char *filter = json_get_text(node, "Filter", NULL);
    int64_t rows = facts_rows_of(walk->tables, json_get_text(node, "Schema", ""), table);
    double wanted = (double)json_get_int(node, "Plan Rows", 0);
    if (!filter || rows < SMALL_TABLE_ROWS)
        return;
    FullScan scan = {
        .query = walk->query,
        .table = arena_strdup(walk->arena, table),
        .filter = arena_strdup(walk->arena, filter),
        .table_rows = rows,
        .wanted_part = wanted / (double)rows,
    };
    ARENA_PUSH(walk->arena, walk->scans->items, walk->scans->count, walk->scans->capacity, scan);
}

/* Plans nest no deeper than their text: the server's own limit on expressions bounds it. */
static void walk_node(Walk *walk, const json_t *node)
{
    if (reads_whole_table(node))
        note_scan(walk, node);
    const json_t *plans = json_object_get(node, "Plans");
    size_t count = json_array_size(plans);
    for (size_t i = 0; i < count; i++)
        walk_node(walk, json_array_get(plans, i));
}

static bool explain(const ChecklistSpec *spec, const Query *query, const char **values, Walk *walk,
                    Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    _cleanup_json_ json_t *plan = NULL;
    const char *sql = arena_printf(spec->arena, "EXPLAIN (VERBOSE, FORMAT JSON) %s", query->sql);
    if (!session_query_params(spec->session, sql, query->binding_count, values, &rows, err))
        return false;
    const char *text = result_cell(rows, 0, 0);
    if (!json_parse(text, strlen(text), query->path, &plan, err))
        return false;
    walk_node(walk, json_object_get(json_array_get(plan, 0), "Plan"));
    return true;
}

/* Twice: as it would run now, and with sequential scans discouraged, where one that is left has no
 * index to use instead. */
static bool plan_query(const ChecklistSpec *spec, const TableList *tables, const Query *query,
                       QueryPlans *plans, Error *err)
{
    const char **values = NULL;
    Walk walk = {spec->arena, tables, query->name, &plans->as_planned};
    Walk forced = {spec->arena, tables, query->name, &plans->no_index};
    return query_bind(spec->session, spec->arena, query, &values, err) &&
           explain(spec, query, values, &walk, err) &&
           session_execute(spec->session, "SET enable_seqscan = off", err) &&
           explain(spec, query, values, &forced, err);
}

static bool plan_all(const ChecklistSpec *spec, const TableList *tables, const QueryList *list,
                     QueryPlans *plans, Error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        Error failure = {0};
        if (!session_execute(spec->session, "SET enable_seqscan = on", err))
            return false;
        if (plan_query(spec, tables, &list->items[i], plans, &failure))
            continue;
        if (failure.code != ERR_FAILED || session_is_lost(spec->session)) {
            *err = failure;
            return false;
        }
        str_list_addf(&plans->failed, "%s (%s)", list->items[i].name,
                      str_one_line(spec->arena, failure.message, 120));
    }
    return true;
}

bool plans_read(const ChecklistSpec *spec, const TableList *tables, QueryPlans *plans, Error *err)
{
    str_list_init(&plans->failed, spec->arena);
    plans->directory = config_folder(spec->config, spec->env, "queries_dir");
    if (!plans->directory)
        return true;
    QueryList list;
    if (!queries_load(spec->arena, plans->directory, &list, err))
        return false;
    plans->queries = list.count;
    /* The application's queries name their tables without a schema. */
    if (!session_execute(spec->session, "RESET search_path", err))
        return false;
    bool planned = plan_all(spec, tables, &list, plans, err);
    Error ignored = {0};
    bool reset = session_execute(spec->session, "RESET enable_seqscan", planned ? err : &ignored) &&
                 watch_begin(spec->session, planned ? err : &ignored);
    return planned && reset;
}
