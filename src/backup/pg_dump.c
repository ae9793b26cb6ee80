#include "backup/pg_dump.h"

#include "base/file.h"
#include "base/process.h"
#include "base/str.h"

#include <string.h>

#define DEBIAN_FOLDER "/usr/lib/postgresql"

/* "pg_dump (PostgreSQL) 15.20 (Debian ...)" */
static bool ask_version(Arena *arena, const char *program, const char *path, PgDump *tool)
{
    const char *prefix = arena_printf(arena, "%s (PostgreSQL) ", program);
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

typedef struct {
    Arena *arena;
    const char *program;
    int major;     /* that it must have, or more */
    PgDump best;   /* the lowest such: output nearest to what the server's own would be */
    PgDump newest; /* of all that are here */
} Search;

static void consider(Search *search, const char *path)
{
    PgDump tool = {0};
    if (!path || access(path, X_OK) != 0 ||
        !ask_version(search->arena, search->program, path, &tool))
        return;
    if (tool.major > search->newest.major)
        search->newest = tool;
    if (tool.major >= search->major && (!search->best.path || tool.major < search->best.major))
        search->best = tool;
}

static void search_program(Search *search, const char *bindir)
{
    Arena *arena = search->arena;
    if (bindir)
        consider(search, path_join(arena, bindir, search->program));
    StrList majors;
    str_list_init(&majors, arena);
    Error ignored = {0};
    if (file_is_directory(DEBIAN_FOLDER) &&
        directory_list(arena, DEBIAN_FOLDER, &majors, &ignored)) {
        for (size_t i = 0; i < majors.count; i++)
            consider(search, arena_printf(arena, DEBIAN_FOLDER "/%s/bin/%s", majors.items[i],
                                          search->program));
    }
    if (!search->best.path)
        consider(search, process_find(arena, search->program));
}

bool pg_dump_find(Arena *arena, const char *bindir, int server_version, PgDump *found, Error *err)
{
    int major = server_version / 10000;
    Search search = {.arena = arena, .program = "pg_dump", .major = major};
    search_program(&search, bindir);
    if (search.best.path) {
        *found = search.best;
        return true;
    }
    if (search.newest.path)
        (void)error_set(err, ERR_FAILED,
                        "the server is PostgreSQL %d, and the newest pg_dump here is of version "
                        "%d, which refuses newer servers",
                        major, search.newest.major);
    else
        (void)error_set(err, ERR_FAILED, "there is no pg_dump on this machine");
    return error_hint(err,
                      "install the package postgresql-client-%d (apt-get install "
                      "postgresql-client-%d; majors that your distribution lacks are in the apt "
                      "repository of the PostgreSQL project)",
                      major, major);
}

static bool find_companion(Arena *arena, const char *program, const char *bindir, int major,
                           const char **path, Error *err)
{
    Search search = {.arena = arena, .program = program, .major = major};
    search_program(&search, bindir);
    *path = search.best.path;
    if (*path)
        return true;
    (void)error_set(err, ERR_FAILED,
                    "there is no %s on this machine that belongs to pg_dump %d or is newer",
                    program, major);
    return error_hint(err, "install the package postgresql-client-%d", major);
}

bool pg_restore_find(Arena *arena, const char *bindir, PgDump *found, Error *err)
{
    return find_companion(arena, "pg_restore", bindir, found->major, &found->restore, err);
}

bool pg_dumpall_find(Arena *arena, const char *bindir, const PgDump *tool, const char **path,
                     Error *err)
{
    return find_companion(arena, "pg_dumpall", bindir, tool->major, path, err);
}
