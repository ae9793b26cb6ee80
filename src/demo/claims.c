#include "demo/claims.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "sql_texts.h"

#include <assert.h>
#include <math.h>

#define RUNS_SLOW 7
#define RUNS_FAST 51
#define RUNS_MAX  51

static void add(ClaimList *claims, Claim claim)
{
    assert(claims->count < CLAIMS_MAX);
    claims->items[claims->count++] = claim;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, int count)
{
    qsort(times, (size_t)count, sizeof(times[0]), compare_doubles);
    return times[count / 2];
}

/* The plan that the server carried out, with what it measured; the caller owns it. */
static bool explain_analyze(Session *session, Arena *arena, const Query *query,
                            const char *const *values, json_t **plan, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *explain =
        arena_printf(arena, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) %s", query->sql);
    if (!session_query_params(session, explain, query->binding_count, values, &rows, err))
        return error_context(err, "%s", query->path);
    const char *text = result_cell(rows, 0, 0);
    return json_parse(text, strlen(text), "the server's plan", plan, err);
}

/* The median time that the server takes to carry the query out, after one run that warms up. The
 * network and the wake-up of processes, the same with any plan, are not in it. */
static bool median_server_ms(Session *session, Arena *arena, const Query *query,
                             const char *const *values, int runs, double *ms, Error *err)
{
    double times[RUNS_MAX];
    assert(runs <= RUNS_MAX);
    for (int i = -1; i < runs; i++) {
        _cleanup_json_ json_t *plan = NULL;
        if (!explain_analyze(session, arena, query, values, &plan, err))
            return false;
        const json_t *time = json_object_get(json_array_get(plan, 0), "Execution Time");
        if (i >= 0)
            times[i] = json_number_value(time);
    }
    *ms = median(times, runs);
    return true;
}

/* The median time from sending the query to its last row, as the application sees it. */
static bool median_round_trip_ms(Session *session, const Query *query, const char *const *values,
                                 int runs, double *ms, Error *err)
{
    double times[RUNS_MAX];
    assert(runs <= RUNS_MAX);
    for (int i = -1; i < runs; i++) {
        _cleanup_result_ Result *rows = NULL;
        int64_t from_us = clock_monotonic_us();
        if (!session_query_params(session, query->sql, query->binding_count, values, &rows, err))
            return error_context(err, "%s", query->path);
        if (i >= 0)
            times[i] = (double)(clock_monotonic_us() - from_us) / 1000;
    }
    *ms = median(times, runs);
    return true;
}

static bool find_query(const QueryList *queries, const char *name, const Query **query, Error *err)
{
    *query = queries_find(queries, name);
    if (*query)
        return true;
    (void)error_set(err, ERR_USAGE, "the folder of queries has no %s.sql, which the demo measures",
                    name);
    return error_hint(err, "run the demo in the folder of the vaxdb project");
}

/* In a transaction that is rolled back, whatever happens in between. */
static bool rolled_back(Session *session, bool done, Error *err)
{
    Error rollback = {0};
    bool undone = session_execute(session, "ROLLBACK", done ? err : &rollback);
    return done && undone;
}

/* ---- what an index is worth -------------------------------------------------------------- */

static bool drop_indexes_and_time(Session *session, Arena *arena, const Query *query,
                                  const char *const *values, double *ms, Error *err)
{
    _cleanup_result_ Result *drops = NULL;
    if (!session_query(session, sql_demo_stock_indexes, &drops, err))
        return false;
    for (size_t i = 0; i < result_rows(drops); i++) {
        const char *drop =
            arena_printf(arena, "DROP INDEX %s", result_text(drops, i, "qualified_name"));
        if (!session_execute(session, drop, err))
            return false;
    }
    return median_server_ms(session, arena, query, values, RUNS_SLOW, ms, err);
}

static bool measure_query(Session *session, Arena *arena, const QueryList *queries,
                          ClaimList *claims, Error *err)
{
    const Query *query = NULL;
    const char **values = NULL;
    double without_ms = 0;
    double with_ms = 0;
    double round_trip_ms = 0;
    if (!find_query(queries, "facility_stockouts", &query, err) ||
        !query_bind(session, arena, query, &values, err) ||
        !session_execute(session, "BEGIN", err) ||
        !rolled_back(session,
                     drop_indexes_and_time(session, arena, query, values, &without_ms, err), err) ||
        !median_server_ms(session, arena, query, values, RUNS_FAST, &with_ms, err) ||
        !median_round_trip_ms(session, query, values, RUNS_FAST, &round_trip_ms, err))
        return false;
    add(claims, (Claim){.id = "query_without_index",
                        .text = "Stockouts of one facility, no index",
                        .guide = "100-500 ms",
                        .measured = str_duration(arena, without_ms),
                        .value = without_ms,
                        .unit = "ms",
                        .met = true});
    add(claims, (Claim){.id = "query_with_index",
                        .text = "The same with its index",
                        .guide = "1-5 ms",
                        .measured = str_duration(arena, with_ms),
                        .value = with_ms,
                        .unit = "ms",
                        .met = with_ms < 1});
    add(claims, (Claim){.id = "round_trip_with_index",
                        .text = "  as the application sees it",
                        .guide = "1-5 ms",
                        .measured = str_duration(arena, round_trip_ms),
                        .value = round_trip_ms,
                        .unit = "ms",
                        .met = round_trip_ms < 5});
    double times = with_ms > 0 ? without_ms / with_ms : 0;
    add(claims, (Claim){.id = "index_speedup",
                        .text = "Faster by the index",
                        .guide = "about 100 x",
                        .measured = arena_printf(arena, "%s x", str_count(arena, (int64_t)times)),
                        .value = times,
                        .unit = "times faster",
                        .met = times >= 100});
    return true;
}

