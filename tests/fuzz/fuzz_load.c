#include "fuzz.h"

#include "backup/load_statement.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LoadStatement statement;
    load_statement_read(arena, arena_strndup(arena, (const char *)data, size), &statement);
    assert((statement.kind == LOAD_SETTING) == (statement.setting != NULL));
    assert((statement.index_sql != NULL) == (statement.attach_sql != NULL));
    if (statement.index_sql || statement.kind == LOAD_INDEX || statement.kind == LOAD_REFERENCE)
        assert(statement.name);
    if (statement.kind == LOAD_REFERENCE)
        assert(statement.to_name);
    return 0;
}
