#include "lint/model_internal.h"

/* ---- views ------------------------------------------------------------------------------- */

typedef struct {
    Model *model;
    const ModelTable *view;
    StrList ctes; /* names that are queries of the view itself */
} Reading;

static bool see_cte(void *data, const char *type, const json_t *node)
{
    Reading *now = data;
    if (str_equal(type, "CommonTableExpr") && node_text(node, "ctename"))
        str_list_add(&now->ctes, node_text(node, "ctename"));
    return true;
}

static bool see_range(void *data, const char *type, const json_t *node)
{
    Reading *now = data;
    if (!str_equal(type, "RangeVar"))
        return true;
    const char *name = node_text(node, "relname");
    ModelTable *table = name && (node_text(node, "schemaname") || !str_list_has(&now->ctes, name))
                            ? model_find_range(now->model, node)
                            : NULL;
    ModelDependent dependent = {now->view->schema, now->view->name, NULL};
    if (table && table != now->view)
        ARENA_PUSH(now->model->arena, table->views, table->view_count, table->view_capacity,
                   dependent);
    return true;
}

void model_note_views(Model *model, const ModelTable *view, const json_t *query)
{
    Reading now = {model, view, {0}};
    str_list_init(&now.ctes, model->arena);
    (void)node_walk(query, see_cte, &now);
    (void)node_walk(query, see_range, &now);
}

void model_create_view(Model *model, const json_t *statement)
{
    const json_t *range = json_object_get(statement, "view");
    const char *name = node_text(range, "relname");
    if (!name)
        return;
    const char *schema = node_is(range, "relpersistence", "t")
                             ? "pg_temp"
                             : model_home(model, node_text(range, "schemaname"));
    ModelTable *view = name_map_get(&model->relations, schema, name);
    if (view && view->kind != 'v')
        return;
    if (!view)
        view = model_add_table(model, schema, name, 'v');
    view->uncertain = true; /* its columns are the query's */
    view->rows = -1;
    model_note_views(model, view, json_object_get(statement, "query"));
}

/* ---- DROP -------------------------------------------------------------------------------- */

static void drop_relation(Model *model, const char *schema, const char *name)
{
    ModelTable *table = model_find(model, schema, name);
    if (table)
        model_remove_table(model, table);
}

static void drop_index(Model *model, const char *schema, const char *name)
{
    const IndexHome *home = model_find_index(model, schema, name);
    if (home)
        model_remove_index(model, home->table, home->name);
}

static void drop_schema(Model *model, const char *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < model->relations.capacity; i++) {
        const NameEntry *entry = &model->relations.entries[i];
        if (entry->value && str_equal(entry->schema, schema))
            model_remove_table(model, entry->value);
    }
    model_move_all_named(model, schema, NULL);
    name_map_put(model->arena, &model->schemas, "", model_copy(model, schema), NULL);
}

/* The parts of a name in DROP: a List of String, one String, or a TypeName or function. */
static const char *dropped_name(const json_t *item, const char **schema)
{
    *schema = NULL;
    if (json_object_get(item, "List"))
        return node_name(node_inner(json_object_get(item, "List"), "items", NULL), schema);
    if (json_object_get(item, "TypeName"))
        return node_name(json_object_get(json_object_get(item, "TypeName"), "names"), schema);
    if (json_object_get(item, "ObjectWithArgs"))
        return node_name(json_object_get(json_object_get(item, "ObjectWithArgs"), "objname"),
                         schema);
    return node_string(item);
}

static void drop_composite(Model *model, const char *schema, const char *name)
{
    const ModelTable *composite = model_find(model, schema, name);
    if (composite && composite->kind == 'c')
        drop_relation(model, schema, name);
}

void model_drop(Model *model, const json_t *statement)
{
    const char *kind = node_text(statement, "removeType");
    static const char *const relations[] = {"OBJECT_TABLE",         "OBJECT_VIEW",
                                            "OBJECT_MATVIEW",       "OBJECT_SEQUENCE",
                                            "OBJECT_FOREIGN_TABLE", NULL};
    const json_t *objects = json_object_get(statement, "objects");
    model->cascaded = model->cascaded || node_is(statement, "behavior", "DROP_CASCADE");
    size_t i;
    json_t *item;
    json_array_foreach(objects, i, item)
    {
        const char *schema = NULL;
        const char *name = dropped_name(item, &schema);
        if (!name)
            continue;
        for (size_t k = 0; relations[k]; k++)
            if (str_equal(kind, relations[k]))
                drop_relation(model, schema, name);
        if (str_equal(kind, "OBJECT_INDEX"))
            drop_index(model, schema, name);
        else if (str_equal(kind, "OBJECT_SCHEMA"))
            drop_schema(model, name);
        else if (str_equal(kind, "OBJECT_TYPE"))
            drop_composite(model, schema, name);
        model_drop_named(model, kind, schema, name);
        model_drop_attached(model, kind, node_inner(json_object_get(item, "List"), "items", NULL));
        if (str_equal(kind, "OBJECT_EXTENSION")) {
            name_map_put(model->arena, &model->extensions, "", model_copy(model, name), NULL);
            model->uncertain = true; /* what was its own is gone with it */
        }
    }
}

/* ---- RENAME, SET SCHEMA ------------------------------------------------------------------ */

static void rename_in_list(const Model *model, const char *const **columns, size_t count,
                           const char *from, const char *to)
{
    const char **renamed = arena_array(model->arena, count, sizeof(*renamed));
    for (size_t i = 0; i < count; i++)
        renamed[i] = str_equal((*columns)[i], from) ? to : (*columns)[i];
    *columns = renamed;
}

