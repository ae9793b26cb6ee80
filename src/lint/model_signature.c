/* What an index does, as a text: two indexes with the same are duplicates. */
#include "base/buffer.h"
#include "lint/model_internal.h"
#include "pg/parse.h"

#define MAX_DEPTH 200

/* The server shows 'x' of a predicate as 'x'::text, and a varchar compared with it as col::text. */
static const json_t *without_cast(const json_t *value)
{
    const json_t *cast = json_object_get(value, "TypeCast");
    const json_t *inside = json_object_get(cast, "arg");
    const char *type = node_name(json_object_get(json_object_get(cast, "typeName"), "names"), NULL);
    bool plain = json_object_get(inside, "A_Const") ||
                 (json_object_get(inside, "ColumnRef") && str_equal(type, "text"));
    return cast && plain ? inside : value;
}

/* The tree without what does not matter: places, and how a call was spelt. */
static void write_tree(Buffer *out, const json_t *value, int depth)
{
    if (depth > MAX_DEPTH)
        return;
    value = without_cast(value);
    if (json_is_string(value)) {
        buffer_append_char(out, '"');
        buffer_append_str(out, json_string_value(value));
        buffer_append_char(out, '"');
    } else if (json_is_integer(value)) {
        buffer_printf(out, "%lld", (long long)json_integer_value(value));
    } else if (json_is_array(value)) {
        buffer_append_char(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++)
            write_tree(out, json_array_get(value, i), depth + 1);
        buffer_append_char(out, ']');
    } else if (json_is_object(value)) {
        json_t *object = (json_t *)(uintptr_t)value; /* jansson iterates over what is not const */
        buffer_append_char(out, '{');
        for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
            const char *key = json_object_iter_key(at);
            if (str_equal(key, "location") || str_equal(key, "funcformat"))
                continue;
            buffer_append_str(out, key);
            write_tree(out, json_object_iter_value(at), depth + 1);
        }
        buffer_append_char(out, '}');
    } else {
        buffer_append_char(out, json_is_true(value) ? 't' : 'f');
    }
}

static void write_element(Buffer *out, const json_t *element)
{
    if (node_text(element, "name"))
        buffer_append_str(out, node_text(element, "name"));
    else
        write_tree(out, json_object_get(element, "expr"), 0);
    const char *opclass = node_name(json_object_get(element, "opclass"), NULL);
    const char *collation = node_name(json_object_get(element, "collation"), NULL);
    if (opclass)
        buffer_printf(out, " %s", opclass);
    if (collation)
        buffer_printf(out, " COLLATE %s", collation);
    bool down = node_is(element, "ordering", "SORTBY_DESC");
    bool first = node_is(element, "nulls_ordering", "SORTBY_NULLS_FIRST") ||
                 (down && !node_is(element, "nulls_ordering", "SORTBY_NULLS_LAST"));
    if (down)
        buffer_append_str(out, " DESC");
    if (first)
        buffer_append_str(out, " NULLS FIRST");
    buffer_append_char(out, 31);
}

static void write_elements(Buffer *out, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        write_element(out, json_object_get(item, "IndexElem"));
    }
}

char *model_signature_of(Arena *arena, const json_t *statement)
{
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    const char *method = node_text(statement, "accessMethod");
    buffer_printf(&out, "%s(", method ? method : "btree");
    write_elements(&out, json_object_get(statement, "indexParams"));
    buffer_append_char(&out, ')');
    write_elements(&out, json_object_get(statement, "indexIncludingParams"));
    buffer_append_char(&out, '|');
    if (json_object_get(statement, "whereClause"))
        write_tree(&out, json_object_get(statement, "whereClause"), 0);
    return out.overflow ? NULL : arena_strdup(arena, out.data);
}

char *model_signature_of_key(Arena *arena, const json_t *constraint, const ModelIndex *index)
{
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    buffer_append_str(&out, "btree(");
    for (size_t i = 0; i < index->column_count; i++)
        buffer_printf(&out, "%s%c", index->columns[i] ? index->columns[i] : "", 31);
    buffer_append_char(&out, ')');
    const json_t *including = json_object_get(constraint, "including");
    size_t i;
    json_t *item;
    json_array_foreach(including, i, item)
    {
        buffer_printf(&out, "%s%c", node_string(item) ? node_string(item) : "", 31);
    }
    buffer_append_char(&out, '|');
    return out.overflow ? NULL : arena_strdup(arena, out.data);
}

static char *signature_of_definition(Arena *arena, const char *definition)
{
    _cleanup_json_ json_t *tree = NULL;
    Error ignored = {0};
    if (!statement_tree(definition, &tree, &ignored))
        return NULL;
    const json_t *statement =
        node_inner(json_array_get(json_object_get(tree, "stmts"), 0), "stmt", "IndexStmt");
    return statement ? model_signature_of(arena, statement) : NULL;
}

const char *model_signature(const Model *model, const ModelIndex *index)
{
    const char *definition = index->signature ? NULL : model_definition(model, index);
    if (!definition)
        return index->signature;
    if (name_map_has(model->signatures, "", definition))
        return name_map_get(model->signatures, "", definition);
    char *signature = signature_of_definition(model->arena, definition);
    name_map_put(model->arena, model->signatures, "", definition, signature);
    return signature;
}
