#include "cli/index_print.h"

#include <math.h>

static json_t *json_bytes(int64_t bytes)
{
    return bytes < 0 ? json_null() : json_integer(bytes);
}

static json_t *name_json(const IndexInfo *index)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_text(index->name));
    (void)json_object_set_new(object, "table", json_text(index->table));
    (void)json_object_set_new(object, "schema", json_text(index->schema));
    (void)json_object_set_new(object, "kind", json_text(index_kind_name(index)));
    (void)json_object_set_new(object, "bytes", json_bytes(index->bytes));
    return object;
}

static json_t *scans_json(const IndexInfo *index)
{
    json_t *object = name_json(index);
    (void)json_object_set_new(object, "scans", json_integer(index->scans));
    (void)json_object_set_new(object, "last_scan", json_text(index->last_scan));
    return object;
}

json_t *index_list_json(const IndexList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        json_t *object = scans_json(index);
        (void)json_object_set_new(object, "entries_read", json_integer(index->entries_read));
        (void)json_object_set_new(object, "rows_fetched", json_integer(index->rows_fetched));
        (void)json_object_set_new(object, "method", json_text(index->method));
        (void)json_object_set_new(object, "primary", json_boolean(index->is_primary));
        (void)json_object_set_new(object, "unique", json_boolean(index->is_unique));
        (void)json_object_set_new(object, "valid", json_boolean(index->is_valid));
        (void)json_object_set_new(object, "constraint", json_text(index->constraint_name));
        (void)json_object_set_new(object, "definition", json_text(index->definition));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *index_kinds_json(const IndexList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, name_json(&list->items[i]));
    return array;
}

json_t *index_unused_json(const UnusedReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->unused_count; i++) {
        json_t *object = scans_json(report->unused[i].index);
        (void)json_object_set_new(object, "drop", json_text(report->unused[i].drop_sql));
        (void)json_object_set_new(object, "definition",
                                  json_text(report->unused[i].index->definition));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *index_kept_json(const UnusedReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->kept_count; i++) {
        json_t *object = scans_json(report->kept[i].index);
        (void)json_object_set_new(object, "reason", json_text(report->kept[i].reason));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *index_invalid_json(const InvalidIndex *indexes, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const InvalidIndex *index = &indexes[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "name", json_text(index->name));
        (void)json_object_set_new(object, "schema", json_text(index->schema));
        (void)json_object_set_new(object, "table", json_text(index->table));
        (void)json_object_set_new(object, "table_schema", json_text(index->table_schema));
        (void)json_object_set_new(object, "bytes", json_bytes(index->bytes));
        (void)json_object_set_new(object, "leftover", json_boolean(index->is_leftover));
        (void)json_object_set_new(object, "why", json_text(index->why));
        (void)json_object_set_new(object, "fix", json_text(index->mend_sql));
        (void)json_object_set_new(object, "definition", json_text(index->definition));
        (void)json_array_append_new(array, object);
    }
    return array;
}

json_t *index_rebuilt_json(const Rebuild *rebuild)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rebuild->count; i++) {
        const RebuiltIndex *index = &rebuild->indexes[i];
        json_t *object = json_object();
        (void)json_object_set_new(object, "name", json_text(index->name));
        (void)json_object_set_new(object, "schema", json_text(index->schema));
        (void)json_object_set_new(object, "bytes_before", json_integer(index->bytes_before));
        (void)json_object_set_new(object, "bytes_after", json_integer(index->bytes_after));
        (void)json_object_set_new(object, "valid", json_boolean(index->is_valid));
        (void)json_array_append_new(array, object);
    }
    return array;
}

void index_window_json(json_t *object, const IndexWindow *window)
{
    (void)json_object_set_new(object, "counted_since", json_text(window->since));
    (void)json_object_set_new(object, "days", json_real(round(window->days * 100.0) / 100.0));
    (void)json_object_set_new(object, "enough", json_boolean(window->enough));
    (void)json_object_set_new(object, "has_replicas", json_boolean(window->has_replicas));
}
