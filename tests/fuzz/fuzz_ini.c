#include "fuzz.h"

#include "base/str.h"
#include "conf/ini.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Ini ini = {0};
    Error err = {0};
    if (!ini_parse(arena, "fuzz.ini", (const char *)data, size, &ini, &err)) {
        assert(err.code == ERR_USAGE);
        assert(str_starts(err.message, "fuzz.ini:"));
        return 0;
    }
    int line = 0;
    for (size_t i = 0; i < ini.count; i++) {
        const IniEntry *entry = &ini.entries[i];
        assert(entry->line > line);
        line = entry->line;
        assert(*entry->key && !strchr(entry->value, '\n'));
        assert(ini_find(&ini, entry->section, entry->key) == entry);
    }
    return 0;
}
