#include "index/index.h"

#include "base/str.h"

#include <assert.h>

typedef struct {
    const char *name;
    const char *explanation;
} KindText;

static const KindText kind_texts[INDEX_KIND_COUNT] = {
    [INDEX_BRIN] = {"brin",
                    "block ranges: keeps the lowest and highest value of each stretch of the\n"
                    "table. Hundreds of times smaller than a B-tree; for data that arrives\n"
                    "in order and only grows, such as audit logs and telemetry."},
    [INDEX_PARTIAL] = {"partial",
                       "holds only the rows of its WHERE clause: smaller, so that it stays in\n"
                       "memory. For a subset that is asked for all the time, such as active\n"
                       "alerts."},
    [INDEX_COVERING] = {"covering",
                        "carries more columns along (INCLUDE), so that a query is answered from\n"
                        "the index alone without visiting the table. For dashboards."},
    [INDEX_COMPOSITE] = {"composite",
                         "several columns, for queries that filter on them together. The order\n"
                         "matters: columns compared with = first, the most selective of them\n"
                         "leading, then the one that is a range or sorted by."},
    [INDEX_BTREE] = {"btree", "the default: one column, for equality, ranges and sorting."},
    [INDEX_OTHER] = {"other",
                     "another access method: gin for documents and arrays, gist for shapes and\n"
                     "ranges, hash for equality only."},
};

IndexKind index_kind_of(const char *method, bool is_partial, int64_t key_columns,
                        int64_t all_columns)
{
    assert(key_columns >= 1 && all_columns >= key_columns);
    if (str_equal(method, "brin"))
        return INDEX_BRIN;
    if (!str_equal(method, "btree"))
        return INDEX_OTHER;
    if (is_partial)
        return INDEX_PARTIAL;
    if (all_columns > key_columns)
        return INDEX_COVERING;
    return key_columns > 1 ? INDEX_COMPOSITE : INDEX_BTREE;
}

const char *index_kind_name(const IndexInfo *index)
{
    return index->kind == INDEX_OTHER ? index->method : kind_texts[index->kind].name;
}

const char *index_kind_explanation(IndexKind kind)
{
    return kind_texts[kind].explanation;
}

char *index_display_name(Arena *arena, const char *schema, const char *name)
{
    return str_equal(schema, "public") ? arena_strdup(arena, name)
                                       : arena_printf(arena, "%s.%s", schema, name);
}
