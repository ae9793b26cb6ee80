/* Files and folders. Paths of any length; everything private unless said otherwise. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* "a/b"; b absolute gives b. */
char *path_join(Arena *arena, const char *a, const char *b);
char *path_dirname(Arena *arena, const char *path);
const char *path_basename(const char *path);
/* Absolute, from the working directory; symbolic links stay. */
bool path_absolute(Arena *arena, const char *path, char **absolute, Error *err) MUST_CHECK;

bool file_exists(const char *path);
bool file_is_directory(const char *path);
/* Whole file, at most max_bytes; *text is NUL-terminated in the arena. length may be NULL. */
bool file_read(Arena *arena, const char *path, size_t max_bytes, char **text, size_t *length,
               Error *err) MUST_CHECK;
/* Temporary name beside it, write, fsync, rename, fsync of the folder: readers see the old file or
 * the new one. mode is applied whatever the umask. */
bool file_write_atomic(const char *path, const void *data, size_t length, mode_t mode,
                       Error *err) MUST_CHECK;
/* As above but fails with ERR_REFUSED when path exists. */
bool file_create(const char *path, const void *data, size_t length, mode_t mode,
                 Error *err) MUST_CHECK;
bool file_sync_directory(const char *path, Error *err) MUST_CHECK;
/* Writes all of data to descriptor, through short writes. */
bool file_write_all(int descriptor, const void *data, size_t length, const char *path,
                    Error *err) MUST_CHECK;

/* Makes the folder and those above it. mode is for the folders that it makes. */
bool directory_make(const char *path, mode_t mode, Error *err) MUST_CHECK;
/* Names in the folder (not "." and ".."), sorted bytewise. */
bool directory_list(Arena *arena, const char *path, StrList *names, Error *err) MUST_CHECK;
/* Removes a tree; does not follow symbolic links; a missing one is success. */
bool directory_remove(const char *path, Error *err) MUST_CHECK;
/* Bytes free to this user on the file system of path (or of its nearest existing parent). */
bool disk_free_bytes(const char *path, int64_t *bytes, Error *err) MUST_CHECK;

/* An exclusive lock on a file that is made when missing (0600) and never removed. *descriptor holds
 * the lock until it is closed or the process ends. wait_ms 0 tries once; a taken lock is
 * ERR_REFUSED naming what, in words ("a backup of production"). */
bool file_lock(const char *path, int64_t wait_ms, const char *what, int *descriptor,
               Error *err) MUST_CHECK;
