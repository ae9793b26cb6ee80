#include "lint/model_internal.h"

Model *model_create(Arena *arena)
{
    Model *model = arena_alloc(arena, sizeof(*model));
    model->arena = arena;
    model->source = arena_alloc(arena, sizeof(*model->source));
    model->signatures = arena_alloc(arena, sizeof(*model->signatures));
    str_list_init(&model->default_path, arena);
    str_list_add(&model->default_path, "public");
    model->path = model->default_path;
    model->file = SIZE_MAX;
    name_map_put(arena, &model->schemas, "", "public", model);
    return model;
}

const char *model_copy(const Model *model, const char *text)
{
    return text ? arena_strdup(model->arena, text) : NULL;
}

void model_begin_file(Model *model, size_t file_ordinal)
{
    model->path = model->default_path;
    if (file_ordinal == model->file)
        return;
    model->file = file_ordinal;
    /* Without a server each file may have run long before the next. */
    for (size_t i = 0; !model->loaded && i < model->made_count; i++)
        model->made[i]->is_new = false;
    model->made_count = 0;
}

bool model_is_complete(const Model *model)
{
    return model->loaded && !model->uncertain;
}

bool model_is_uncertain(const Model *model)
{
    return model->uncertain;
}

bool model_knows(const Model *model, const ModelTable *table)
{
    return table && !table->uncertain && !model->uncertain &&
           !name_map_get(&model->unread, "", table->name);
}

bool model_was_read(const Model *model, const char *name)
{
    return !name_map_has(&model->unread, "", name);
}

const ModelTable *model_made_at(const Model *model, const json_t *range)
{
    return name_map_get(&model->relations, model_home(model, node_text(range, "schemaname")),
                        node_text(range, "relname"));
}

int model_server_version(const Model *model)
{
    return model->version;
}

bool model_has_tables(const Model *model)
{
    return model->tables_made > 0;
}

/* ---- looking up -------------------------------------------------------------------------- */

static void *look_up(const Model *model, const NameMap *map, const char *schema, const char *name)
{
    if (schema || !name)
        return name_map_get(map, schema, name);
    void *found = name_map_get(map, "pg_temp", name);
    for (size_t i = 0; i < model->path.count && !found; i++)
        found = name_map_get(map, model->path.items[i], name);
    return found;
}

const char *model_home(const Model *model, const char *schema)
{
    for (size_t i = 0; !schema && i < model->path.count; i++)
        if (!model->loaded || name_map_get(&model->schemas, "", model->path.items[i]))
            return model->path.items[i];
    return schema ? schema : "public";
}

ModelTable *model_find(const Model *model, const char *schema, const char *name)
{
    return look_up(model, &model->relations, schema, name);
}

ModelTable *model_find_range(const Model *model, const json_t *range)
{
    return model_find(model, node_text(range, "schemaname"), node_text(range, "relname"));
}

IndexHome *model_find_index(const Model *model, const char *schema, const char *name)
{
    return look_up(model, &model->indexes, schema, name);
}

const ModelTable *model_table(const Model *model, const char *schema, const char *name)
{
    return model_find(model, schema, name);
}

ModelIndex *model_index_in(const IndexHome *home)
{
    for (size_t i = 0; home && i < home->table->index_count; i++)
        if (str_equal(home->table->indexes[i].name, home->name))
            return &home->table->indexes[i];
    return NULL;
}

const ModelIndex *model_index(const Model *model, const char *schema, const char *name,
                              const ModelTable **table)
{
    const IndexHome *home = model_find_index(model, schema, name);
    if (table)
        *table = home ? home->table : NULL;
    return model_index_in(home);
}

