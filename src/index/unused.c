#include "index/index.h"

#include "base/str.h"
#include "sql_texts.h"

#include <assert.h>

/* Why an index is needed although nothing scans it; NULL when no reason is known. Foreign keys are
 * judged after, among all the indexes that support one. */
static const char *reason_to_keep(Arena *arena, const IndexInfo *index)
{
    if (index->is_primary)
        return "primary key";
    if (index->is_exclusion)
        return "exclusion constraint";
    if (index->constraint_name)
        return arena_printf(arena, "backs the constraint %s", index->constraint_name);
    if (index->referenced_by)
        return arena_printf(arena, "a foreign key of %s rests on it", index->referenced_by);
    if (index->is_unique)
        return "keeps values unique";
    if (index->is_replica_identity)
        return "replica identity of its table";
    if (index->is_clustered)
        return "its table is clustered by it";
    if (index->is_partitioned)
        return "of a partitioned table: its parts are what is scanned";
    if (index->is_attached)
        return "part of a partitioned table's index";
    if (index->has_expression && index->has_statistics)
        return "the planner reads the statistics of its expression";
    if (!index->is_valid)
        return "invalid: see vaxdb index invalid";
    return NULL;
}

typedef struct {
    Arena *arena;
    const IndexList *list;
    const char **reasons; /* of each index of list, NULL: none */
    int64_t max_scans;
} Judgement;

/* -1 when it is not in the list (which may be of one table only). */
static ptrdiff_t position_of(const IndexList *list, int64_t oid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].oid == oid)
            return (ptrdiff_t)i;
    }
    return -1;
}

static bool would_stay(const Judgement *judgement, ptrdiff_t position)
{
    return judgement->reasons[position] ||
           judgement->list->items[position].scans >= judgement->max_scans;
}

/* Rows first..end-1 are the supporters of one foreign key, smallest first: if none of them would
 * stay, the first is kept for it. */
static void keep_one_supporter(Judgement *judgement, const Result *rows, size_t first, size_t end)
{
    ptrdiff_t smallest = -1;
    for (size_t row = first; row < end; row++) {
        ptrdiff_t position = position_of(judgement->list, result_int64(rows, row, "index_oid"));
        if (position < 0)
            continue;
        if (would_stay(judgement, position))
            return;
        if (smallest < 0)
            smallest = position;
    }
    if (smallest < 0)
        return;
    const char *others = end - first > 1 ? "smallest of those that support" : "only support of";
    judgement->reasons[smallest] = arena_printf(judgement->arena, "%s the foreign key %s", others,
                                                result_text(rows, first, "constraint_name"));
}

static bool same_constraint(const Result *rows, size_t a, size_t b)
{
    return result_int64(rows, a, "table_oid") == result_int64(rows, b, "table_oid") &&
           str_equal(result_text(rows, a, "constraint_name"),
                     result_text(rows, b, "constraint_name"));
}

static bool judge_foreign_keys(Session *session, Judgement *judgement, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_index_foreign_keys, &rows, err))
        return error_context(err, "reading the foreign keys");
    size_t count = result_rows(rows);
    for (size_t first = 0, end; first < count; first = end) {
        end = first + 1;
        while (end < count && same_constraint(rows, first, end))
            end++;
        if (!result_is_null(rows, first, "index_oid"))
            keep_one_supporter(judgement, rows, first, end);
    }
    return true;
}

static int by_size_falling(const void *a, const void *b)
{
    int64_t left = ((const UnusedIndex *)a)->index->bytes;
    int64_t right = ((const UnusedIndex *)b)->index->bytes;
    return (left < right) - (left > right);
}

bool index_find_unused(Session *session, Arena *arena, const IndexList *list, int64_t max_scans,
                       UnusedReport *report, Error *err)
{
    Judgement judgement = {
        .arena = arena,
        .list = list,
        .reasons = arena_array(arena, list->count, sizeof(const char *)),
        .max_scans = max_scans,
    };
    for (size_t i = 0; i < list->count; i++)
        judgement.reasons[i] = reason_to_keep(arena, &list->items[i]);
    if (!judge_foreign_keys(session, &judgement, err))
        return false;
    *report = (UnusedReport){
        .unused = arena_array(arena, list->count, sizeof(UnusedIndex)),
        .kept = arena_array(arena, list->count, sizeof(KeptIndex)),
    };
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        if (index->scans >= max_scans)
            continue;
        if (judgement.reasons[i]) {
            report->kept[report->kept_count++] = (KeptIndex){index, judgement.reasons[i]};
            continue;
        }
        report->unused[report->unused_count++] =
            (UnusedIndex){index, arena_printf(arena, "DROP INDEX CONCURRENTLY %s;",
                                              sql_qualified(arena, index->schema, index->name))};
        if (index->bytes > 0)
            report->unused_bytes += index->bytes;
    }
    qsort(report->unused, report->unused_count, sizeof(*report->unused), by_size_falling);
    assert(report->unused_count + report->kept_count <= list->count);
    return true;
}

bool index_find_bare_foreign_keys(Session *session, Arena *arena, BareForeignKey **keys,
                                  size_t *count, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_index_foreign_keys, &rows, err))
        return error_context(err, "reading the foreign keys");
    *keys = arena_array(arena, result_rows(rows), sizeof(**keys));
    *count = 0;
    for (size_t row = 0; row < result_rows(rows); row++) {
        if (!result_is_null(rows, row, "index_oid"))
            continue;
        BareForeignKey *key = &(*keys)[(*count)++];
        *key = (BareForeignKey){
            .schema = arena_strdup(arena, result_text(rows, row, "schema_name")),
            .table = arena_strdup(arena, result_text(rows, row, "table_name")),
            .constraint = arena_strdup(arena, result_text(rows, row, "constraint_name")),
            .columns = arena_strdup(arena, result_text(rows, row, "columns")),
            .referenced_table = arena_strdup(arena, result_text(rows, row, "referenced_table")),
            .table_rows = result_int64(rows, row, "table_rows"),
        };
        key->create_sql = arena_printf(arena, "CREATE INDEX CONCURRENTLY ON %s (%s);",
                                       sql_qualified(arena, key->schema, key->table), key->columns);
    }
    return true;
}
