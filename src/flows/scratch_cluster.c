#include "flows/scratch_cluster.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define ATTEMPTS    20

static const char *folder_of(Arena *arena, const char *state_directory)
{
    return path_join(arena, state_directory, "scratch");
}

/* Locks the tag at path, opened with flags; -1 when it cannot be had, or was removed meanwhile. */
static int lock_tag(const char *path, int flags)
{
    struct stat ours;
    struct stat there;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (descriptor < 0)
        return -1;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &ours) == 0 &&
        lstat(path, &there) == 0 && ours.st_ino == there.st_ino)
        return descriptor;
    (void)close(descriptor);
    return -1;
}

/* ---- what dead runs left ----------------------------------------------------------------- */

static bool remove_cluster(Arena *arena, const char *directory, Error *err)
{
    ClusterSpec spec = {.directory = directory, .user = SCRATCH_CLUSTER_USER, .scratch = true};
    Cluster cluster;
    return cluster_open(arena, &spec, &cluster, err) && cluster_remove(&cluster, err);
}

static void sweep(Arena *arena, Log *log, const char *folder)
{
    StrList names;
    Error error = {0};
    str_list_init(&names, arena);
    if (!file_is_directory(folder) || !directory_list(arena, folder, &names, &error))
        return;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = path_join(arena, folder, names.items[i]);
        if (!str_ends(path, LOCK_SUFFIX))
            continue;
        _cleanup_close_ int lock = lock_tag(path, 0);
        if (lock < 0)
            continue; /* its owner lives */
        const char *directory = arena_strndup(arena, path, strlen(path) - strlen(LOCK_SUFFIX));
        bool was_there = file_exists(directory);
        if (was_there && !remove_cluster(arena, directory, &error)) {
            log_warn(log, "cannot remove %s, left by a run that was killed: %s", directory,
                     error.message);
            continue;
        }
        (void)unlink(path);
        if (was_there)
            log_info(log, "Removed %s, left by a run that was killed", directory);
    }
}

/* ---- making one -------------------------------------------------------------------------- */

static bool check_user(Error *err)
{
    uid_t uid = 0;
    gid_t gid = 0;
    if (geteuid() != 0 || process_user(SCRATCH_CLUSTER_USER, &uid, &gid))
        return true;
    (void)error_set(err, ERR_FAILED,
                    "run by root, a scratch cluster belongs to the user " SCRATCH_CLUSTER_USER
                    ", who does not exist: restored SQL must not run as the owner of other files");
    return error_hint(err, "adduser --system --group " SCRATCH_CLUSTER_USER
                           ", or name a server to restore on with --on");
}

/* Programs of the wanted major: where the setting says, else where Debian has them, else newer. */
static bool choose_programs(ScratchCluster *scratch, const ScratchClusterSpec *spec,
                            const char *directory, Error *err)
{
    Error ignored = {0};
    ClusterSpec cluster = {.directory = directory,
                           .bindir = spec->bindir,
                           .user = SCRATCH_CLUSTER_USER,
                           .major = spec->major,
                           .scratch = true};
    bool opened =
        spec->bindir && cluster_open(scratch->arena, &cluster, &scratch->cluster, &ignored);
    scratch->major = opened ? cluster_program_major(&scratch->cluster) : 0;
    if (opened && (!spec->major || scratch->major == spec->major))
        return true;
    cluster.bindir = NULL;
    if (!cluster_open(scratch->arena, &cluster, &scratch->cluster, err))
        return false;
    scratch->major = cluster_program_major(&scratch->cluster);
    if (scratch->major < spec->major) {
        (void)error_set(err, ERR_FAILED,
                        "the backup is of PostgreSQL %d, and the newest server here is of %d",
                        spec->major, scratch->major);
        return error_hint(err,
                          "apt-get install postgresql-%d (or set pg_bindir to its programs), or "
                          "name a server to restore on with --on",
                          spec->major);
    }
    if (spec->major && scratch->major != spec->major)
        log_warn(scratch->log, "PostgreSQL %d is not installed here: PostgreSQL %d is taken",
                 spec->major, scratch->major);
    return true;
}

/* A name nobody has, its tag locked. */
static bool claim(ScratchCluster *scratch, const char *folder, const char *kind,
                  const char **directory, Error *err)
{
    Arena *arena = scratch->arena;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t noise = 0;
        if (getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
            noise = (uint32_t)clock_monotonic_us();
        const char *name =
            arena_printf(arena, "%s_%s_%08x", kind, clock_name_utc(arena, clock_unix_s()), noise);
        const char *path = path_join(arena, folder, name);
        const char *lock_path = arena_printf(arena, "%s%s", path, LOCK_SUFFIX);
        scratch->lock = lock_tag(lock_path, O_CREAT | O_EXCL);
        if (scratch->lock >= 0) {
            scratch->lock_path = lock_path;
            *directory = path;
            return true;
        }
        if (errno == EACCES || errno == EROFS || errno == ENOSPC || errno == EDQUOT)
            break;
    }
    return error_set_errno(err, ERR_FAILED, errno, "cannot make a scratch cluster in %s", folder);
}

bool scratch_cluster_create(Arena *arena, Log *log, const ScratchClusterSpec *spec,
                            ScratchCluster *scratch, Error *err)
{
    const char *folder = folder_of(arena, spec->state_directory);
    const char *directory = NULL;
    *scratch = (ScratchCluster){.arena = arena, .log = log, .lock = -1};
    if (!check_user(err) || !directory_make(folder, geteuid() == 0 ? 0711 : 0700, err))
        return false;
    sweep(arena, log, folder);
    return claim(scratch, folder, spec->kind, &directory, err) &&
           choose_programs(scratch, spec, directory, err) &&
           cluster_ensure_running(&scratch->cluster, log, NULL, err);
}

char *scratch_cluster_describe(const ScratchCluster *scratch)
{
    return arena_printf(scratch->arena, "a scratch cluster of its own: PostgreSQL %d, user %s, %s",
                        scratch->major, scratch->cluster.user_name,
                        cluster_is_isolated(&scratch->cluster) ? "no network" : "its socket only");
}

void scratch_cluster_release(ScratchCluster *scratch)
{
    Error error = {0};
    if (!scratch->lock_path)
        return;
    interrupt_clear(); /* the work has stopped already; this must not */
    bool made = scratch->cluster.directory && file_exists(scratch->cluster.directory);
    if (!made || cluster_remove(&scratch->cluster, &error))
        (void)unlink(scratch->lock_path);
    else
        log_warn(scratch->log, "the scratch cluster %s is left: %s (the next drill removes it)",
                 scratch->cluster.directory, error.message);
    (void)close(scratch->lock);
    scratch->lock = -1;
    scratch->lock_path = NULL;
}
