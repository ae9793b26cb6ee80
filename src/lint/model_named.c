/* What is known by its name alone: schemas, extensions, functions (whatever they take), types. */
#include "lint/model_internal.h"

static NameMap *map_of(Model *model, const char *kind)
{
    if (str_equal(kind, "schema"))
        return &model->schemas;
    if (str_equal(kind, "extension"))
        return &model->extensions;
    return str_equal(kind, "function") ? &model->functions : &model->user_types;
}

/* Of those that stand in a schema; NULL for others. */
static const char *kind_of(const char *object)
{
    static const struct {
        const char *object, *kind;
    } kinds[] = {
        {"OBJECT_FUNCTION", "function"}, {"OBJECT_PROCEDURE", "function"},
        {"OBJECT_ROUTINE", "function"},  {"OBJECT_TYPE", "type"},
        {"OBJECT_DOMAIN", "type"},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_equal(object, kinds[i].object))
            return kinds[i].kind;
    return NULL;
}

void model_put_named(Model *model, const char *kind, const char *schema, const char *name,
                     void *value)
{
    NamedObject object = {.map = map_of(model, kind),
                          .kind = kind,
                          .schema = model_copy(model, schema),
                          .name = model_copy(model, name),
                          .file = model->file};
    name_map_put(model->arena, map_of(model, kind), object.schema, object.name, value);
    ARENA_PUSH(model->arena, model->named, model->named_count, model->named_capacity, object);
}

/* The schema that has it, NULL for none. */
static const char *home_of(const Model *model, const NameMap *map, const char *schema,
                           const char *name)
{
    if (schema)
        return name_map_get(map, schema, name) ? schema : NULL;
    for (size_t i = 0; i < model->path.count; i++)
        if (name_map_get(map, model->path.items[i], name))
            return model->path.items[i];
    return NULL;
}

void model_move_named(Model *model, const char *object, const char *schema, const char *name,
                      const char *new_schema, const char *new_name)
{
    const char *kind = kind_of(object);
    NameMap *map = kind ? map_of(model, kind) : NULL;
    const char *home = map ? home_of(model, map, schema, name) : NULL;
    if (!home)
        return;
    void *value = name_map_get(map, home, name);
    name_map_put(model->arena, map, model_copy(model, home), model_copy(model, name), NULL);
    model_put_named(model, kind, new_schema ? new_schema : home, new_name ? new_name : name, value);
}

void model_drop_named(Model *model, const char *object, const char *schema, const char *name)
{
    const char *kind = kind_of(object);
    NameMap *map = kind ? map_of(model, kind) : NULL;
    const char *home = map ? home_of(model, map, schema, name) : NULL;
    if (home)
        name_map_put(model->arena, map, model_copy(model, home), model_copy(model, name), NULL);
}

void model_move_all_named(Model *model, const char *schema, const char *new_schema)
{
    static const char *const objects[] = {"OBJECT_FUNCTION", "OBJECT_TYPE"};
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        /* What is moved goes into another table of the map, or another place of this one. */
        const NameMap before = *map_of(model, kind_of(objects[i]));
        const char **names = arena_array(model->arena, before.count, sizeof(*names));
        size_t count = 0;
        for (size_t k = 0; k < before.capacity; k++)
            if (before.entries[k].value && str_equal(before.entries[k].schema, schema))
                names[count++] = before.entries[k].name;
        for (size_t k = 0; k < count; k++) {
            if (new_schema)
                model_move_named(model, objects[i], schema, names[k], new_schema, NULL);
            else
                model_drop_named(model, objects[i], schema, names[k]);
        }
    }
}
