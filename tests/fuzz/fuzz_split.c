#include "fuzz.h"

#include "pg/split.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    SqlPieces pieces = {0};
    Error err = {0};
    if (!sql_split(arena, (const char *)data, size, &pieces, &err)) {
        assert(err.code != ERR_NONE && err.message[0]);
        assert(pieces.problem <= size);
        return 0;
    }
    size_t end = 0;
    for (size_t i = 0; i < pieces.count; i++) {
        const SqlPiece *piece = &pieces.items[i];
        assert(piece->start >= end && piece->length > 0);
        end = piece->start + piece->length;
        assert(end <= size && piece->line >= 1);
        if (piece->copy) {
            assert(piece->data >= end);
            end = piece->data + piece->data_length;
            assert(end <= size);
        }
    }
    return 0;
}
