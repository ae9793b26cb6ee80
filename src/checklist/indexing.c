#include "base/clock.h"
#include "checklist/facts.h"
#include "sql_texts.h"
#include "state/samples.h"

#define SHOWN 3

bool probe_indexing_join(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const BareForeignKey *keys = NULL;
    size_t count = 0;
    const TableList *tables = NULL;
    if (!facts_bare_keys(facts, &keys, &count, err) || !facts_tables(facts, &tables, err))
        return false;
    if (!tables->count)
        return check_skip(facts, outcome, "this database has no tables");
    if (!count)
        return check_pass(facts, outcome, "every foreign key has an index that supports it");
    StrList names;
    str_list_init(&names, facts->arena);
    bool large = false;
    for (size_t i = 0; i < count; i++) {
        str_list_addf(&names, "%s(%s)", keys[i].table, keys[i].columns);
        large = large || facts_rows_of(tables, keys[i].schema, keys[i].table) >= LARGE_TABLE_ROWS;
    }
    check_fix(facts, outcome, "%s", keys[0].create_sql);
    const char *some = facts_some(facts->arena, &names, SHOWN);
    if (large)
        return check_fail(facts, outcome, "foreign keys without an index: %s", some);
    return check_warn(facts, outcome, "foreign keys without an index, on small tables: %s", some);
}

/* Is there a valid index of the kind? */
static bool judge_kind(Facts *facts, CheckOutcome *outcome, IndexKind kind, const char *what,
                       Error *err)
{
    const IndexList *list = NULL;
    const TableInfo *largest = NULL;
    if (!facts_indexes(facts, &list, err) || !facts_largest_table(facts, &largest, err))
        return false;
    StrList names;
    str_list_init(&names, facts->arena);
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        bool is_kind =
            kind == INDEX_PARTIAL ? index->is_partial : index->all_columns > index->key_columns;
        if (is_kind && index->is_valid)
            str_list_add(&names, index->name);
    }
    if (names.count)
        return check_pass(facts, outcome, "%zu: %s", names.count,
                          facts_some(facts->arena, &names, SHOWN));
    if (!largest || largest->rows < LARGE_TABLE_ROWS)
        return check_skip(facts, outcome, "there is none, and no table has more than %s rows",
                          str_count(facts->arena, LARGE_TABLE_ROWS));
    return check_warn(facts, outcome, "there is no %s index", what);
}

bool probe_indexing_partial(Facts *facts, CheckOutcome *outcome, Error *err)
{
    check_fix(facts, outcome, "CREATE INDEX CONCURRENTLY ON ... (...) WHERE ...;");
    return judge_kind(facts, outcome, INDEX_PARTIAL, "partial", err);
}

bool probe_indexing_covering(Facts *facts, CheckOutcome *outcome, Error *err)
{
    check_fix(facts, outcome, "CREATE INDEX CONCURRENTLY ON ... (...) INCLUDE (...);");
    return judge_kind(facts, outcome, INDEX_COVERING, "covering", err);
}

bool probe_indexing_brin(Facts *facts, CheckOutcome *outcome, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const IndexList *list = NULL;
    const char *params[] = {arena_printf(facts->arena, "%d", BRIN_TABLE_ROWS)};
    if (!facts_indexes(facts, &list, err) ||
        !session_query_params(facts->spec->session, sql_checklist_brin_candidates, 1, params, &rows,
                              err))
        return false;
    StrList lacking, present;
    str_list_init(&lacking, facts->arena);
    str_list_init(&present, facts->arena);
    for (size_t row = 0; row < result_rows(rows); row++)
        str_list_addf(&lacking, "%s(%s)", result_text(rows, row, "table_name"),
                      result_text(rows, row, "column_name"));
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == INDEX_BRIN && list->items[i].is_valid)
            str_list_add(&present, list->items[i].name);
    }
    if (lacking.count) {
        check_fix(facts, outcome, "CREATE INDEX CONCURRENTLY ON %s USING brin (%s);",
                  sql_qualified(facts->arena, result_text(rows, 0, "schema_name"),
                                result_text(rows, 0, "table_name")),
                  sql_identifier(facts->arena, result_text(rows, 0, "column_name")));
        return check_warn(facts, outcome, "large, in the order of time, and without BRIN: %s",
                          facts_some(facts->arena, &lacking, SHOWN));
    }
    if (present.count)
        return check_pass(facts, outcome, "%zu: %s; no other large table lies in order of time",
                          present.count, facts_some(facts->arena, &present, SHOWN));
    return check_skip(facts, outcome,
                      "no analyzed table of more than %s rows lies in the order of a time column",
                      str_count(facts->arena, BRIN_TABLE_ROWS));
}

bool probe_indexing_monitored(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    int64_t newest = 0;
    if (!state_samples_newest(spec->state, SAMPLE_INDEXES, spec->identity.system_identifier,
                              spec->identity.database, &newest, err))
        return false;
    if (!newest)
        return check_fail(facts, outcome, "nobody has looked from this machine yet");
    int64_t days = (clock_unix_s() - newest) / DAY_S;
    const char *when = clock_iso_utc(facts->arena, newest);
    if (days >= MONTH_DAYS)
        return check_fail(facts, outcome, "the last look was %lld days ago, at %s", (long long)days,
                          when);
    return check_pass(facts, outcome, "last looked at %s", when);
}

bool probe_indexing_unused(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const IndexWindow *window = NULL;
    const UnusedReport *report = NULL;
    if (!facts_window(facts, &window, err) || !facts_unused(facts, &report, err))
        return false;
    if (!window->enough)
        return check_skip(facts, outcome,
                          "scans are counted since %s only: %.0f of %d days (%zu candidates)",
                          window->since, window->days, INDEX_WINDOW_DAYS, report->unused_count);
    if (!report->unused_count)
        return check_pass(facts, outcome, "none in %.0f days of counting", window->days);
    StrList names;
    str_list_init(&names, facts->arena);
    for (size_t i = 0; i < report->unused_count; i++)
        str_list_add(&names, report->unused[i].index->name);
    return check_warn(facts, outcome, "%s in %zu indexes: %s",
                      str_bytes(facts->arena, report->unused_bytes), report->unused_count,
                      facts_some(facts->arena, &names, SHOWN));
}
