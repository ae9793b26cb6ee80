#include "fuzz.h"

#include "pg/parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Statement statement = {0};
    Error syntax = {0};
    statement_classify(arena, (const char *)data, size, &statement, &syntax);
    assert(statement.tag);
    assert(statement.analysed == (syntax.code == ERR_NONE));
    return 0;
}