ModelColumn *model_find_column(const ModelTable *table, const char *name)
{
    for (size_t i = 0; table && name && i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const ModelColumn *model_column(const ModelTable *table, const char *name)
{
    return model_find_column(table, name);
}

const ModelConstraint *model_constraint(const ModelTable *table, const char *name)
{
    for (size_t i = 0; table && name && i < table->constraint_count; i++)
        if (str_equal(table->constraints[i].name, name))
            return &table->constraints[i];
    return NULL;
}

/* Catalogues are not loaded, and pg_catalog is searched without being named. */
static bool is_system(const char *schema, const char *name)
{
    return schema ? str_starts(schema, "pg_") || str_equal(schema, "information_schema")
                  : str_starts(name, "pg_");
}

bool model_is_missing(const Model *model, const char *schema, const char *name)
{
    if (!name || model->uncertain || is_system(schema, name) || model_find(model, schema, name) ||
        name_map_get(&model->unread, "", name))
        return false;
    if (model->loaded)
        return true;
    bool was_there = schema && name_map_has(&model->relations, schema, name);
    for (size_t i = 0; !schema && i < model->path.count && !was_there; i++)
        was_there = name_map_has(&model->relations, model->path.items[i], name);
    return was_there;
}

bool model_schema_exists(const Model *model, const char *schema)
{
    return name_map_get(&model->schemas, "", schema) || is_system(schema, "");
}

bool model_extension_exists(const Model *model, const char *extension)
{
    return name_map_get(&model->extensions, "", extension);
}

const ModelTable **model_tables(Arena *arena, const Model *model, const char *schema, size_t *count)
{
    const ModelTable **tables = arena_array(arena, model->relations.count, sizeof(ModelTable *));
    *count = 0;
    for (size_t i = 0; i < model->relations.capacity; i++) {
        const NameEntry *entry = &model->relations.entries[i];
        if (entry->value && str_equal(entry->schema, schema))
            tables[(*count)++] = entry->value;
    }
    return tables;
}

bool model_is_busy(const ModelTable *table)
{
    return table && !table->is_new;
}

/* ---- changing ---------------------------------------------------------------------------- */

bool model_descend(Model *model)
{
    if (model->depth > 100)
        return false;
    model->depth++;
    return true;
}

ModelTable *model_add_table(Model *model, const char *schema, const char *name, char kind)
{
    ModelTable *table = arena_alloc(model->arena, sizeof(*table));
    *table = (ModelTable){.schema = model_copy(model, schema),
                          .name = model_copy(model, name),
                          .kind = kind,
                          .is_new = true,
                          .made_in = model->file,
                          .named_in = model->file};
    name_map_put(model->arena, &model->relations, table->schema, table->name, table);
    ARENA_PUSH(model->arena, model->made, model->made_count, model->made_capacity, table);
    model->tables_made++;
    return table;
}

void model_link(Model *model, ModelTable *parent, ModelTable *child)
{
    ARENA_PUSH(model->arena, parent->children, parent->child_count, parent->child_capacity, child);
    ARENA_PUSH(model->arena, child->parents, child->parent_count, child->parent_capacity, parent);
}

static void list_remove(ModelTable **list, size_t *count, const ModelTable *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (list[i] != table)
            list[kept++] = list[i];
    *count = kept;
}

void model_unlink(ModelTable *parent, ModelTable *child)
{
    list_remove(parent->children, &parent->child_count, child);
    list_remove(child->parents, &child->parent_count, parent);
    child->is_partition = false;
}

void model_add_reference(Model *model, ModelTable *referenced, ModelTable *by)
{
    for (size_t i = 0; i < referenced->referencing_count; i++)
        if (referenced->referencing[i] == by)
            return;
    ARENA_PUSH(model->arena, referenced->referencing, referenced->referencing_count,
               referenced->referencing_capacity, by);
}

/* Foreign keys of one table to another go, as DROP ... CASCADE does it. */
static void drop_references(ModelTable *by, const ModelTable *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < by->constraint_count; i++) {
        const ModelConstraint *constraint = &by->constraints[i];
        if (constraint->kind != 'f' || !str_equal(constraint->referenced, to->name) ||
            !str_equal(constraint->referenced_schema, to->schema))
            by->constraints[kept++] = *constraint;
    }
    by->constraint_count = kept;
}

static void forget_index(Model *model, const char *schema, const char *name)
{
    name_map_put(model->arena, &model->indexes, schema, name, NULL);
}

void model_remove_table(Model *model, ModelTable *table)
{
    if (name_map_get(&model->relations, table->schema, table->name) != table ||
        !model_descend(model))
        return;
    name_map_put(model->arena, &model->relations, table->schema, table->name, NULL);
    for (size_t i = 0; i < table->index_count; i++)
        forget_index(model, table->schema, table->indexes[i].name);
    for (size_t i = 0; i < table->referencing_count; i++)
        drop_references(table->referencing[i], table);
    for (size_t i = 0; i < table->constraint_count; i++) {
        ModelTable *other = model_find(model, table->constraints[i].referenced_schema,
                                       table->constraints[i].referenced);
        if (other && table->constraints[i].kind == 'f')
            list_remove(other->referencing, &other->referencing_count, table);
    }
    while (table->parent_count > 0)
        model_unlink(table->parents[0], table);
    while (table->child_count > 0) {
        ModelTable *child = table->children[0];
        model_unlink(table, child);
        model_remove_table(model, child);
    }
    for (size_t i = 0; i < table->view_count; i++) {
        ModelTable *view = model_find(model, table->views[i].schema, table->views[i].name);
        if (view)
            model_remove_table(model, view);
    }
    model->depth--;
}

void model_rename_table(Model *model, ModelTable *table, const char *schema, const char *name)
{
    name_map_put(model->arena, &model->relations, table->schema, table->name, NULL);
    for (size_t i = 0; i < table->index_count; i++)
        forget_index(model, table->schema, table->indexes[i].name);
    for (size_t i = 0; i < table->referencing_count; i++) {
        ModelTable *other = table->referencing[i];
        for (size_t k = 0; k < other->constraint_count; k++) {
            ModelConstraint *constraint = &other->constraints[k];
            if (str_equal(constraint->referenced, table->name) &&
                str_equal(constraint->referenced_schema, table->schema)) {
                constraint->referenced = model_copy(model, name);
                constraint->referenced_schema = model_copy(model, schema);
            }
        }
    }
    table->schema = model_copy(model, schema);
    table->name = model_copy(model, name);
    table->named_in = model->file;
    name_map_put(model->arena, &model->relations, table->schema, table->name, table);
    for (size_t i = 0; i < table->index_count; i++) {
        IndexHome *home = arena_alloc(model->arena, sizeof(*home));
        *home = (IndexHome){table, table->schema, table->indexes[i].name};
        name_map_put(model->arena, &model->indexes, table->schema, home->name, home);
        table->indexes[i].schema = table->schema;
    }
}

ModelIndex *model_add_index(Model *model, ModelTable *table, const ModelIndex *index)
{
    ARENA_PUSH(model->arena, table->indexes, table->index_count, table->index_capacity, *index);
    ModelIndex *added = &table->indexes[table->index_count - 1];
    added->schema = table->schema;
    added->named_in = model->file;
    IndexHome *home = arena_alloc(model->arena, sizeof(*home));
    *home = (IndexHome){table, table->schema, added->name};
    name_map_put(model->arena, &model->indexes, table->schema, added->name, home);
    return added;
}

void model_remove_index(Model *model, ModelTable *table, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->index_count; i++)
        if (!str_equal(table->indexes[i].name, name))
            table->indexes[kept++] = table->indexes[i];
    table->index_count = kept;
    forget_index(model, table->schema, model_copy(model, name));
}

