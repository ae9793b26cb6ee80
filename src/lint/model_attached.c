/* Triggers, rules and policies, which have their names on a table of their own. */
#include "lint/model_internal.h"

static const char *kind_of(const char *object)
{
    if (str_equal(object, "OBJECT_TRIGGER"))
        return "trigger";
    if (str_equal(object, "OBJECT_RULE"))
        return "rule";
    return str_equal(object, "OBJECT_POLICY") ? "policy" : NULL;
}

static ModelAttached *find(const ModelTable *table, const char *kind, const char *name)
{
    for (size_t i = 0; table && i < table->attached_count; i++)
        if (str_equal(table->attached[i].kind, kind) && str_equal(table->attached[i].name, name))
            return &table->attached[i];
    return NULL;
}

static void attach(Model *model, const char *kind, const json_t *range, const char *name)
{
    ModelTable *table = model_need_table(model, range);
    if (!table || !name || find(table, kind, name))
        return;
    ModelAttached attached = {kind, model_copy(model, name), model->file};
    ARENA_PUSH(model->arena, table->attached, table->attached_count, table->attached_capacity,
               attached);
}

void model_create_trigger(Model *model, const json_t *statement)
{
    attach(model, "trigger", json_object_get(statement, "relation"),
           node_text(statement, "trigname"));
}

void model_create_rule(Model *model, const json_t *statement)
{
    attach(model, "rule", json_object_get(statement, "relation"), node_text(statement, "rulename"));
}

void model_create_policy(Model *model, const json_t *statement)
{
    attach(model, "policy", json_object_get(statement, "table"),
           node_text(statement, "policy_name"));
}

/* The parts are those of the table's name, and the name itself behind them. */
void model_drop_attached(Model *model, const char *object, const json_t *parts)
{
    const char *kind = kind_of(object);
    size_t count = json_array_size(parts);
    if (!kind || count < 2)
        return;
    const char *schema = count > 2 ? node_string(json_array_get(parts, count - 3)) : NULL;
    ModelTable *table = model_find(model, schema, node_string(json_array_get(parts, count - 2)));
    ModelAttached *found = find(table, kind, node_string(json_array_get(parts, count - 1)));
    if (found)
        *found = table->attached[--table->attached_count];
}

void model_rename_attached(Model *model, const char *object, ModelTable *table, const char *from,
                           const char *to)
{
    const char *kind = kind_of(object);
    ModelAttached *found = kind ? find(table, kind, from) : NULL;
    if (!found)
        return;
    found->name = model_copy(model, to);
    found->named_in = model->file;
}
