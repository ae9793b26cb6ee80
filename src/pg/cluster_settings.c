#include "pg/cluster_internal.h"

#include "base/file.h"
#include "pg/session.h"

#include <sys/sysinfo.h>

#define MIB ((int64_t)1024 * 1024)
#define GIB (1024 * MIB)

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

/* pgtune's published rules for a mixed load, capped for a machine that does other work too. */
static void add_memory(Buffer *text)
{
    struct sysinfo info = {0};
    (void)sysinfo(&info);
    int64_t ram = (int64_t)info.totalram * info.mem_unit;
    int64_t shared_buffers = clamp(ram / 4, 64 * MIB, 2 * GIB);
    int64_t work_mem = clamp((ram - shared_buffers) / (3 * 108) / 2, 4 * MIB, 64 * MIB);
    (void)buffer_printf(text,
                        "shared_buffers = %lldMB\n"
                        "effective_cache_size = %lldMB\n"
                        "maintenance_work_mem = %lldMB\n"
                        "work_mem = %lldMB\n",
                        (long long)(shared_buffers / MIB), (long long)(ram * 3 / 4 / MIB),
                        (long long)(clamp(ram / 16, 64 * MIB, 512 * MIB) / MIB),
                        (long long)(work_mem / MIB));
}

/* A preloaded library that is not installed would keep the server from starting. */
static bool has_library(Arena *arena, const Cluster *cluster, const char *library)
{
    static const char *const folders[] = {"../lib", "../lib/postgresql"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        const char *folder = path_join(arena, cluster->bindir, folders[i]);
        if (file_exists(arena_printf(arena, "%s/%s.so", folder, library)))
            return true;
    }
    return false;
}

/* A value between quotes in postgresql.conf. */
static char *quoted(Arena *arena, const char *text)
{
    return sql_literal(arena, text);
}

/* Restored SQL may bring subscriptions and jobs: nothing of it may begin to work. */
static const char scratch_settings[] = "shared_preload_libraries = ''\n"
                                       "session_preload_libraries = ''\n"
                                       "local_preload_libraries = ''\n"
                                       "max_logical_replication_workers = 0\n"
                                       "max_wal_senders = 0\n"
                                       "archive_mode = off\n";

bool cluster_write_settings(const Cluster *cluster, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_LINE);
    (void)buffer_append_str(&text,
                            "# Written by vaxdb at every start: put changes of your own into "
                            "postgresql.conf below the include, or ALTER SYSTEM.\n");
    (void)buffer_printf(&text,
                        "listen_addresses = '%s'\n"
                        "port = %d\n"
                        "unix_socket_directories = %s\n"
                        "unix_socket_permissions = 0700\n"
                        "password_encryption = scram-sha-256\n"
                        "max_connections = 100\n"
                        "max_wal_size = 4GB\n"
                        "checkpoint_completion_target = 0.9\n"
                        "random_page_cost = 1.1\n"
                        "effective_io_concurrency = 200\n"
                        "track_io_timing = on\n"
                        "timezone = 'UTC'\n"
                        "log_timezone = 'UTC'\n",
                        cluster->scratch ? "" : "127.0.0.1", cluster->port,
                        quoted(arena, cluster->socket_directory));
    add_memory(&text);
    if (cluster->scratch)
        (void)buffer_append_str(&text, scratch_settings);
    else if (has_library(arena, cluster, "pg_stat_statements"))
        (void)buffer_append_str(&text, "shared_preload_libraries = 'pg_stat_statements'\n"
                                       "pg_stat_statements.max = 10000\n");
    const char *path = path_join(arena, cluster->data, "vaxdb.conf");
    return buffer_check(&text, path, err) &&
           file_write_atomic(path, text.data, text.length, 0600, err) &&
           cluster_give(cluster, path, err);
}
