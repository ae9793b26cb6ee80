#include "fuzz.h"

#include "base/json.h"
#include "pg/schema.h"

#include <assert.h>
#include <string.h>

/* What can be read can be written, reads back the same, and differs from itself in nothing. */
static void check_round_trip(Arena *arena, const Schema *schema)
{
    Schema again;
    SchemaDiff diff;
    Error err = {0};
    _cleanup_json_ json_t *json = schema_to_json(schema);
    assert(schema_from_json(arena, json, &again, &err));
    schema_diff(arena, schema, &again, &diff);
    assert(diff.count == 0 && diff.reordered.count == 0);
}

/* Everything gone, with lines for people. */
static void check_diff(Arena *arena, const Schema *schema)
{
    Schema none = {.major = schema->major};
    SchemaDiff diff;
    StrList lines;
    str_list_init(&none.column_order, arena);
    str_list_init(&lines, arena);
    schema_diff(arena, schema, &none, &diff);
    schema_diff_lines(arena, &diff, 5, &lines);
    assert(diff.count == schema->count && lines.count <= 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_json_ json_t *root = NULL;
    Schema schema;
    Error err = {0};
    if (!json_parse((const char *)data, size, "x", &root, &err))
        return 0;
    if (!schema_from_json(arena, root, &schema, &err)) {
        assert(err.code == ERR_PROBLEMS && err.message[0]);
        /* The fingerprint stops nearly every mutation: the right one is what was computed. */
        if (!schema.fingerprint[0] || !json_is_object(root))
            return 0;
        (void)json_object_set_new(root, "fingerprint", json_string(schema.fingerprint));
        if (!schema_from_json(arena, root, &schema, &err))
            return 0;
    }
    check_round_trip(arena, &schema);
    check_diff(arena, &schema);
    return 0;
}
