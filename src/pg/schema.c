#include "pg/schema_internal.h"

#include "base/hash.h"

#include <string.h>

/* ---- what is listed as drift ------------------------------------------------------------- */

/* Only "*" is special: names hold brackets. Goes back to the last star alone, which is enough. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

/* Without its schema: "alerts.severity" of "public.alerts.severity". */
static const char *without_schema(const char *name)
{
    const char *dot = *name == '"' ? strstr(name, "\".") : strchr(name, '.');
    return dot ? dot + (*dot == '"') + 1 : name;
}

static bool matches_object(Arena *arena, const char *pattern, const char *kind, const char *name)
{
    const char *shorter = without_schema(name);
    return matches(pattern, name) || matches(pattern, shorter) ||
           matches(pattern, arena_printf(arena, "%s %s", kind, name)) ||
           matches(pattern, arena_printf(arena, "%s %s", kind, shorter));
}

static bool is_ignored(Arena *arena, const StrList *ignore, const SchemaObject *object)
{
    for (size_t i = 0; ignore && i < ignore->count; i++) {
        const char *pattern = ignore->items[i];
        if (matches_object(arena, pattern, object->kind, object->name) ||
            (object->part_of && matches_object(arena, pattern, "table", object->part_of)))
            return true;
    }
    return false;
}

/* ---- in order ---------------------------------------------------------------------------- */

static int compare_keys(const char *kind, const char *name, const char *other_kind,
                        const char *other_name)
{
    int order = strcmp(kind, other_kind);
    return order ? order : strcmp(name, other_name);
}

static int compare_objects(const void *a, const void *b)
{
    const SchemaObject *one = a, *two = b;
    int order = compare_keys(one->kind, one->name, two->kind, two->name);
    return order ? order : strcmp(one->definition, two->definition);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    const char *item = items;
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = compare(item + (i - 1) * size, item + i * size) <= 0;
    if (!sorted)
        qsort(items, count, size, compare);
}

void schema_finish(Arena *arena, const StrList *ignore, Schema *schema)
{
    size_t kept = 0;
    _cleanup_arena_ Arena *scratch = arena_create();
    for (size_t i = 0; i < schema->count; i++) {
        if (!is_ignored(scratch, ignore, &schema->items[i]))
            schema->items[kept++] = schema->items[i];
    }
    schema->count = kept;
    sort(schema->items, kept, sizeof(*schema->items), compare_objects);
    sort(schema->column_order.items, schema->column_order.count,
         sizeof(*schema->column_order.items), compare_texts);
    if (!schema->column_order.arena)
        str_list_init(&schema->column_order, arena);
    _cleanup_hash_ HashStream *hash = hash_create();
    for (size_t i = 0; i < kept; i++) {
        const SchemaObject *object = &schema->items[i];
        const char *const texts[] = {object->kind, object->name,
                                     object->part_of ? object->part_of : "", object->definition};
        for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++)
            hash_update(hash, texts[j], strlen(texts[j]) + 1);
    }
    hash_finish(hash, schema->fingerprint);
}

void schema_leave_out(Arena *arena, Schema *schema, const StrList *ignore)
{
    if (ignore && ignore->count)
        schema_finish(arena, ignore, schema);
}

Schema schema_without_grants(Arena *arena, const Schema *schema)
{
    Schema copy = *schema;
    copy.count = 0;
    copy.items = arena_array(arena, schema->count, sizeof(*copy.items));
    for (size_t i = 0; i < schema->count; i++) {
        if (!str_equal(schema->items[i].kind, "grant"))
            copy.items[copy.count++] = schema->items[i];
    }
    if (copy.count < schema->count)
        schema_finish(arena, NULL, &copy);
    return copy;
}

void schema_digest(const Schema *schema, char digest[HASH_HEX_SIZE])
{
    _cleanup_hash_ HashStream *hash = hash_create();
    hash_update(hash, schema->fingerprint, sizeof(schema->fingerprint));
    for (size_t i = 0; i < schema->column_order.count; i++)
        hash_update(hash, schema->column_order.items[i], strlen(schema->column_order.items[i]) + 1);
    hash_finish(hash, digest);
}

/* ---- JSON -------------------------------------------------------------------------------- */

json_t *schema_to_json(const Schema *schema)
{
    json_t *root = json_object(), *objects = json_array(), *order = json_array();
    for (size_t i = 0; i < schema->count; i++) {
        const SchemaObject *object = &schema->items[i];
        json_t *one = json_object();
        json_object_set_new(one, "kind", json_text(object->kind));
        json_object_set_new(one, "name", json_text(object->name));
        if (object->part_of)
            json_object_set_new(one, "part_of", json_text(object->part_of));
        json_object_set_new(one, "definition", json_text(object->definition));
        json_array_append_new(objects, one);
    }
    for (size_t i = 0; i < schema->column_order.count; i++)
        json_array_append_new(order, json_text(schema->column_order.items[i]));
    json_object_set_new(root, "major", json_integer(schema->major));
    json_object_set_new(root, "fingerprint", json_text(schema->fingerprint));
    json_object_set_new(root, "objects", objects);
    json_object_set_new(root, "column_order", order);
    return root;
}

static bool object_of_json(Arena *arena, const json_t *json, SchemaObject *object)
{
    const char *kind = json_get_text(json, "kind", NULL), *name = json_get_text(json, "name", NULL);
    const char *definition = json_get_text(json, "definition", NULL);
    const char *part_of = json_get_text(json, "part_of", NULL);
    if (!kind || !name || !definition)
        return false;
    *object = (SchemaObject){.kind = arena_strdup(arena, kind),
                             .name = arena_strdup(arena, name),
                             .part_of = part_of ? arena_strdup(arena, part_of) : NULL,
                             .definition = arena_strdup(arena, definition)};
    return true;
}

static bool damaged(Error *err, const char *what)
{
    return error_set(err, ERR_PROBLEMS, "this is no snapshot of a schema: %s", what);
}

bool schema_from_json(Arena *arena, const json_t *json, Schema *schema, Error *err)
{
    *schema = (Schema){0};
    str_list_init(&schema->column_order, arena);
    const json_t *objects = json_object_get(json, "objects");
    const json_t *order = json_object_get(json, "column_order");
    const char *fingerprint = json_get_text(json, "fingerprint", NULL);
    int64_t major = json_get_int(json, "major", 0);
    if (!fingerprint || !json_is_array(objects) || major < 1 || major > 1000)
        return damaged(err, "fingerprint, objects or major is missing");
    schema->major = (int)major;
    schema->items = arena_array(arena, json_array_size(objects), sizeof(*schema->items));
    for (size_t i = 0; i < json_array_size(objects); i++) {
        if (!object_of_json(arena, json_array_get(objects, i), &schema->items[schema->count++]))
            return damaged(err, "an object lacks its kind, name or definition");
    }
    for (size_t i = 0; i < json_array_size(order); i++) {
        const char *text = json_string_value(json_array_get(order, i));
        if (!text)
            return damaged(err, "its column_order is no list of texts");
        str_list_add(&schema->column_order, text);
    }
    schema_finish(arena, NULL, schema);
    if (!str_equal(schema->fingerprint, fingerprint))
        return damaged(err, "its fingerprint does not match its objects");
    return true;
}