void model_remove_constraint(ModelTable *table, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->constraint_count; i++)
        if (!str_equal(table->constraints[i].name, name))
            table->constraints[kept++] = table->constraints[i];
    table->constraint_count = kept;
}

ModelTable *model_need_table(Model *model, const json_t *range)
{
    ModelTable *table = model_find_range(model, range);
    const char *name = node_text(range, "relname"), *schema = node_text(range, "schemaname");
    if (table || !model->guesses || !name || is_system(schema, name))
        return table;
    table = model_add_table(model, model_home(model, schema), name, 'r');
    table->is_guess = table->uncertain = true;
    table->made_in = table->named_in = SIZE_MAX;
    return table;
}

/* ---- names and types --------------------------------------------------------------------- */

/* PostgreSQL's makeObjectName: the longer of the two parts is cut until all of it fits. */
const char *model_make_name(const Model *model, const char *schema, const char *first,
                            const char *second, const char *label)
{
    for (int pass = 0;; pass++) {
        char *end = pass ? arena_printf(model->arena, "%s%d", label, pass)
                         : arena_printf(model->arena, "%s", label);
        size_t a = strlen(first), b = second ? strlen(second) : 0;
        size_t room = NAME_MAX_BYTES - strlen(end) - (second ? 2 : 1);
        while (a + b > room) {
            if (a > b)
                a--;
            else
                b--;
        }
        char *name =
            second ? arena_printf(model->arena, "%.*s_%.*s_%s", (int)a, first, (int)b, second, end)
                   : arena_printf(model->arena, "%.*s_%s", (int)a, first, end);
        if (!name_map_get(&model->relations, schema, name) &&
            !name_map_get(&model->indexes, schema, name))
            return name;
    }
}

