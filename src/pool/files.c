#include "pool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* base/file.h reads through a buffer, of which copies stay behind in freed memory. */
static bool read_disk(const PoolFiles *files, Arena *arena, const char *path, char **text,
                      size_t *length, Error *err)
{
    (void)files;
    /* not waiting for the writer of a FIFO, which is refused below */
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERR_USAGE, "cannot read %s: it is not a file", path);
    if ((size_t)status.st_size > POOL_FILE_MAX)
        return error_set(err, ERR_USAGE, "%s is larger than %zu bytes", path, POOL_FILE_MAX);
    size_t size = (size_t)status.st_size;
    char *bytes = arena_alloc(arena, size + 1);
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(descriptor, bytes + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
        if (got == 0)
            break;
        used += (size_t)got;
    }
    bytes[used] = '\0';
    *text = bytes;
    *length = used;
    return true;
}

const PoolFiles pool_files_disk = {.read = read_disk};
