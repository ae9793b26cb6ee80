#include "pg/cluster_internal.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/str.h"
#include "pg/conninfo.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DEBIAN_SERVERS "/usr/lib/postgresql"
#define MAJOR_FIRST    13
#define MAJOR_LAST     99

/* sun_path less the socket's own name, "/.s.PGSQL.65535.lock". */
#define SOCKET_DIRECTORY_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 22)

/* ---- programs ---------------------------------------------------------------------------- */

static bool has_server(Arena *arena, const char *bindir)
{
    static const char *const programs[] = {"initdb", "postgres", "pg_ctl"};
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (access(path_join(arena, bindir, programs[i]), X_OK) != 0)
            return false;
    }
    return true;
}

static const char *debian_bindir(Arena *arena, int major)
{
    return arena_printf(arena, DEBIAN_SERVERS "/%d/bin", major);
}

/* Server programs: the newest /usr/lib/postgresql/N/bin, else by PATH. */
static bool find_bindir(Arena *arena, const char **bindir, Error *err)
{
    for (int major = MAJOR_LAST; major >= MAJOR_FIRST; major--) {
        *bindir = debian_bindir(arena, major);
        if (has_server(arena, *bindir))
            return true;
    }
    const char *initdb = process_find(arena, "initdb");
    _cleanup_free_ char *resolved = initdb ? realpath(initdb, NULL) : NULL;
    if (resolved) {
        *bindir = path_dirname(arena, resolved);
        if (has_server(arena, *bindir))
            return true;
    }
    (void)error_set(err, ERR_FAILED, "PostgreSQL's server programs were not found");
    return error_hint(err, "apt-get install postgresql-15, or set pg_bindir in vaxdb.ini to the "
                           "folder that holds initdb");
}

static int leading_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    char number[16] = "";
    int64_t value = 0;
    if (digits < sizeof(number))
        memcpy(number, text, digits);
    return str_to_int64(number, 0, 1000, &value) ? (int)value : 0;
}

int cluster_program_major(const Cluster *cluster)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    const char *argv[] = {path_join(arena, cluster->bindir, "postgres"), "--version", NULL};
    ProcessSpec spec = {.argv = argv, .directory = "/"};
    Error ignored = {0};
    if (!process_check(&spec, &out, &ignored))
        return 0;
    const char *number = strpbrk(out.data, "0123456789"); /* "postgres (PostgreSQL) 15.20 ..." */
    return number ? leading_number(number) : 0;
}

int cluster_data_major(const Cluster *cluster)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *text = NULL;
    Error ignored = {0};
    const char *path = path_join(arena, cluster->data, "PG_VERSION");
    return file_read(arena, path, 64, &text, NULL, &ignored) ? leading_number(text) : 0;
}

/* ---- whose it is and where --------------------------------------------------------------- */

static bool choose_user(Arena *arena, const ClusterSpec *spec, Cluster *cluster, Error *err)
{
    if (geteuid() != 0) {
        const struct passwd *own = getpwuid(geteuid());
        cluster->user_name = own ? arena_strdup(arena, own->pw_name) : "";
        return true;
    }
    struct stat status;
    if (stat(cluster->data, &status) == 0 && status.st_uid != 0) { /* it stays whose it is */
        const struct passwd *owner = getpwuid(status.st_uid);
        cluster->uid = status.st_uid;
        cluster->gid = status.st_gid;
        cluster->user_name = owner ? arena_strdup(arena, owner->pw_name) : "?";
        return true;
    }
    const char *const candidates[] = {spec->user, "vaxdb", "postgres"};
    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        if (candidates[i] && process_user(candidates[i], &cluster->uid, &cluster->gid)) {
            cluster->user_name = candidates[i];
            return true;
        }
    }
    (void)error_set(err, ERR_FAILED,
                    "PostgreSQL refuses to run as root, and there is neither a user vaxdb nor "
                    "postgres to run it as");
    return error_hint(err, "adduser --system --group vaxdb");
}

/* The socket lives beside the data where the path is short enough; else in a folder under /tmp
 * whose name follows from the path, so that every later call finds it. */
static const char *choose_socket_directory(Arena *arena, const Cluster *cluster)
{
    const char *beside = path_join(arena, cluster->directory, "run");
    if (strlen(beside) <= SOCKET_DIRECTORY_MAX)
        return beside;
    char hex[HASH_HEX_SIZE];
    hash_bytes(cluster->directory, strlen(cluster->directory), hex);
    return arena_printf(arena, "/tmp/vaxdb-%u-%.16s", (unsigned)geteuid(), hex);
}

