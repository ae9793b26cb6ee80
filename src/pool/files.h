/* Where the pooler's files are read from: the disk, or a test's memory. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define POOL_FILE_MAX ((size_t)64 << 20)

typedef struct PoolFiles PoolFiles;
struct PoolFiles {
    /* The whole file, NUL-terminated in the arena and nowhere else: it may hold passwords. The
     * error's message names the file. */
    bool (*read)(const PoolFiles *files, Arena *arena, const char *path, char **text,
                 size_t *length, Error *err);
    const void *context;
};

/* Regular files of at most POOL_FILE_MAX; relative paths start at the working directory. */
extern const PoolFiles pool_files_disk;
