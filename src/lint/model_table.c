#include "lint/model_internal.h"

/* ---- columns ----------------------------------------------------------------------------- */

static bool is_serial(const json_t *definition)
{
    const char *schema = NULL;
    const char *name =
        node_name(json_object_get(json_object_get(definition, "typeName"), "names"), &schema);
    static const char *const serials[] = {"serial",  "bigserial", "smallserial",
                                          "serial2", "serial4",   "serial8"};
    for (size_t i = 0; !schema && i < COUNT_OF(serials); i++)
        if (str_equal(name, serials[i]))
            return true;
    return false;
}

void model_make_sequence(Model *model, const ModelTable *table, const char *column)
{
    ModelTable *sequence =
        model_add_table(model, table->schema,
                        model_make_name(model, table->schema, table->name, column, "seq"), 'S');
    sequence->may_be_gone = true;
}

/* What a constraint written behind a column says of the column itself. */
static void mark_column(ModelColumn *column, const json_t *constraint)
{
    const char *kind = node_text(constraint, "contype");
    if (str_equal(kind, "CONSTR_NOTNULL"))
        column->not_null = true;
    else if (str_equal(kind, "CONSTR_NULL"))
        column->not_null = false;
    else if (str_equal(kind, "CONSTR_DEFAULT"))
        column->has_default = true;
    else if (str_equal(kind, "CONSTR_GENERATED"))
        column->generated = true;
    else if (str_equal(kind, "CONSTR_IDENTITY"))
        column->identity = column->not_null = true;
    else if (str_equal(kind, "CONSTR_PRIMARY"))
        column->not_null = true;
}

static void put_column(Model *model, ModelTable *table, const ModelColumn *column)
{
    ModelColumn named = *column;
    named.named_in = model->file;
    if (!model_find_column(table, column->name))
        ARENA_PUSH(model->arena, table->columns, table->column_count, table->column_capacity,
                   named);
    if (!model_descend(model))
        return;
    for (size_t i = 0; i < table->child_count; i++)
        if (!model_find_column(table->children[i], column->name))
            put_column(model, table->children[i], column);
    model->depth--;
}

void model_add_column(Model *model, ModelTable *table, const json_t *definition)
{
    const char *name = node_text(definition, "colname");
    if (!name || model_find_column(table, name))
        return;
    ModelColumn column = {.name = model_copy(model, name),
                          .null_fraction = table->rows == 0 ? 0 : -1};
    model_type_of(model->arena, json_object_get(definition, "typeName"), &column.type,
                  &column.base_type);
    if (is_serial(definition))
        column.has_default = column.not_null = true;
    const json_t *constraints = json_object_get(definition, "constraints");
    size_t i;
    json_t *item;
    json_array_foreach(constraints, i, item)
    {
        mark_column(&column, json_object_get(item, "Constraint"));
    }
    if (column.has_default || column.identity || column.generated)
        column.null_fraction = column.not_null ? 0 : -1;
    put_column(model, table, &column);
    if (is_serial(definition) || column.identity)
        model_make_sequence(model, table, column.name);
}

void model_add_column_constraints(Model *model, ModelTable *table, const json_t *definition)
{
    const char *name = node_text(definition, "colname");
    const json_t *constraints = json_object_get(definition, "constraints");
    size_t i;
    json_t *item;
    json_array_foreach(constraints, i, item)
    {
        model_add_constraint(model, table, json_object_get(item, "Constraint"), name);
    }
}

static void copy_columns(Model *model, ModelTable *table, const ModelTable *from)
{
    if (!from || from->uncertain) {
        table->uncertain = true;
        if (!from)
            return;
    }
    for (size_t i = 0; i < from->column_count; i++) {
        ModelColumn column = from->columns[i];
        column.null_fraction = 0;
        column.distinct = 0;
        put_column(model, table, &column);
    }
}

/* ---- constraints ------------------------------------------------------------------------- */

