/* Which pg_dump, and which pg_restore for what it writes: of the server's major or newer, best of
 * the same. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

typedef struct {
    const char *path;
    const char *restore; /* pg_restore, once pg_restore_find was asked */
    const char *version; /* "15.20 (Debian 15.20-0+deb12u1)" */
    int major;
} PgDump;

/* Looks in bindir (the setting pg_bindir; may be NULL), in Debian's folders of every major, and in
 * PATH. server_version is 150020. None that can read the server is ERR_FAILED naming the package.
 */
bool pg_dump_find(Arena *arena, const char *bindir, int server_version, PgDump *found,
                  Error *err) MUST_CHECK;
/* Fills found->restore: a pg_restore that reads what this pg_dump writes. */
bool pg_restore_find(Arena *arena, const char *bindir, PgDump *found, Error *err) MUST_CHECK;
/* A pg_dumpall of this pg_dump's major or newer. */
bool pg_dumpall_find(Arena *arena, const char *bindir, const PgDump *tool, const char **path,
                     Error *err) MUST_CHECK;
