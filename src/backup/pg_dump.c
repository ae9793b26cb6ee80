#include "backup/pg_dump.h"

#include "base/file.h"
#include "base/process.h"
#include "base/str.h"

#include <string.h>

#define DEBIAN_FOLDER "/usr/lib/postgresql"

/* "pg_dump (PostgreSQL) 15.20 (Debian ...)" */
static bool ask_version(Arena *arena, const char *path, PgDump *tool)
{
    static const char prefix[] = "pg_dump (PostgreSQL) ";
    const char *argv[] = {path, "--version", NULL};
    ProcessSpec spec = {.argv = argv, .timeout_ms = 10000};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    Error ignored = {0};
    if (!process_check(&spec, &out, &ignored) || !str_starts(out.data, prefix))
        return false;
    tool->version = arena_strdup(arena, str_trim(out.data + strlen(prefix)));
    tool->path = arena_strdup(arena, path);
    int64_t major = 0;
    size_t digits = strspn(tool->version, "0123456789");
    if (!str_to_int64(arena_strndup(arena, tool->version, digits), 1, 1000, &major))
        return false;
    tool->major = (int)major;
    return true;
}

/* The lowest major that can read the server: output nearest to what the server's own would be. */
static void consider(Arena *arena, const char *path, int server_major, PgDump *best, PgDump *newest)
{
    PgDump tool = {0};
    if (!path || access(path, X_OK) != 0 || !ask_version(arena, path, &tool))
        return;
    if (tool.major > newest->major)
        *newest = tool;
    if (tool.major >= server_major && (!best->path || tool.major < best->major))
        *best = tool;
}

bool pg_dump_find(Arena *arena, const char *bindir, int server_version, PgDump *found, Error *err)
{
    int major = server_version / 10000;
    PgDump best = {0};
    PgDump newest = {0};
    if (bindir)
        consider(arena, path_join(arena, bindir, "pg_dump"), major, &best, &newest);
    StrList majors;
    str_list_init(&majors, arena);
    Error ignored = {0};
    if (file_is_directory(DEBIAN_FOLDER) &&
        directory_list(arena, DEBIAN_FOLDER, &majors, &ignored)) {
        for (size_t i = 0; i < majors.count; i++)
            consider(arena, arena_printf(arena, DEBIAN_FOLDER "/%s/bin/pg_dump", majors.items[i]),
                     major, &best, &newest);
    }
    if (!best.path)
        consider(arena, process_find(arena, "pg_dump"), major, &best, &newest);
    if (best.path) {
        *found = best;
        return true;
    }
    if (newest.path)
        (void)error_set(err, ERR_FAILED,
                        "the server is PostgreSQL %d, and the newest pg_dump here is of version "
                        "%d, which refuses newer servers",
                        major, newest.major);
    else
        (void)error_set(err, ERR_FAILED, "there is no pg_dump on this machine");
    return error_hint(err,
                      "install the package postgresql-client-%d (apt-get install "
                      "postgresql-client-%d; majors that your distribution lacks are in the apt "
                      "repository of the PostgreSQL project)",
                      major, major);
}