static const char *joined_names(const Model *model, const char *const *names, size_t count)
{
    StrList list;
    str_list_init(&list, model->arena);
    for (size_t i = 0; i < count; i++)
        str_list_add(&list, names[i] ? names[i] : "expr");
    return count ? str_list_join(&list, model->arena, "_") : NULL;
}

static void use_index(Model *model, ModelTable *table, const char *index_name,
                      ModelConstraint *constraint)
{
    const ModelIndex *old = model_index_in(model_find_index(model, table->schema, index_name));
    if (!old)
        return;
    ModelIndex index = *old;
    model_remove_index(model, table, index_name);
    index.name = index.constraint = constraint->name;
    index.primary = constraint->kind == 'p';
    constraint->columns = index.columns;
    constraint->column_count = index.column_count;
    (void)model_add_index(model, table, &index);
}

static void add_key(Model *model, ModelTable *table, const json_t *node,
                    ModelConstraint *constraint)
{
    const char *index_name = node_text(node, "indexname");
    const char *names = joined_names(model, constraint->columns, constraint->column_count);
    if (!constraint->name && index_name)
        constraint->name = model_copy(model, index_name);
    if (!constraint->name)
        constraint->name = model_make_name(model, table->schema, table->name,
                                           constraint->kind == 'p' ? NULL : names,
                                           constraint->kind == 'p'   ? "pkey"
                                           : constraint->kind == 'x' ? "excl"
                                                                     : "key");
    if (index_name) {
        use_index(model, table, index_name, constraint);
    } else {
        ModelIndex index = {.name = constraint->name,
                            .method = "btree",
                            .columns = constraint->columns,
                            .column_count = constraint->column_count,
                            .unique = constraint->kind != 'x',
                            .valid = true,
                            .primary = constraint->kind == 'p',
                            .constraint = constraint->name};
        if (node_text(node, "access_method"))
            index.method = model_copy(model, node_text(node, "access_method"));
        if (constraint->kind != 'x')
            index.signature = model_signature_of_key(model->arena, node, &index);
        (void)model_add_index(model, table, &index);
    }
    for (size_t i = 0; constraint->kind == 'p' && i < constraint->column_count; i++) {
        ModelColumn *column = model_find_column(table, constraint->columns[i]);
        if (column)
            column->not_null = true;
    }
}

static void add_foreign_key(Model *model, ModelTable *table, const json_t *node,
                            ModelConstraint *constraint)
{
    const json_t *range = json_object_get(node, "pktable");
    ModelTable *referenced = model_find_range(model, range);
    constraint->referenced = model_copy(model, node_text(range, "relname"));
    constraint->referenced_schema =
        referenced ? referenced->schema
                   : model_copy(model, model_home(model, node_text(range, "schemaname")));
    constraint->referenced_columns =
        model_names(model, json_object_get(node, "pk_attrs"), &constraint->referenced_count);
    if (referenced)
        model_add_reference(model, referenced, table);
}

/* The column of CHECK (column IS NOT NULL). */
static const char *not_null_column(const json_t *expression)
{
    const json_t *test = json_object_get(expression, "NullTest");
    const json_t *reference = node_inner(test, "arg", "ColumnRef");
    return node_is(test, "nulltesttype", "IS_NOT_NULL")
               ? node_name(json_object_get(reference, "fields"), NULL)
               : NULL;
}

static void add_check(Model *model, ModelTable *table, const json_t *node,
                      ModelConstraint *constraint)
{
    const char *name = not_null_column(json_object_get(node, "raw_expr"));
    ModelColumn *column = model_find_column(table, name);
    if (!column)
        return;
    const char **columns = arena_array(model->arena, 1, sizeof(*columns));
    columns[0] = column->name;
    constraint->columns = columns;
    constraint->column_count = 1;
    constraint->is_not_null = true;
    if (constraint->valid)
        column->has_not_null_check = true;
}

