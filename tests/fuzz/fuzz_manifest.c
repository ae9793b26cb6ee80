#include "fuzz.h"

#include "backup/manifest.h"
#include "base/json.h"

#include <assert.h>
#include <string.h>

/* What can be read can be written, and reads back the same. */
static void check_round_trip(Arena *arena, const Manifest *manifest)
{
    Manifest again;
    Error err = {0};
    const char *text = manifest_write(arena, manifest);
    assert(manifest_parse(arena, "again", text, strlen(text), &again, &err));
    assert(manifest_rows(&again) == manifest_rows(manifest));
    assert(strcmp(text, manifest_write(arena, &again)) == 0);
}

/* The self-hash stops nearly every mutation, so the text is tried with a right one too. */
static const char *with_right_hash(Arena *arena, const char *text, size_t size)
{
    Error ignored = {0};
    _cleanup_json_ json_t *root = NULL;
    if (!json_parse(text, size, "x", &root, &ignored) || !json_is_object(root))
        return NULL;
    char hex[HASH_HEX_SIZE];
    (void)json_object_del(root, "manifest_sha256");
    _cleanup_free_ char *sorted = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    hash_bytes(sorted, strlen(sorted), hex);
    (void)json_object_set_new(root, "manifest_sha256", json_string(hex));
    return json_compact(arena, root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Manifest manifest;
    Error err = {0};
    if (manifest_parse(arena, "fuzz", (const char *)data, size, &manifest, &err))
        check_round_trip(arena, &manifest);
    else
        assert(err.code == ERR_PROBLEMS && err.message[0]);
    const char *right = with_right_hash(arena, (const char *)data, size);
    if (right && manifest_parse(arena, "fuzz", right, strlen(right), &manifest, &err))
        check_round_trip(arena, &manifest);
    return 0;
}
