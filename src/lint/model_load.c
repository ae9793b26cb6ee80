#include "lint/model_internal.h"
#include "pg/blockers.h"
#include "sql_texts.h"

#include <stdlib.h>

typedef struct {
    Model *model;
    Session *session;
    ModelTable **tables; /* sorted by oid */
    int64_t *oids;
    size_t count;
    int **numbers; /* of each table's columns, in their order */
} Loader;

static const char *text_of(const Loader *now, const Result *rows, size_t row, const char *column)
{
    return model_copy(now->model, result_text(rows, row, column));
}

static ModelTable *table_of(const Loader *now, int64_t oid, size_t *at)
{
    size_t low = 0, high = now->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (now->oids[middle] < oid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == now->count || now->oids[low] != oid)
        return NULL;
    if (at)
        *at = low;
    return now->tables[low];
}

static bool load_path(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_path, &rows, err))
        return false;
    Model *model = now->model;
    StrList names;
    str_list_init(&names, model->arena);
    str_split(&names, result_text(rows, 0, "search_path"), ",\"");
    str_list_init(&model->default_path, model->arena);
    for (size_t i = 0; i < names.count; i++)
        str_list_add(&model->default_path, str_equal(names.items[i], "$user")
                                               ? result_text(rows, 0, "user_name")
                                               : names.items[i]);
    model->path = model->default_path;
    return true;
}

static bool load_relations(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_relations, &rows, err))
        return false;
    Model *model = now->model;
    now->count = result_rows(rows);
    now->tables = arena_array(model->arena, now->count, sizeof(ModelTable *));
    now->oids = arena_array(model->arena, now->count, sizeof(*now->oids));
    now->numbers = arena_array(model->arena, now->count, sizeof(int *));
    for (size_t row = 0; row < now->count; row++) {
        ModelTable *table = arena_alloc(model->arena, sizeof(*table));
        *table = (ModelTable){
            .schema = text_of(now, rows, row, "schema_name"),
            .name = text_of(now, rows, row, "relation_name"),
            .kind = result_text(rows, row, "kind")[0],
            .made_in = SIZE_MAX,
            .named_in = SIZE_MAX,
            .is_partition = result_bool(rows, row, "is_partition"),
            .rows = result_int64(rows, row, "rows_estimated"),
            .bytes = result_is_null(rows, row, "bytes") ? -1 : result_int64(rows, row, "bytes"),
        };
        now->tables[row] = table;
        now->oids[row] = result_int64(rows, row, "oid");
        name_map_put(model->arena, &model->relations, table->schema, table->name, table);
    }
    return true;
}

static bool load_columns(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_columns, &rows, err))
        return false;
    size_t count = result_rows(rows), first = 0;
    while (first < count) {
        int64_t oid = result_int64(rows, first, "oid");
        size_t end = first + 1, at = 0;
        while (end < count && result_int64(rows, end, "oid") == oid)
            end++;
        ModelTable *table = table_of(now, oid, &at);
        if (table) {
            table->columns = arena_array(now->model->arena, end - first, sizeof(ModelColumn));
            table->column_capacity = end - first;
            now->numbers[at] = arena_array(now->model->arena, end - first, sizeof(int));
        }
        for (size_t row = first; table && row < end; row++) {
            now->numbers[at][table->column_count] = (int)result_int64(rows, row, "number");
            table->columns[table->column_count++] = (ModelColumn){
                .name = text_of(now, rows, row, "column_name"),
                .type = text_of(now, rows, row, "type"),
                .base_type = text_of(now, rows, row, "base_type"),
                .not_null = result_bool(rows, row, "not_null"),
                .has_default = result_bool(rows, row, "has_default"),
                .generated = result_bool(rows, row, "is_generated"),
                .identity = result_bool(rows, row, "is_identity"),
                .null_fraction = table->rows == 0 ? 0 : -1,
                .named_in = SIZE_MAX,
            };
        }
        first = end;
    }
    return true;
}

