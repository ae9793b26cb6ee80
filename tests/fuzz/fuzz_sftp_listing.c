#include "fuzz.h"

#include "store/sftp_listing.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StoreList list;
    Error err = {0};
    if (!sftp_listing_parse(arena, (const char *)data, size, &list, &err)) {
        assert(err.code == ERR_FAILED);
        return 0;
    }
    size_t names = 0;
    for (size_t i = 0; i < list.count; i++) {
        const StoreObject *object = &list.items[i];
        assert(*object->name && object->bytes >= 0);
        assert(!strpbrk(object->name, "/\n"));
        names += strlen(object->name);
    }
    assert(names <= size);
    return 0;
}