static void rename_column(Model *model, ModelTable *table, const char *from, const char *to)
{
    ModelColumn *column = model_find_column(table, from);
    if (!column || str_equal(from, to) || !model_descend(model))
        return;
    column->name = model_copy(model, to);
    column->named_in = model->file;
    for (size_t i = 0; i < table->index_count; i++) {
        ModelIndex *index = &table->indexes[i];
        rename_in_list(model, &index->columns, index->column_count, from, column->name);
        index->signature = index->definition = NULL; /* they name it by its old name */
        index->oid = 0;
    }
    for (size_t i = 0; i < table->constraint_count; i++)
        rename_in_list(model, &table->constraints[i].columns, table->constraints[i].column_count,
                       from, column->name);
    for (size_t i = 0; i < table->referencing_count; i++) {
        ModelTable *other = table->referencing[i];
        for (size_t k = 0; k < other->constraint_count; k++)
            if (str_equal(other->constraints[k].referenced, table->name) &&
                str_equal(other->constraints[k].referenced_schema, table->schema))
                rename_in_list(model, &other->constraints[k].referenced_columns,
                               other->constraints[k].referenced_count, from, column->name);
    }
    for (size_t i = 0; i < table->child_count; i++)
        rename_column(model, table->children[i], from, to);
    model->depth--;
}

static void name_constraint(const Model *model, ModelTable *table, const char *from, const char *to)
{
    for (size_t i = 0; table && i < table->constraint_count; i++) {
        ModelConstraint *constraint = &table->constraints[i];
        if (!str_equal(constraint->name, from))
            continue;
        constraint->name = to;
        constraint->unnamed = false;
        constraint->named_in = model->file;
    }
}

static void rename_index(Model *model, const IndexHome *home, const char *to)
{
    const ModelIndex *old = model_index_in(home);
    if (!old)
        return;
    ModelTable *table = home->table;
    ModelIndex index = *old;
    model_remove_index(model, table, old->name);
    index.name = model_copy(model, to);
    index.unnamed = false;
    if (index.constraint) {
        name_constraint(model, table, index.constraint, index.name);
        index.constraint = index.name;
    }
    (void)model_add_index(model, table, &index);
}

static void rename_constraint(Model *model, ModelTable *table, const char *from, const char *to)
{
    const IndexHome *home = table ? model_find_index(model, table->schema, from) : NULL;
    const ModelIndex *index = model_index_in(home);
    if (home && index && index->constraint && home->table == table) {
        rename_index(model, home, to);
        return;
    }
    name_constraint(model, table, from, model_copy(model, to));
}

static void rename_schema(Model *model, const char *from, const char *to)
{
    name_map_put(model->arena, &model->schemas, "", model_copy(model, from), NULL);
    model_put_named(model, "schema", "", to, model);
    model_move_all_named(model, from, to);
    size_t capacity = model->relations.capacity;
    ModelTable **moved = arena_array(model->arena, capacity, sizeof(ModelTable *));
    size_t count = 0;
    for (size_t i = 0; i < capacity; i++) {
        const NameEntry *entry = &model->relations.entries[i];
        if (entry->value && str_equal(entry->schema, from))
            moved[count++] = entry->value;
    }
    for (size_t i = 0; i < count; i++)
        model_rename_table(model, moved[i], to, moved[i]->name);
}

/* What is no relation: the object is a name of its own. */
static void move_object(Model *model, const char *kind, const json_t *object,
                        const char *new_schema, const char *new_name)
{
    const char *schema = NULL;
    const char *name = dropped_name(object, &schema);
    if (!name)
        return;
    model_move_named(model, kind, schema, name, new_schema, new_name);
    ModelTable *composite = str_equal(kind, "OBJECT_TYPE") ? model_find(model, schema, name) : NULL;
    if (composite && composite->kind == 'c')
        model_rename_table(model, composite, new_schema ? new_schema : composite->schema,
                           new_name ? new_name : composite->name);
}

void model_rename(Model *model, const json_t *statement)
{
    const char *kind = node_text(statement, "renameType");
    const char *to = node_text(statement, "newname");
    const char *from = node_text(statement, "subname");
    const json_t *range = json_object_get(statement, "relation");
    bool whole = str_equal(kind, "OBJECT_TABLE") && !from;
    const IndexHome *home =
        model_find_index(model, node_text(range, "schemaname"), node_text(range, "relname"));
    ModelTable *table =
        whole && !home ? model_need_table(model, range) : model_find_range(model, range);
    if (!to)
        return;
    if (str_equal(kind, "OBJECT_SCHEMA")) {
        if (from)
            rename_schema(model, from, to);
    } else if (str_equal(kind, "OBJECT_COLUMN") || str_equal(kind, "OBJECT_ATTRIBUTE")) {
        if (from && table)
            rename_column(model, table, from, to);
    } else if (str_equal(kind, "OBJECT_TABCONSTRAINT")) {
        if (from)
            rename_constraint(model, table, from, to);
    } else if (!range) {
        move_object(model, kind, json_object_get(statement, "object"), NULL, to);
    } else if (from) {
        model_rename_attached(model, kind, table, from, to);
    } else if (home && !table) { /* ALTER TABLE renames indexes too */
        rename_index(model, home, to);
    } else if (table) {
        model_rename_table(model, table, table->schema, to);
    }
}

void model_set_schema(Model *model, const json_t *statement)
{
    const char *schema = node_text(statement, "newschema");
    const json_t *range = json_object_get(statement, "relation");
    ModelTable *table = node_is(statement, "objectType", "OBJECT_TABLE")
                            ? model_need_table(model, range)
                            : model_find_range(model, range);
    if (schema && table)
        model_rename_table(model, table, schema, table->name);
    else if (schema && !range)
        move_object(model, node_text(statement, "objectType"), json_object_get(statement, "object"),
                    schema, NULL);
}
