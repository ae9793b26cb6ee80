#include "base/file.h"

#include "base/clock.h"
#include "base/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

char *path_join(Arena *arena, const char *a, const char *b)
{
    if (*b == '/' || !*a)
        return arena_strdup(arena, b);
    return arena_printf(arena, "%s%s%s", a, str_ends(a, "/") ? "" : "/", b);
}

char *path_dirname(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return arena_strdup(arena, ".");
    if (slash == path)
        return arena_strdup(arena, "/");
    return arena_strndup(arena, path, (size_t)(slash - path));
}

const char *path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_absolute(Arena *arena, const char *path, char **absolute, Error *err)
{
    if (*path == '/') {
        *absolute = arena_strdup(arena, path);
        return true;
    }
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return error_set_errno(err, ERR_FAILED, errno, "cannot tell the working directory");
    while (str_starts(path, "./"))
        path += 2;
    *absolute = path_join(arena, cwd, str_equal(path, ".") ? "" : path);
    return true;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool file_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool file_read(Arena *arena, const char *path, size_t max_bytes, char **text, size_t *length,
               Error *err)
{
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    if (S_ISDIR(status.st_mode))
        return error_set(err, ERR_FAILED, "cannot read %s: it is a folder", path);
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, max_bytes);
    for (;;) {
        size_t room = buffer.length < max_bytes ? max_bytes - buffer.length : 0;
        if (room > 65536)
            room = 65536;
        char overflow_probe = 0;
        char *target = room ? buffer_reserve(&buffer, room) : &overflow_probe;
        ssize_t got = target ? read(descriptor, target, room ? room : 1) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
        if (got == 0)
            break;
        if (!room)
            return error_set(err, ERR_FAILED, "%s is larger than %zu bytes", path, max_bytes);
        buffer_commit(&buffer, (size_t)got);
    }
    *text = arena_strndup(arena, buffer.data, buffer.length);
    if (length)
        *length = buffer.length;
    return true;
}

bool file_write_all(int descriptor, const void *data, size_t length, const char *path, Error *err)
{
    const char *bytes = data;
    while (length) {
        ssize_t put = write(descriptor, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", path);
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

bool file_sync_directory(const char *path, Error *err)
{
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot sync folder %s", path);
    return true;
}

/* Writes the temporary file; the caller renames or links it. */
static bool write_temporary(const char *temporary, const void *data, size_t length, mode_t mode,
                            Error *err)
{
    _cleanup_close_ int descriptor =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", temporary);
    if (!file_write_all(descriptor, data, length, temporary, err))
        return false;
    if (fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", temporary);
    return true;
}

static bool write_and_place(const char *path, const void *data, size_t length, mode_t mode,
                            bool replace, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *temporary = arena_printf(arena, "%s.tmp%ld", path, (long)getpid());
    bool placed = write_temporary(temporary, data, length, mode, err);
    if (placed) {
        int result = replace ? rename(temporary, path) : link(temporary, path);
        if (result != 0) {
            ErrorCode code = errno == EEXIST ? ERR_REFUSED : ERR_FAILED;
            placed = error_set_errno(err, code, errno, "cannot write %s", path);
        }
    }
    if (!placed || !replace)
        (void)unlink(temporary);
    return placed && file_sync_directory(path_dirname(arena, path), err);
}

bool file_write_atomic(const char *path, const void *data, size_t length, mode_t mode, Error *err)
{
    return write_and_place(path, data, length, mode, true, err);
}

bool file_create(const char *path, const void *data, size_t length, mode_t mode, Error *err)
{
    return write_and_place(path, data, length, mode, false, err);
}

bool directory_make(const char *path, mode_t mode, Error *err)
{
    if (file_is_directory(path))
        return true;
    _cleanup_arena_ Arena *arena = arena_create();
    char *parent = path_dirname(arena, path);
    if (!str_equal(parent, path) && !directory_make(parent, mode, err))
        return false;
    if (mkdir(path, mode) == 0) {
        if (chmod(path, mode) != 0)
            return error_set_errno(err, ERR_FAILED, errno, "cannot set the mode of %s", path);
        return true;
    }
    if (errno == EEXIST && file_is_directory(path))
        return true;
    return error_set_errno(err, ERR_FAILED, errno, "cannot make folder %s", path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void cleanup_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

bool directory_list(Arena *arena, const char *path, StrList *names, Error *err)
{
    str_list_init(names, arena);
    _cleanup_(cleanup_dir) DIR *dir = opendir(path);
    if (!dir)
        return error_set_errno(err, ERR_FAILED, errno, "cannot list folder %s", path);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            str_list_add(names, entry->d_name);
    }
    if (errno)
        return error_set_errno(err, ERR_FAILED, errno, "cannot list folder %s", path);
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    return true;
}

static int remove_entry(const char *path, UNUSED const struct stat *status, UNUSED int kind,
                        UNUSED struct FTW *walk)
{
    return remove(path);
}

bool directory_remove(const char *path, Error *err)
{
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return error_set_errno(err, ERR_FAILED, errno, "cannot remove %s", path);
    return true;
}

bool disk_free_bytes(const char *path, int64_t *bytes, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *probe = path;
    while (!file_exists(probe) && !str_equal(probe, "/") && !str_equal(probe, "."))
        probe = path_dirname(arena, probe);
    struct statvfs status;
    if (statvfs(probe, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot tell the free space of %s", path);
    *bytes = (int64_t)(status.f_bavail * status.f_frsize);
    return true;
}

bool file_lock(const char *path, int64_t wait_ms, const char *what, int *descriptor, Error *err)
{
    _cleanup_close_ int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot open lock file %s", path);
    int64_t until = clock_monotonic_ms() + wait_ms;
    while (flock(opened, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set_errno(err, ERR_FAILED, errno, "cannot lock %s", path);
        if (!interrupt_check(err))
            return false;
        if (clock_monotonic_ms() >= until)
            return error_set(err, ERR_REFUSED, "%s is already running (lock %s)", what, path);
        (void)clock_sleep_ms(50);
    }
    *descriptor = opened;
    opened = -1;
    return true;
}
