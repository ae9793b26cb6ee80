#include "pg/node.h"

#include "base/str.h"

#define WALK_MAX_DEPTH 1000

bool node_is(const json_t *node, const char *key, const char *value)
{
    return str_equal(json_get_text(node, key, NULL), value);
}

bool node_flag(const json_t *node, const char *key)
{
    return json_is_true(json_object_get(node, key));
}

const char *node_text(const json_t *node, const char *key)
{
    return json_get_text(node, key, NULL);
}

const json_t *node_inner(const json_t *node, const char *key, const char *type)
{
    const json_t *member = json_object_get(node, key);
    return type ? json_object_get(member, type) : member;
}

const json_t *node_open(const json_t *wrapped, const char **type)
{
    if (!json_is_object(wrapped) || json_object_size(wrapped) != 1)
        return NULL;
    /* jansson iterates over values that it could change, and so takes no const. */
    json_t *object = (json_t *)(uintptr_t)wrapped;
    void *only = json_object_iter(object);
    const json_t *inside = json_object_iter_value(only);
    const char *key = json_object_iter_key(only);
    if (!json_is_object(inside) || key[0] < 'A' || key[0] > 'Z')
        return NULL;
    if (type)
        *type = key;
    return inside;
}

const char *node_string(const json_t *wrapped)
{
    const json_t *plain = json_object_get(wrapped, "String");
    if (plain)
        return json_get_text(plain, "sval", "");
    const json_t *constant = json_object_get(json_object_get(wrapped, "A_Const"), "sval");
    return constant ? json_get_text(constant, "sval", "") : NULL;
}

const char *node_name(const json_t *list, const char **schema)
{
    size_t count = json_array_size(list);
    if (schema)
        *schema = count > 1 ? node_string(json_array_get(list, count - 2)) : NULL;
    return count > 0 ? node_string(json_array_get(list, count - 1)) : NULL;
}

const char *node_option(const json_t *options, const char *name)
{
    size_t i;
    json_t *element;
    json_array_foreach(options, i, element)
    {
        const json_t *option = json_object_get(element, "DefElem");
        if (!node_is(option, "defname", name))
            continue;
        const json_t *value = json_object_get(option, "arg");
        if (!value)
            return "true";
        const json_t *integer = json_object_get(value, "Integer");
        if (integer)
            return json_get_int(integer, "ival", 0) ? "true" : "false";
        const char *text = node_string(value);
        return text ? text : "true";
    }
    return NULL;
}

bool node_option_is_on(const json_t *options, const char *name, bool fallback)
{
    const char *value = node_option(options, name);
    bool on = fallback;
    if (value && !str_to_bool(value, &on))
        return true;
    return on;
}

int64_t node_location(const json_t *node, bool zero)
{
    return json_get_int(node, "location", zero ? 0 : -1);
}

static bool walk(const json_t *value, NodeVisit visit, void *data, int depth)
{
    if (depth > WALK_MAX_DEPTH)
        return true;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!walk(json_array_get(value, i), visit, data, depth + 1))
                return false;
        }
        return true;
    }
    if (!json_is_object(value))
        return true;
    const char *type = NULL;
    const json_t *inside = node_open(value, &type);
    if (inside && !visit(data, type, inside))
        return false;
    json_t *object = (json_t *)(uintptr_t)(inside ? inside : value);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        if (!walk(json_object_iter_value(at), visit, data, depth + 1))
            return false;
    }
    return true;
}

bool node_walk(const json_t *wrapped, NodeVisit visit, void *data)
{
    return walk(wrapped, visit, data, 0);
}