const char *const *model_names(const Model *model, const json_t *list, size_t *count)
{
    size_t size = json_array_size(list), i;
    const char **names = arena_array(model->arena, size, sizeof(*names));
    json_t *item;
    json_array_foreach(list, i, item)
    {
        names[i] = model_copy(model, node_string(item));
    }
    *count = size;
    return names;
}

static const struct {
    const char *base, *shown;
} type_names[] = {
    {"int4", "integer"},
    {"int8", "bigint"},
    {"int2", "smallint"},
    {"float8", "double precision"},
    {"float4", "real"},
    {"bool", "boolean"},
    {"varchar", "character varying"},
    {"bpchar", "character"},
    {"timestamptz", "timestamp with time zone"},
    {"timestamp", "timestamp without time zone"},
    {"timetz", "time with time zone"},
    {"time", "time without time zone"},
    {"varbit", "bit varying"},
};

static const char *serial_type(const char *name)
{
    if (str_equal(name, "serial") || str_equal(name, "serial4"))
        return "int4";
    if (str_equal(name, "bigserial") || str_equal(name, "serial8"))
        return "int8";
    return str_equal(name, "smallserial") || str_equal(name, "serial2") ? "int2" : name;
}

static const char *with_modifiers(Arena *arena, const char *shown, const json_t *modifiers)
{
    StrList texts;
    str_list_init(&texts, arena);
    size_t i;
    json_t *item;
    json_array_foreach(modifiers, i, item)
    {
        const json_t *number = json_object_get(json_object_get(item, "A_Const"), "ival");
        if (!number)
            return shown;
        str_list_addf(&texts, "%lld", (long long)json_get_int(number, "ival", 0));
    }
    if (texts.count == 0)
        return shown;
    const char *list = str_list_join(&texts, arena, ",");
    const char *space = strchr(shown, ' ');
    bool time = str_starts(shown, "time"); /* timestamp(3) with time zone */
    if (time && space)
        return arena_printf(arena, "%.*s(%s)%s", (int)(space - shown), shown, list, space);
    return arena_printf(arena, "%s(%s)", shown, list);
}

void model_type_of(Arena *arena, const json_t *type_name, const char **type, const char **base_type)
{
    const char *schema = NULL;
    const char *name = serial_type(node_name(json_object_get(type_name, "names"), &schema));
    if (!name)
        name = "unknown";
    const char *shown = name;
    for (size_t i = 0; i < COUNT_OF(type_names); i++)
        if (str_equal(name, type_names[i].base))
            shown = type_names[i].shown;
    if (schema && !str_equal(schema, "pg_catalog"))
        shown = arena_printf(arena, "%s.%s", schema, name);
    shown = with_modifiers(arena, shown, json_object_get(type_name, "typmods"));
    bool array = json_array_size(json_object_get(type_name, "arrayBounds")) > 0;
    *type = arena_printf(arena, "%s%s", shown, array ? "[]" : "");
    *base_type = arena_printf(arena, "%s%s", array ? "_" : "", name);
}