bool cluster_open(Arena *arena, const ClusterSpec *spec, Cluster *cluster, Error *err)
{
    *cluster = (Cluster){.arena = arena, .directory = spec->directory, .scratch = spec->scratch};
    cluster->data = path_join(arena, spec->directory, "data");
    cluster->log_path = path_join(arena, spec->directory, "server.log");
    if (!choose_user(arena, spec, cluster, err))
        return false;
    cluster->socket_directory = choose_socket_directory(arena, cluster);
    int major = cluster_data_major(cluster);
    if (!major)
        major = spec->major;
    if (spec->bindir) {
        cluster->bindir = spec->bindir;
        if (!has_server(arena, spec->bindir))
            return error_set(err, ERR_USAGE, "pg_bindir: there is no PostgreSQL server in %s",
                             spec->bindir);
    } else if (major && has_server(arena, debian_bindir(arena, major))) {
        cluster->bindir = debian_bindir(arena, major); /* the one that can read the data */
    } else if (!find_bindir(arena, &cluster->bindir, err)) {
        return false;
    }
    char *text = NULL;
    Error ignored = {0};
    int64_t port = 0;
    if (file_read(arena, path_join(arena, spec->directory, "port"), 64, &text, NULL, &ignored) &&
        str_to_int64(str_trim(text), 1, 65535, &port))
        cluster->port = (int)port;
    if (file_read(arena, path_join(arena, spec->directory, "password"), 256, &text, NULL, &ignored))
        cluster->password = str_trim(text);
    return true;
}

pid_t cluster_postmaster(const Cluster *cluster)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *text = NULL;
    Error ignored = {0};
    const char *path = path_join(arena, cluster->data, "postmaster.pid");
    if (!file_read(arena, path, 65536, &text, NULL, &ignored))
        return 0;
    text[strcspn(text, "\n")] = '\0';
    int64_t pid = 0;
    if (!str_to_int64(text, 2, INT32_MAX, &pid))
        return 0;
    /* A pid outlives its process: after a crash the number may be anybody's. */
    char *name = NULL;
    const char *comm = arena_printf(arena, "/proc/%lld/comm", (long long)pid);
    if (!file_read(arena, comm, 64, &name, NULL, &ignored) || !str_starts(name, "postgres"))
        return 0;
    /* Nor is another server this one: each works in its own data directory. */
    struct stat working;
    struct stat data;
    const char *cwd = arena_printf(arena, "/proc/%lld/cwd", (long long)pid);
    if (stat(cwd, &working) == 0 && stat(cluster->data, &data) == 0 &&
        (working.st_ino != data.st_ino || working.st_dev != data.st_dev))
        return 0;
    return (pid_t)pid;
}

bool cluster_is_isolated(const Cluster *cluster)
{
    _cleanup_arena_ Arena *arena = arena_create();
    struct stat ours;
    struct stat theirs;
    pid_t pid = cluster_postmaster(cluster);
    const char *network = arena_printf(arena, "/proc/%d/ns/net", (int)pid);
    return pid && stat("/proc/self/ns/net", &ours) == 0 && stat(network, &theirs) == 0 &&
           ours.st_ino != theirs.st_ino;
}

ClusterState cluster_state(const Cluster *cluster)
{
    int data_major = cluster_data_major(cluster);
    if (!data_major)
        return CLUSTER_ABSENT;
    if (cluster_postmaster(cluster))
        return CLUSTER_RUNNING;
    return data_major == cluster_program_major(cluster) ? CLUSTER_STOPPED : CLUSTER_OTHER_VERSION;
}

/* ---- addresses --------------------------------------------------------------------------- */

char *cluster_conninfo(const Cluster *cluster, Arena *arena, const char *dbname)
{
    return arena_printf(arena, "host=%s port=%d user=vaxdb password=%s dbname=%s",
                        conninfo_quote(arena, cluster->socket_directory), cluster->port,
                        cluster->password ? cluster->password : "''",
                        conninfo_quote(arena, dbname));
}

char *cluster_url(const Cluster *cluster, Arena *arena, const char *dbname, bool with_password)
{
    const char *password = with_password && cluster->password ? cluster->password : "";
    return arena_printf(arena, "postgresql://vaxdb%s%s@127.0.0.1:%d/%s", *password ? ":" : "",
                        password, cluster->port, dbname);
}

bool cluster_give(const Cluster *cluster, const char *path, Error *err)
{
    if (geteuid() == 0 && lchown(path, cluster->uid, cluster->gid) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot give %s to user %s", path,
                               cluster->user_name);
    return true;
}

bool cluster_run(const Cluster *cluster, const char *const *argv, bool outlives_us, Error *err)
{
    static const char *const environment[] = {"LC_ALL=C.UTF-8", NULL};
    ProcessSpec spec = {.argv = argv,
                        .environment = environment,
                        .directory = "/",
                        .uid = cluster->uid,
                        .gid = cluster->gid,
                        .no_network = cluster->scratch,
                        .bare_environment = true, /* SQL can read the server's */
                        .outlives_us = outlives_us};
    return process_check(&spec, NULL, err);
}
