#include "fuzz.h"

#include "migrate/script.h"

#include <assert.h>

typedef bool (*Parse)(Arena *, const char *, const char *, size_t, Script *, Error *);

static void check(Parse parse, const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *text = arena_strndup(arena, (const char *)data, size);
    Script script;
    Error err = {0};
    if (!parse(arena, "f.sql", text, size, &script, &err)) {
        assert(err.code != ERR_NONE && strncmp(err.message, "f.sql:", 6) == 0);
        return;
    }
    assert(script.transaction || script.why_none);
    for (size_t i = 0; i < script.count; i++) {
        Error later = {0};
        (void)error_set(&later, ERR_FAILED, "in: COPY t, line %zu", size);
        later.position = (int)(size % 7);
        assert(!script_fail_in(&script, i, &later));
    }
}

/* The text of a migration, whatever it is, as a way up and as a way down: understood, or refused
 * with a place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(script_parse, data, size);
    check(script_parse_down, data, size);
    return 0;
}
