#include "fuzz.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "state/evidence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static char directory[] = "/tmp/vaxdb-fuzz-evidence-XXXXXX";
static State *state;

static void remove_state(void)
{
    Error ignored = {0};
    state_close(state);
    (void)!directory_remove(directory, &ignored);
}

static void need_state(void)
{
    Error err = {0};
    if (state)
        return;
    bool opened = mkdtemp(directory) && state_open(directory, &state, &err);
    assert(opened);
    (void)atexit(remove_state);
}

static size_t count_records(Arena *arena)
{
    Error err = {0};
    Evidence *items = NULL;
    size_t count = 0;
    bool listed = state_evidence_list(state, arena, NULL, &items, &count, &err);
    assert(listed);
    return count;
}

/* Whatever came in goes out and comes back as known; what did not left nothing. */
static void try_import(Arena *arena, const char *text, size_t size)
{
    Error err = {0};
    size_t added = 0, known = 0, exported = 0, before = count_records(arena);
    if (!state_evidence_import(state, arena, text, size, "fuzz", &added, &known, &err)) {
        assert(err.code == ERR_PROBLEMS && err.message[0]);
        assert(count_records(arena) == before);
        return;
    }
    assert(count_records(arena) == before + added);
    _cleanup_buffer_ Buffer lines;
    buffer_init(&lines, BUFFER_MAX_FILE);
    bool done = state_evidence_export(state, arena, &lines, &exported, &err) &&
                state_evidence_import(state, arena, lines.data, lines.length, "again", &added,
                                      &known, &err);
    assert(done);
    assert(added == 0 && known == exported);
}

static void chain_line(Arena *arena, Buffer *lines, json_t *line, const char **previous)
{
    const json_t *record = json_object_get(line, "record");
    if (json_is_object(record)) {
        char hex[HASH_HEX_SIZE];
        _cleanup_free_ char *canonical = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
        const char *both = arena_printf(arena, "%s\n%s", *previous, canonical);
        hash_bytes(both, strlen(both), hex);
        (void)json_object_set_new(line, "previous", json_string(*previous));
        (void)json_object_set_new(line, "hash", json_string(hex));
        *previous = arena_strdup(arena, hex);
    }
    (void)buffer_append_str(lines, json_compact(arena, line));
    (void)buffer_append_char(lines, '\n');
}

/* The hashes stop nearly every mutation, so the text is tried with right ones too. */
static void try_with_right_hashes(Arena *arena, const char *text, size_t size)
{
    const char *previous = "";
    _cleanup_buffer_ Buffer lines;
    buffer_init(&lines, BUFFER_MAX_FILE);
    for (size_t at = 0; at < size;) {
        Error ignored = {0};
        _cleanup_json_ json_t *line = NULL;
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        if (json_parse(text + at, length, "x", &line, &ignored) && json_is_object(line))
            chain_line(arena, &lines, line, &previous);
        at += length + 1;
    }
    try_import(arena, lines.data, lines.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    need_state();
    try_import(arena, (const char *)data, size);
    try_with_right_hashes(arena, (const char *)data, size);
    return 0;
}