static bool load_statistics(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_statistics, &rows, err))
        return false;
    for (size_t row = 0; row < result_rows(rows); row++) {
        const ModelTable *table =
            name_map_get(&now->model->relations, result_text(rows, row, "schema_name"),
                         result_text(rows, row, "table_name"));
        ModelColumn *column = model_find_column(table, result_text(rows, row, "column_name"));
        if (!column)
            continue;
        column->null_fraction = result_double(rows, row, "null_fraction");
        column->distinct = result_double(rows, row, "distinct_values");
    }
    return true;
}

/* "1 0 3" as names of columns; NULL for an expression. */
static const char *const *names_of(const Loader *now, size_t at, const char *numbers, size_t max,
                                   size_t *count)
{
    const ModelTable *table = now->tables[at];
    size_t capacity = numbers ? strlen(numbers) / 2 + 1 : 0;
    const char **names = arena_array(now->model->arena, capacity, sizeof(*names));
    *count = 0;
    for (char *end = NULL; numbers && *count < max; numbers = end) {
        long number = strtol(numbers, &end, 10);
        if (end == numbers)
            break;
        names[*count] = NULL;
        for (size_t i = 0; i < table->column_count; i++)
            if (now->numbers[at][i] == number)
                names[*count] = table->columns[i].name;
        (*count)++;
    }
    return names;
}

static bool load_indexes(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_indexes, &rows, err))
        return false;
    for (size_t row = 0; row < result_rows(rows); row++) {
        size_t at = 0;
        ModelTable *table = table_of(now, result_int64(rows, row, "oid"), &at);
        if (!table)
            continue;
        ModelIndex index = {
            .name = text_of(now, rows, row, "index_name"),
            .method = text_of(now, rows, row, "method"),
            .oid = result_int64(rows, row, "index_oid"),
            .unique = result_bool(rows, row, "is_unique"),
            .valid = result_bool(rows, row, "is_valid"),
            .primary = result_bool(rows, row, "is_primary"),
            .constraint = text_of(now, rows, row, "constraint_name"),
        };
        index.columns = names_of(now, at, result_text(rows, row, "keys"),
                                 (size_t)result_int64(rows, row, "key_count"), &index.column_count);
        (void)model_add_index(now->model, table, &index);
    }
    return true;
}

static bool load_constraints(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_constraints, &rows, err))
        return false;
    for (size_t row = 0; row < result_rows(rows); row++) {
        size_t at = 0, other = 0;
        ModelTable *table = table_of(now, result_int64(rows, row, "oid"), &at);
        if (!table)
            continue;
        ModelConstraint constraint = {
            .name = text_of(now, rows, row, "constraint_name"),
            .kind = result_text(rows, row, "kind")[0],
            .valid = result_bool(rows, row, "is_valid"),
            .is_not_null = result_bool(rows, row, "is_not_null"),
            .named_in = SIZE_MAX,
        };
        constraint.columns = names_of(now, at, result_text(rows, row, "columns"), SIZE_MAX,
                                      &constraint.column_count);
        ModelTable *referenced = table_of(now, result_int64(rows, row, "referenced_oid"), &other);
        if (constraint.kind == 'f' && referenced) {
            constraint.referenced_schema = referenced->schema;
            constraint.referenced = referenced->name;
            constraint.referenced_columns =
                names_of(now, other, result_text(rows, row, "referenced_columns"), SIZE_MAX,
                         &constraint.referenced_count);
            model_add_reference(now->model, referenced, table);
        }
        ModelColumn *column = constraint.is_not_null && constraint.column_count
                                  ? model_find_column(table, constraint.columns[0])
                                  : NULL;
        if (column && constraint.valid)
            column->has_not_null_check = true;
        ARENA_PUSH(now->model->arena, table->constraints, table->constraint_count,
                   table->constraint_capacity, constraint);
    }
    return true;
}

static bool load_names(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_names, &rows, err))
        return false;
    Model *model = now->model;
    const struct {
        const char *kind;
        NameMap *map;
    } maps[] = {{"schema", &model->schemas},
                {"extension", &model->extensions},
                {"function", &model->functions},
                {"type", &model->user_types},
                {"opclass", &model->opclasses}};
    model->schemas = (NameMap){0}; /* there need not be a "public" */
    for (size_t row = 0; row < result_rows(rows); row++) {
        char *extra = arena_strdup(model->arena, result_text(rows, row, "extra"));
        for (size_t i = 0; i < COUNT_OF(maps); i++)
            if (str_equal(result_text(rows, row, "kind"), maps[i].kind))
                name_map_put(model->arena, maps[i].map, text_of(now, rows, row, "home"),
                             text_of(now, rows, row, "name"), extra);
    }
    return true;
}