/* ---- sizes ------------------------------------------------------------------------------- */

static bool index_bytes(Session *session, const char *name, int64_t *bytes, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, "SELECT pg_relation_size($1::regclass) AS bytes", 1, &name,
                              &rows, err))
        return false;
    *bytes = result_int64(rows, 0, "bytes");
    return true;
}

static bool build_and_weigh(Session *session, const char *ddl, int64_t *bytes, Error *err)
{
    return session_execute(session, ddl, err) &&
           index_bytes(session, "demo_comparison", bytes, err);
}

/* Sizes of an index and of the one that would stand there without the guide's idea. */
static bool compare_sizes(Session *session, const char *index, const char *comparison_ddl,
                          int64_t *ours, int64_t *other, Error *err)
{
    return index_bytes(session, index, ours, err) && session_execute(session, "BEGIN", err) &&
           rolled_back(session, build_and_weigh(session, comparison_ddl, other, err), err);
}

static bool measure_brin(Session *session, Arena *arena, ClaimList *claims, Error *err)
{
    int64_t brin = 0;
    int64_t btree = 0;
    if (!compare_sizes(session, "idx_audit_logs_brin_timestamp",
                       "CREATE INDEX demo_comparison ON audit_logs (created_at)", &brin, &btree,
                       err))
        return false;
    double times = brin ? (double)btree / (double)brin : 0;
    add(claims,
        (Claim){.id = "brin_size",
                .text = "BRIN beside B-tree, same column",
                .guide = "100 x",
                .measured = arena_printf(arena, "%s x: %s, %s", str_count(arena, (int64_t)times),
                                         str_bytes(arena, brin), str_bytes(arena, btree)),
                .value = times,
                .unit = "times smaller",
                .met = times >= 100});
    return true;
}

static bool measure_partial(Session *session, Arena *arena, ClaimList *claims, Error *err)
{
    int64_t partial = 0;
    int64_t whole = 0;
    if (!compare_sizes(session, "idx_alerts_critical",
                       "CREATE INDEX demo_comparison ON alerts (facility_id, created_at DESC)",
                       &partial, &whole, err))
        return false;
    double times = partial ? (double)whole / (double)partial : 0;
    add(claims,
        (Claim){.id = "partial_size",
                .text = "Partial index of critical alerts",
                .guide = "smaller",
                .measured = arena_printf(arena, "%.1f x: %s, %s", times, str_bytes(arena, partial),
                                         str_bytes(arena, whole)),
                .value = times,
                .unit = "times smaller",
                .met = times > 1});
    return true;
}

/* ---- index-only scan --------------------------------------------------------------------- */

/* Adds up "Heap Fetches" of the Index Only Scans below node; *scans counts them. */
static void count_heap_fetches(const json_t *node, int64_t *scans, int64_t *fetches)
{
    if (str_equal(json_get_text(node, "Node Type", ""), "Index Only Scan")) {
        (*scans)++;
        *fetches += json_get_int(node, "Heap Fetches", 0);
    }
    const json_t *children = json_object_get(node, "Plans");
    for (size_t i = 0; i < json_array_size(children); i++)
        count_heap_fetches(json_array_get(children, i), scans, fetches);
}

static bool measure_covering(Session *session, Arena *arena, const QueryList *queries,
                             ClaimList *claims, Error *err)
{
    const Query *query = NULL;
    const char **values = NULL;
    _cleanup_json_ json_t *plan = NULL;
    if (!find_query(queries, "facility_vaccine_stock_details", &query, err) ||
        !query_bind(session, arena, query, &values, err) ||
        !explain_analyze(session, arena, query, values, &plan, err))
        return false;
    int64_t scans = 0;
    int64_t fetches = 0;
    count_heap_fetches(json_object_get(json_array_get(plan, 0), "Plan"), &scans, &fetches);
    add(claims, (Claim){.id = "covering_heap_fetches",
                        .text = "Covering index, no table needed",
                        .guide = "index only",
                        .measured = scans ? arena_printf(arena, "index only, heap fetches %lld",
                                                         (long long)fetches)
                                          : "the table was read",
                        .value = (double)fetches,
                        .unit = "heap fetches",
                        .met = scans > 0 && fetches == 0});
    return true;
}

bool claims_measure(Session *session, Arena *arena, const QueryList *queries, ClaimList *claims,
                    Error *err)
{
    claims->count = 0;
    return measure_query(session, arena, queries, claims, err) &&
           measure_brin(session, arena, claims, err) &&
           measure_covering(session, arena, queries, claims, err) &&
           measure_partial(session, arena, claims, err);
}
