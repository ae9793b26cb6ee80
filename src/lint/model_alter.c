#include "lint/model_internal.h"

typedef struct {
    Model *model;
    ModelTable *table;
    const json_t *command;
    const char *name; /* of a column or constraint; NULL */
    const json_t *definition;
} Change;

static void do_add_column(const Change *now)
{
    const json_t *definition = json_object_get(now->definition, "ColumnDef");
    if (model_find_column(now->table, node_text(definition, "colname")))
        return;
    model_add_column(now->model, now->table, definition);
    model_add_column_constraints(now->model, now->table, definition);
}

static bool has_column(const char *const *columns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(columns[i], name))
            return true;
    return false;
}

static void drop_column(Model *model, ModelTable *table, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (!str_equal(table->columns[i].name, name))
            table->columns[kept++] = table->columns[i];
    if (kept == table->column_count)
        return;
    table->column_count = kept;
    for (size_t i = 0; i < table->index_count;) {
        const ModelIndex *index = &table->indexes[i];
        if (has_column(index->columns, index->column_count, name))
            model_remove_index(model, table, index->name);
        else
            i++;
    }
    kept = 0;
    for (size_t i = 0; i < table->constraint_count; i++) {
        const ModelConstraint *constraint = &table->constraints[i];
        if (!has_column(constraint->columns, constraint->column_count, name))
            table->constraints[kept++] = *constraint;
    }
    table->constraint_count = kept;
    if (!model_descend(model))
        return;
    for (size_t i = 0; i < table->child_count; i++)
        drop_column(model, table->children[i], name);
    model->depth--;
}

static void do_drop_column(const Change *now)
{
    bool cascades = node_is(now->command, "behavior", "DROP_CASCADE");
    if (now->name)
        drop_column(now->model, now->table, now->name);
    for (size_t i = 0; cascades && i < now->table->view_count; i++) {
        const ModelDependent *view = &now->table->views[i];
        ModelTable *found = model_find(now->model, view->schema, view->name);
        if (found)
            found->may_be_gone = true;
    }
}

static void set_type(const Change *now, ModelTable *table, const char *type, const char *base)
{
    ModelColumn *column = model_find_column(table, now->name);
    if (!column || column->type == type || !model_descend(now->model))
        return;
    column->type = type;
    column->base_type = base;
    for (size_t i = 0; i < table->child_count; i++)
        set_type(now, table->children[i], type, base);
    now->model->depth--;
}

static void do_alter_type(const Change *now)
{
    const char *type = NULL, *base = NULL;
    model_type_of(now->model->arena,
                  json_object_get(json_object_get(now->definition, "ColumnDef"), "typeName"), &type,
                  &base);
    set_type(now, now->table, type, base);
}

static void do_not_null(const Change *now)
{
    ModelColumn *column = model_find_column(now->table, now->name);
    if (!column)
        return;
    column->not_null = node_is(now->command, "subtype", "AT_SetNotNull");
    if (column->not_null)
        column->null_fraction = 0;
}

static void do_default(const Change *now)
{
    ModelColumn *column = model_find_column(now->table, now->name);
    if (column)
        column->has_default = now->definition != NULL;
}

static void do_identity(const Change *now)
{
    ModelColumn *column = model_find_column(now->table, now->name);
    if (!column)
        return;
    column->identity = node_is(now->command, "subtype", "AT_AddIdentity");
    if (column->identity)
        model_make_sequence(now->model, now->table, column->name);
}

static void do_drop_expression(const Change *now)
{
    ModelColumn *column = model_find_column(now->table, now->name);
    if (column)
        column->generated = false;
}

static void do_add_constraint(const Change *now)
{
    model_add_constraint(now->model, now->table, json_object_get(now->definition, "Constraint"),
                         NULL);
}

static ModelConstraint *constraint_of(const Change *now)
{
    for (size_t i = 0; now->name && i < now->table->constraint_count; i++)
        if (str_equal(now->table->constraints[i].name, now->name))
            return &now->table->constraints[i];
    return NULL;
}

static void do_validate(const Change *now)
{
    ModelConstraint *constraint = constraint_of(now);
    if (!constraint)
        return;
    constraint->valid = true;
    ModelColumn *column =
        constraint->is_not_null ? model_find_column(now->table, constraint->columns[0]) : NULL;
    if (column) {
        column->has_not_null_check = true;
        column->null_fraction = 0;
    }
}

static void do_drop_constraint(const Change *now)
{
    const ModelConstraint *constraint = constraint_of(now);
    if (!constraint)
        return;
    ModelColumn *column =
        constraint->is_not_null ? model_find_column(now->table, constraint->columns[0]) : NULL;
    if (column)
        column->has_not_null_check = false;
    const ModelIndex *index =
        model_index_in(model_find_index(now->model, now->table->schema, constraint->name));
    if (index && index->constraint)
        model_remove_index(now->model, now->table, index->name);
    model_remove_constraint(now->table, now->name);
}

static void do_inherit(const Change *now)
{
    ModelTable *parent = model_find_range(now->model, json_object_get(now->definition, "RangeVar"));
    if (!parent || parent == now->table)
        return;
    model_unlink(parent, now->table);
    if (node_is(now->command, "subtype", "AT_AddInherit"))
        model_link(now->model, parent, now->table);
}

static void do_partition(const Change *now)
{
    const json_t *partition = json_object_get(now->definition, "PartitionCmd");
    ModelTable *child = model_find_range(now->model, json_object_get(partition, "name"));
    if (!child || child == now->table)
        return;
    model_unlink(now->table, child);
    if (!node_is(now->command, "subtype", "AT_AttachPartition"))
        return;
    model_link(now->model, now->table, child);
    child->is_partition = true;
}

static const struct {
    const char *subtype;
    void (*apply)(const Change *now);
} changes[] = {
    {"AT_AddColumn", do_add_column},
    {"AT_DropColumn", do_drop_column},
    {"AT_AlterColumnType", do_alter_type},
    {"AT_SetNotNull", do_not_null},
    {"AT_DropNotNull", do_not_null},
    {"AT_ColumnDefault", do_default},
    {"AT_AddIdentity", do_identity},
    {"AT_DropIdentity", do_identity},
    {"AT_DropExpression", do_drop_expression},
    {"AT_AddConstraint", do_add_constraint},
    {"AT_ValidateConstraint", do_validate},
    {"AT_DropConstraint", do_drop_constraint},
    {"AT_AddInherit", do_inherit},
    {"AT_DropInherit", do_inherit},
    {"AT_AttachPartition", do_partition},
    {"AT_DetachPartition", do_partition},
};

void model_alter_table(Model *model, const json_t *statement)
{
    const json_t *range = json_object_get(statement, "relation");
    bool is_table = node_is(statement, "objtype", "OBJECT_TABLE");
    ModelTable *table = is_table ? model_need_table(model, range) : model_find_range(model, range);
    const json_t *commands = json_object_get(statement, "cmds");
    size_t i;
    json_t *item;
    json_array_foreach(commands, i, item)
    {
        const json_t *command = json_object_get(item, "AlterTableCmd");
        Change now = {model, table, command, node_text(command, "name"),
                      json_object_get(command, "def")};
        for (size_t k = 0; table && k < COUNT_OF(changes); k++)
            if (node_is(command, "subtype", changes[k].subtype))
                changes[k].apply(&now);
    }
}