static bool load_dependents(Loader *now, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(now->session, sql_lint_dependents, &rows, err))
        return false;
    Model *model = now->model;
    for (size_t row = 0; row < result_rows(rows); row++) {
        ModelTable *table = table_of(now, result_int64(rows, row, "oid"), NULL);
        ModelTable *other = table_of(now, result_int64(rows, row, "other"), NULL);
        if (!table || !other)
            continue;
        if (str_equal(result_text(rows, row, "kind"), "child")) {
            model_link(model, table, other);
            continue;
        }
        ModelDependent dependent = {other->schema, other->name,
                                    text_of(now, rows, row, "column_name")};
        ARENA_PUSH(model->arena, table->views, table->view_count, table->view_capacity, dependent);
    }
    return true;
}

/* A partitioned table has the rows of its partitions. */
static void sum_up(Loader *now, ModelTable *table)
{
    if (table->kind != 'p' || table->rows >= 0 || !model_descend(now->model))
        return;
    table->rows = table->bytes = 0;
    for (size_t i = 0; i < table->child_count; i++) {
        ModelTable *child = table->children[i];
        sum_up(now, child);
        table->rows = table->rows < 0 || child->rows < 0 ? -1 : table->rows + child->rows;
        table->bytes = table->bytes < 0 || child->bytes < 0 ? -1 : table->bytes + child->bytes;
    }
    now->model->depth--;
}

static bool load_all(Loader *now, Error *err)
{
    if (!load_path(now, err) ||
        !session_execute(now->session, "SET LOCAL search_path TO pg_catalog", err) ||
        !load_relations(now, err) || !load_columns(now, err) || !load_statistics(now, err) ||
        !load_indexes(now, err) || !load_constraints(now, err) || !load_names(now, err) ||
        !load_dependents(now, err))
        return false;
    for (size_t i = 0; i < now->count; i++)
        sum_up(now, now->tables[i]);
    return true;
}

bool model_load(Model *model, Session *session, Error *err)
{
    Loader now = {.model = model, .session = session};
    bool done = read_transaction_begin(session, NULL, err) && load_all(&now, err);
    if (!read_transaction_end(session, done, err))
        return error_context(err, "reading the catalogue");
    model->loaded = true;
    model->source->session = session;
    model->version = session_server_version(session);
    return true;
}

/* ---- when asked for ------------------------------------------------------------------------ */

static bool load_definitions(const Model *model, const char *oid, Error *err)
{
    ModelSource *source = model->source;
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {oid};
    bool done =
        read_transaction_begin(source->session, "SET LOCAL search_path TO pg_catalog", err) &&
        session_query_params(source->session, sql_lint_definitions, 1, params, &rows, err);
    if (!read_transaction_end(source->session, done, err))
        return error_context(err, "reading definitions of indexes");
    for (size_t row = 0; row < result_rows(rows); row++) {
        const char *definition = result_text(rows, row, "definition");
        name_map_put(model->arena, &source->definitions, "",
                     model_copy(model, result_text(rows, row, "oid")),
                     definition ? arena_strdup(model->arena, definition) : NULL);
    }
    return true;
}

const char *model_definition(const Model *model, const ModelIndex *index)
{
    ModelSource *source = model->source;
    if (index->definition || !index->oid || !source->session || source->failure.code)
        return index->definition;
    const char *oid = arena_printf(model->arena, "%lld", (long long)index->oid);
    if (!name_map_has(&source->definitions, "", oid) &&
        load_definitions(model, oid, &source->failure) &&
        !name_map_has(&source->definitions, "", oid))
        name_map_put(model->arena, &source->definitions, "", oid, NULL); /* dropped meanwhile */
    return name_map_get(&source->definitions, "", oid);
}

bool model_check(const Model *model, Error *err)
{
    if (!model->source->failure.code)
        return true;
    *err = model->source->failure;
    return false;
}
