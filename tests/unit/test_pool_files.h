/* Files of a pooler's configuration in memory: pairs of a path and its text, NULL at the end. */
#pragma once

#include "base/str.h"
#include "pool/files.h"

static inline bool read_memory(const PoolFiles *files, Arena *arena, const char *path, char **text,
                               size_t *length, Error *err)
{
    for (const char *const *at = files->context; *at; at += 2) {
        if (str_equal(at[0], path)) {
            *text = arena_strdup(arena, at[1]);
            *length = strlen(at[1]);
            return true;
        }
    }
    return error_set(err, ERR_USAGE, "cannot read %s: there is none", path);
}
