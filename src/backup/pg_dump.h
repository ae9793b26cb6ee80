/* Which pg_dump: it must be of the server's major or newer, and is best of the same. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

typedef struct {
    const char *path;
    const char *version; /* "15.20 (Debian 15.20-0+deb12u1)" */
    int major;
} PgDump;

/* Looks in bindir (the setting pg_bindir; may be NULL), in Debian's folders of every major, and in
 * PATH. server_version is 150020. None that can read the server is ERR_FAILED naming the package.
 */
bool pg_dump_find(Arena *arena, const char *bindir, int server_version, PgDump *found,
                  Error *err) MUST_CHECK;