static char constraint_kind(const json_t *node)
{
    static const struct {
        const char *contype;
        char kind;
    } kinds[] = {{"CONSTR_CHECK", 'c'},
                 {"CONSTR_FOREIGN", 'f'},
                 {"CONSTR_PRIMARY", 'p'},
                 {"CONSTR_UNIQUE", 'u'},
                 {"CONSTR_EXCLUSION", 'x'}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (node_is(node, "contype", kinds[i].contype))
            return kinds[i].kind;
    return '\0';
}

/* Names of columns of a constraint: its own list, or the column that it stands behind. */
static const char *const *constraint_columns(const Model *model, const json_t *node,
                                             const char *column, size_t *count)
{
    static const char *const lists[] = {"keys", "fk_attrs"};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (json_array_size(json_object_get(node, lists[i])) > 0)
            return model_names(model, json_object_get(node, lists[i]), count);
    const char **one = arena_array(model->arena, 1, sizeof(*one));
    one[0] = model_copy(model, column);
    *count = column ? 1 : 0;
    return one;
}

void model_add_constraint(Model *model, ModelTable *table, const json_t *node, const char *column)
{
    ModelConstraint constraint = {.kind = constraint_kind(node),
                                  .name = model_copy(model, node_text(node, "conname")),
                                  .valid = !node_flag(node, "skip_validation"),
                                  .named_in = model->file};
    constraint.unnamed = !constraint.name && !node_text(node, "indexname");
    if (!constraint.kind)
        return;
    constraint.columns = constraint_columns(model, node, column, &constraint.column_count);
    if (constraint.kind == 'f')
        add_foreign_key(model, table, node, &constraint);
    else if (constraint.kind == 'c')
        add_check(model, table, node, &constraint);
    else
        add_key(model, table, node, &constraint);
    if (!constraint.name) {
        const char *names = joined_names(model, constraint.columns, constraint.column_count);
        constraint.name = model_make_name(model, table->schema, table->name, names,
                                          constraint.kind == 'f' ? "fkey" : "check");
    }
    ARENA_PUSH(model->arena, table->constraints, table->constraint_count,
               table->constraint_capacity, constraint);
}

/* ---- CREATE TABLE ------------------------------------------------------------------------ */

static void create_elements(Model *model, ModelTable *table, const json_t *elements)
{
    size_t i;
    json_t *item;
    json_array_foreach(elements, i, item)
    {
        const json_t *like = json_object_get(item, "TableLikeClause");
        if (json_object_get(item, "ColumnDef"))
            model_add_column(model, table, json_object_get(item, "ColumnDef"));
        else if (like)
            copy_columns(model, table, model_find_range(model, json_object_get(like, "relation")));
    }
    json_array_foreach(elements, i, item)
    {
        if (json_object_get(item, "ColumnDef"))
            model_add_column_constraints(model, table, json_object_get(item, "ColumnDef"));
        else
            model_add_constraint(model, table, json_object_get(item, "Constraint"), NULL);
    }
}

static ModelTable *start_table(Model *model, const json_t *range, char kind)
{
    const char *name = node_text(range, "relname");
    if (!name)
        return NULL;
    const char *schema = node_is(range, "relpersistence", "t")
                             ? "pg_temp"
                             : model_home(model, node_text(range, "schemaname"));
    ModelTable *there = name_map_get(&model->relations, schema, name);
    if (!there)
        return model_add_table(model, schema, name, kind);
    if (!there->is_guess)
        return NULL; /* kept by IF NOT EXISTS; else the server refuses the statement */
    there->is_guess = false;
    there->kind = kind;
    there->made_in = there->named_in = model->file;
    return there;
}

void model_create_table(Model *model, const json_t *statement, char kind)
{
    ModelTable *table = start_table(model, json_object_get(statement, "relation"), kind);
    if (!table)
        return;
    if (json_object_get(statement, "partspec"))
        table->kind = 'p';
    if (json_object_get(statement, "ofTypename"))
        table->uncertain = true;
    const json_t *parents = json_object_get(statement, "inhRelations");
    size_t i;
    json_t *item;
    json_array_foreach(parents, i, item)
    {
        ModelTable *parent = model_find_range(model, json_object_get(item, "RangeVar"));
        copy_columns(model, table, parent);
        if (parent && parent != table)
            model_link(model, parent, table);
    }
    table->is_partition = json_object_get(statement, "partbound") != NULL;
    create_elements(model, table, json_object_get(statement, "tableElts"));
    for (i = 0; i < table->column_count; i++)
        table->columns[i].null_fraction = 0;
}

/* The name that SELECT gives a column; NULL where only the server knows. */
static const char *target_name(const json_t *target)
{
    if (node_text(target, "name"))
        return node_text(target, "name");
    return node_name(json_object_get(node_inner(target, "val", "ColumnRef"), "fields"), NULL);
}

/* The type of a column of SELECT is known where one table has a column of its name. */
static ModelColumn target_column(const Model *model, const json_t *select, const json_t *target)
{
    ModelColumn column = {.name = model_copy(model, target_name(target)),
                          .type = "unknown",
                          .base_type = "unknown",
                          .null_fraction = -1};
    const json_t *from = json_object_get(select, "fromClause");
    const char *source =
        node_name(json_object_get(node_inner(target, "val", "ColumnRef"), "fields"), NULL);
    const json_t *range = json_object_get(json_array_get(from, 0), "RangeVar");
    const ModelColumn *known =
        json_array_size(from) == 1 && source && !json_object_get(select, "withClause")
            ? model_find_column(model_find_range(model, range), source)
            : NULL;
    if (known) {
        column.type = known->type;
        column.base_type = known->base_type;
    }
    return column;
}

void model_create_as(Model *model, const json_t *query, const json_t *into, char kind)
{
    ModelTable *table = start_table(model, json_object_get(into, "rel"), kind);
    if (!table)
        return;
    table->rows = node_flag(into, "skipData") ? 0 : -1;
    const json_t *select = json_object_get(query, "SelectStmt");
    const json_t *targets = json_object_get(select, "targetList");
    const json_t *names = json_object_get(into, "colNames");
    table->uncertain = json_array_size(targets) == 0 || json_object_get(select, "larg") ||
                       json_array_size(names) > 0;
    size_t i;
    json_t *item;
    json_array_foreach(targets, i, item)
    {
        ModelColumn column = target_column(model, select, json_object_get(item, "ResTarget"));
        if (!column.name)
            table->uncertain = true;
        else
            put_column(model, table, &column);
    }
    if (kind == 'm')
        model_note_views(model, table, query);
}

/* ---- CREATE INDEX ------------------------------------------------------------------------ */

static const char *const *index_columns(const Model *model, const json_t *keys, size_t *count)
{
    *count = json_array_size(keys);
    const char **names = arena_array(model->arena, *count, sizeof(*names));
    for (size_t i = 0; i < *count; i++)
        names[i] = model_copy(
            model, node_text(json_object_get(json_array_get(keys, i), "IndexElem"), "name"));
    return names;
}

void model_create_index(Model *model, const json_t *statement)
{
    ModelTable *table = model_need_table(model, json_object_get(statement, "relation"));
    if (!table)
        return;
    ModelIndex index = {.valid = true,
                        .unique = node_flag(statement, "unique"),
                        .method = model_copy(model, node_text(statement, "accessMethod")),
                        .signature = model_signature_of(model->arena, statement),
                        .name = model_copy(model, node_text(statement, "idxname"))};
    if (!index.method)
        index.method = "btree";
    index.columns =
        index_columns(model, json_object_get(statement, "indexParams"), &index.column_count);
    index.unnamed = !index.name;
    if (!index.name)
        index.name = model_make_name(model, table->schema, table->name,
                                     joined_names(model, index.columns, index.column_count), "idx");
    else if (model_find_index(model, table->schema, index.name))
        return;
    (void)model_add_index(model, table, &index);
}
