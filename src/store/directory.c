/* A folder as a store: files copied, synced and renamed. */
#include "store/store_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CHUNK_BYTES ((size_t)1 << 20)

static const char *object_path(const Store *store, Arena *arena, const char *name)
{
    return path_join(arena, store->own, name);
}

/* Waits until `done` bytes may have passed. */
static bool hold_back(const Store *store, int64_t started_ms, int64_t done, Error *err)
{
    if (!interrupt_check(err))
        return false;
    if (!store->settings.bytes_per_second)
        return true;
    int64_t due_ms = (int64_t)((double)done * 1000 / (double)store->settings.bytes_per_second);
    int64_t ahead_ms = started_ms + due_ms - clock_monotonic_ms();
    return ahead_ms <= 0 || clock_sleep_ms(ahead_ms) || interrupt_check(err);
}

static bool copy_bytes(const Store *store, int from, const char *from_path, int to,
                       const char *to_path, Progress *progress, HashStream *hash, Error *err)
{
    _cleanup_free_ char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return error_set(err, ERR_FAILED, "out of memory");
    int64_t started_ms = clock_monotonic_ms();
    int64_t done = 0;
    for (;;) {
        ssize_t got = read(from, chunk, CHUNK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", from_path);
        if (got == 0)
            return true;
        hash_update(hash, chunk, (size_t)got);
        if (!file_write_all(to, chunk, (size_t)got, to_path, err))
            return false;
        done += got;
        progress_update(progress, done);
        if (!hold_back(store, started_ms, done, err))
            return false;
    }
}

/* Opens a file to write, for this process alone: two that put the same object would mix their
 * bytes. The name may have become another file's while we waited for the lock. */
static bool open_target(const char *path, int *descriptor, Error *err)
{
    _cleanup_close_ int opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat ours;
    struct stat there;
    if (opened < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", path);
    if (flock(opened, LOCK_EX | LOCK_NB) != 0 || fstat(opened, &ours) != 0 ||
        lstat(path, &there) != 0 || ours.st_ino != there.st_ino)
        return error_set(err, ERR_REFUSED, "another process writes %s", path);
    if (ftruncate(opened, 0) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", path);
    *descriptor = opened;
    opened = -1;
    return true;
}

/* Copies into `to`, synced. sha256 NULL: whatever it is. The caller removes what a failure leaves.
 */
static bool copy_file(Store *store, const char *from, int target, const char *to, const char *label,
                      const char *sha256, Error *err)
{
    _cleanup_close_ int source = open(from, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (source < 0 || fstat(source, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", from);
    Log quiet = *store->log;
    quiet.quiet = quiet.quiet || status.st_size < STORE_PROGRESS_MIN_BYTES;
    Progress progress;
    _cleanup_hash_ HashStream *hash = hash_create();
    char hex[HASH_HEX_SIZE];
    progress_start(&progress, &quiet, label, status.st_size, PROGRESS_BYTES, NULL);
    if (!copy_bytes(store, source, from, target, to, &progress, hash, err)) {
        progress_abandon(&progress);
        return false;
    }
    progress_finish(&progress);
    hash_finish(hash, hex);
    if (sha256 && !str_equal(hex, sha256))
        return error_set(err, ERR_PROBLEMS, "%s is not what it was: its SHA-256 is %s, not %s",
                         from, hex, sha256);
    if (fsync(target) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", to);
    return true;
}

static bool put_file(Store *store, const char *path, const char *name, const char *sha256,
                     UNUSED const StoreReuse *reuse, int64_t *sent, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *to = object_path(store, arena, name);
    const char *partial = object_path(store, arena, arena_printf(arena, ".%s.partial", name));
    const char *label = arena_printf(arena, "pushing %s", name);
    _cleanup_close_ int target = -1;
    if (!directory_make(store->own, 0700, err) || !open_target(partial, &target, err))
        return false;
    if (!copy_file(store, path, target, partial, label, sha256, err)) {
        (void)unlink(partial);
        return false;
    }
    *sent = lseek(target, 0, SEEK_CUR);
    if (rename(partial, to) != 0) {
        (void)error_set_errno(err, ERR_FAILED, errno, "cannot write %s", to);
        (void)unlink(partial);
        return false;
    }
    return file_sync_directory(store->own, err);
}

static bool get_file(Store *store, const char *name, const char *path, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *from = object_path(store, arena, name);
    if (!file_exists(from) && errno == ENOENT)
        return store_missing(store, name, err);
    _cleanup_close_ int target = -1;
    return open_target(path, &target, err) &&
           copy_file(store, from, target, path, arena_printf(arena, "pulling %s", name), NULL, err);
}

static bool read_range(Store *store, const char *name, int64_t offset, size_t length,
                       Buffer *buffer, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *path = object_path(store, arena, name);
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return store_missing(store, name, err);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    while (length) {
        char *to = buffer_reserve(buffer, length);
        if (!to)
            return buffer_check(buffer, name, err);
        ssize_t got = pread(descriptor, to, length, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
        if (got == 0)
            return error_set(err, ERR_FAILED, "%s ends before byte %lld", path,
                             (long long)offset + (long long)length);
        buffer_commit(buffer, (size_t)got);
        offset += got;
        length -= (size_t)got;
    }
    return true;
}

/* *found is false for what is no file. */
static bool look(const Store *store, Arena *arena, const char *name, bool *found,
                 StoreObject *object, Error *err)
{
    const char *path = object_path(store, arena, name);
    struct stat status;
    *found = false;
    if (stat(path, &status) != 0) {
        return errno == ENOENT ||
               error_set_errno(err, ERR_FAILED, errno, "cannot look at %s", path);
    }
    *found = S_ISREG(status.st_mode);
    *object = (StoreObject){
        .name = arena_strdup(arena, name), .bytes = status.st_size, .modified_at = status.st_mtime};
    return true;
}

static bool head(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                 Error *err)
{
    return look(store, arena, name, found, object, err);
}

static bool list_objects(Store *store, Arena *arena, const char *prefix, StoreList *list,
                         Error *err)
{
    StrList names;
    if (!file_exists(store->own) && errno == ENOENT)
        return true; /* the first put makes it */
    if (!directory_list(arena, store->own, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        StoreObject object;
        bool found = false;
        if (*names.items[i] == '.' || !str_starts(names.items[i], prefix))
            continue;
        if (!look(store, arena, names.items[i], &found, &object, err))
            return false;
        if (found)
            ARENA_PUSH(arena, list->items, list->count, list->capacity, object);
    }
    return true;
}

static bool remove_object(Store *store, const char *name, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *path = object_path(store, arena, name);
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(err, ERR_FAILED, errno, "cannot delete %s", path);
    return !file_is_directory(store->own) || file_sync_directory(store->own, err);
}

static const StoreDriver directory_driver = {
    .put_file = put_file,
    .get_file = get_file,
    .read = read_range,
    .head = head,
    .list = list_objects,
    .remove = remove_object,
};

bool store_open_directory(Store *store, const char *path, UNUSED Error *err)
{
    store->driver = &directory_driver;
    store->own = arena_strdup(store->arena, path);
    return true;
}
