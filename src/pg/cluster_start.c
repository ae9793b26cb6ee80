#include "pg/cluster_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "pg/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LOCK_WAIT_MS   ((int64_t)180000)
#define START_ATTEMPTS 5
#define LOG_TAIL_BYTES 1500
#define INITDB_BYTES   ((int64_t)80 * 1024 * 1024) /* what a fresh cluster takes, with its WAL */

/* ---- ports ------------------------------------------------------------------------------- */

/* Binds to the port (0: any free one) on loopback and lets go of it. The port, or 0 when taken. */
static int try_port(int port)
{
    _cleanup_close_ int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(descriptor, (struct sockaddr *)&address, size) != 0 || listen(descriptor, 1) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static bool choose_port(Cluster *cluster, Log *log, Error *err)
{
    int port = cluster->port ? try_port(cluster->port) : 0;
    if (port)
        return true;
    port = try_port(0);
    if (!port)
        return error_set_errno(err, ERR_FAILED, errno, "no free port on 127.0.0.1");
    if (cluster->port)
        log_warn(log, "port %d is taken by another program; the private PostgreSQL moves to %d",
                 cluster->port, port);
    cluster->port = port;
    char text[16];
    int length = snprintf(text, sizeof(text), "%d\n", port);
    return file_write_atomic(path_join(cluster->arena, cluster->directory, "port"), text,
                             (size_t)length, 0600, err);
}

/* ---- folders ----------------------------------------------------------------------------- */

/* The server's user must be able to walk to the folder: a state directory in a closed home of root
 * would fail in initdb with a message nobody understands. */
static bool check_reachable(const Cluster *cluster, Error *err)
{
    if (geteuid() != 0)
        return true;
    _cleanup_arena_ Arena *arena = arena_create();
    const char *folder = path_dirname(arena, cluster->directory);
    for (; !str_equal(folder, "/") && !str_equal(folder, ".");
         folder = path_dirname(arena, folder)) {
        struct stat status;
        if (stat(folder, &status) != 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot look at %s", folder);
        bool open = (status.st_mode & S_IXOTH) ||
                    (status.st_uid == cluster->uid && (status.st_mode & S_IXUSR)) ||
                    (status.st_gid == cluster->gid && (status.st_mode & S_IXGRP));
        if (open)
            continue;
        (void)error_set(err, ERR_FAILED,
                        "the server runs as user %s, who cannot enter %s (the state directory is "
                        "in it)",
                        cluster->user_name, folder);
        return error_hint(err, "set VAXDB_STATE_DIR to a folder that others may enter, such as "
                               "/var/lib/vaxdb");
    }
    return true;
}

static bool make_own_directory(const Cluster *cluster, const char *path, Error *err)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return error_set_errno(err, ERR_FAILED, errno, "cannot make folder %s", path);
        if (!cluster_give(cluster, path, err))
            return false;
        if (lstat(path, &status) != 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot look at %s", path);
    }
    uid_t owner = geteuid() == 0 ? cluster->uid : geteuid();
    if (!S_ISDIR(status.st_mode) || status.st_uid != owner) {
        (void)error_set(err, ERR_FAILED, "%s does not belong to user %s", path, cluster->user_name);
        return error_hint(err, "run vaxdb as its owner, or set another VAXDB_STATE_DIR");
    }
    return true;
}

static bool make_directories(const Cluster *cluster, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    mode_t mode = geteuid() == 0 ? 0711 : 0700;
    return directory_make(path_dirname(arena, cluster->directory), mode, err) &&
           check_reachable(cluster, err) && make_own_directory(cluster, cluster->directory, err) &&
           make_own_directory(cluster, cluster->socket_directory, err);
}

/* ---- initdb ------------------------------------------------------------------------------ */

static bool make_password(Cluster *cluster, Error *err)
{
    unsigned char bytes[24];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return error_set_errno(err, ERR_FAILED, errno, "no random numbers from the kernel");
    char *text = arena_alloc(cluster->arena, sizeof(bytes) * 2 + 2);
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    const char *path = path_join(cluster->arena, cluster->directory, "password");
    cluster->password = text;
    return file_write_atomic(path, text, strlen(text), 0600, err) &&
           cluster_give(cluster, path, err);
}

static bool append_include(const char *data, Error *err)
{
    static const char line[] = "\n# vaxdb's settings; what stands below this line wins\n"
                               "include_if_exists = 'vaxdb.conf'\n";
    _cleanup_arena_ Arena *arena = arena_create();
    const char *path = path_join(arena, data, "postgresql.conf");
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", path);
    return file_write_all(descriptor, line, strlen(line), path, err);
}

/* Into data.new, renamed when complete: a data directory is whole or not there. */
static bool run_initdb(Cluster *cluster, Error *err)
{
    Arena *arena = cluster->arena;
    int64_t free_bytes = 0;
    if (!disk_free_bytes(cluster->directory, &free_bytes, err))
        return false;
    if (free_bytes < INITDB_BYTES) {
        (void)error_set(
            err, ERR_FAILED, "the disk is full: a PostgreSQL needs %s in %s, and %s are free",
            str_bytes(arena, INITDB_BYTES), cluster->directory, str_bytes(arena, free_bytes));
        return error_hint(err, "free some space, or set VAXDB_STATE_DIR to a folder elsewhere");
    }
    const char *fresh = path_join(arena, cluster->directory, "data.new");
    if (!directory_remove(fresh, err) || !make_password(cluster, err))
        return false;
    const char *argv[] = {path_join(arena, cluster->bindir, "initdb"),
                          "-D",
                          fresh,
                          "-U",
                          "vaxdb",
                          "--pwfile",
                          path_join(arena, cluster->directory, "password"),
                          "--auth=scram-sha-256",
                          "--encoding=UTF8",
                          "--locale=C.UTF-8",
                          "--data-checksums",
                          NULL};
    Error ignored = {0};
    if (!cluster_run(cluster, argv, !cluster->scratch, err) || !append_include(fresh, err)) {
        (void)!directory_remove(fresh, &ignored);
        return error_context(err, "cannot create the private PostgreSQL in %s", cluster->directory);
    }
    if (rename(fresh, cluster->data) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot name %s", cluster->data);
    return file_sync_directory(cluster->directory, err);
}

/* ---- start and stop ---------------------------------------------------------------------- */

/* The end of the server's log: its own words of why it did not start. */
static const char *log_tail(Arena *arena, const Cluster *cluster)
{
    _cleanup_close_ int descriptor = open(cluster->log_path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return "";
    off_t size = lseek(descriptor, 0, SEEK_END);
    off_t from = size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0;
    char *text = arena_alloc(arena, LOG_TAIL_BYTES + 1);
    ssize_t got = pread(descriptor, text, LOG_TAIL_BYTES, from);
    if (got <= 0)
        return "";
    char *line = from ? strchr(text, '\n') : NULL;
    return str_trim(line ? line : text);
}

/* postmaster.pid of a crash whose number another program of the same user has now: PostgreSQL would
 * take that program for a running server. */
static bool remove_stale_pid_file(const Cluster *cluster, Log *log, Error *err)
{
    const char *path = path_join(cluster->arena, cluster->data, "postmaster.pid");
    if (!file_exists(path) || cluster_postmaster(cluster))
        return true;
    log_info(log, "The private PostgreSQL was not shut down in order; it recovers now");
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(err, ERR_FAILED, errno, "cannot remove the stale %s", path);
    return true;
}

static bool start_once(Cluster *cluster, Log *log, Error *err)
{
    if (!remove_stale_pid_file(cluster, log, err) || !choose_port(cluster, log, err) ||
        !cluster_write_settings(cluster, err))
        return false;
    const char *argv[] = {path_join(cluster->arena, cluster->bindir, "pg_ctl"),
                          "start",
                          "-D",
                          cluster->data,
                          "-l",
                          cluster->log_path,
                          "-w",
                          "-t",
                          "120",
                          "-s",
                          NULL};
    if (cluster_run(cluster, argv, true, err))
        return true;
    (void)error_set(err, ERR_FAILED, "the private PostgreSQL did not start. Its log says:\n%s",
                    log_tail(cluster->arena, cluster));
    return error_hint(err, "the whole log is %s", cluster->log_path);
}

/* After kill -9 of the server its last children need a moment to notice, and a port can be taken
 * between our look and the server's: both pass. */
static bool start(Cluster *cluster, Log *log, Error *err)
{
    for (int attempt = 1;; attempt++) {
        if (start_once(cluster, log, err))
            return true;
        bool passing = strstr(err->message, "shared memory block") ||
                       strstr(err->message, "Address already in use");
        if (err->code == ERR_INTERRUPTED || attempt == START_ATTEMPTS || !passing)
            return false;
        if (!clock_sleep_ms(1000))
            return interrupt_check(err);
    }
}

static bool refuse_other_version(const Cluster *cluster, Error *err)
{
    int major = cluster_data_major(cluster);
    (void)error_set(err, ERR_FAILED,
                    "%s was made by PostgreSQL %d, but the programs in %s are of PostgreSQL %d; "
                    "nothing was changed",
                    cluster->data, major, cluster->bindir, cluster_program_major(cluster));
    return error_hint(err,
                      "apt-get install postgresql-%d, or `vaxdb dev reset` to begin anew "
                      "(deletes its data)",
                      major);
}

bool cluster_ensure_running(Cluster *cluster, Log *log, bool *created, Error *err)
{
    if (created)
        *created = false;
    if (!make_directories(cluster, err))
        return false;
    _cleanup_close_ int lock = -1;
    const char *lock_path = path_join(cluster->arena, cluster->directory, "lock");
    if (!file_lock(lock_path, LOCK_WAIT_MS, "a start of the private PostgreSQL", &lock, err))
        return false;
    /* Another start may have created it, or moved it to another port, while we waited. */
    ClusterSpec spec = {.directory = cluster->directory,
                        .bindir = cluster->bindir,
                        .user = geteuid() == 0 ? cluster->user_name : NULL,
                        .scratch = cluster->scratch};
    Cluster again;
    if (!cluster_open(cluster->arena, &spec, &again, err))
        return false;
    *cluster = again;
    switch (cluster_state(cluster)) {
    case CLUSTER_RUNNING:
        return true;
    case CLUSTER_OTHER_VERSION:
        return refuse_other_version(cluster, err);
    case CLUSTER_ABSENT:
        if (file_exists(cluster->data)) {
            (void)error_set(err, ERR_FAILED, "%s is there but is no PostgreSQL data folder",
                            cluster->data);
            return error_hint(err, "look at it and move it away");
        }
        if (!run_initdb(cluster, err))
            return false;
        if (created)
            *created = true;
        return start(cluster, log, err);
    case CLUSTER_STOPPED:
        return start(cluster, log, err);
    }
    return true;
}

bool cluster_stop(Cluster *cluster, Error *err)
{
    if (!cluster_postmaster(cluster))
        return true;
    const char *program = path_join(cluster->arena, cluster->bindir, "pg_ctl");
    const char *fast[] = {program, "stop", "-D", cluster->data, "-m", "fast",
                          "-w",    "-t",   "30", "-s",          NULL};
    if (!cluster->scratch && cluster_run(cluster, fast, true, err))
        return true;
    const char *immediate[] = {program, "stop", "-D", cluster->data, "-m", "immediate",
                               "-w",    "-t",   "30", "-s",          NULL};
    return !cluster_postmaster(cluster) || cluster_run(cluster, immediate, true, err);
}

bool cluster_remove(Cluster *cluster, Error *err)
{
    if (!cluster_stop(cluster, err) || !directory_remove(cluster->directory, err))
        return false;
    bool beside = str_starts(cluster->socket_directory, cluster->directory);
    return beside || directory_remove(cluster->socket_directory, err);
}
