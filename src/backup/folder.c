#include "backup/folder.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PARTIAL_SUFFIX ".partial"
#define CLAIM_SUFFIX   MANIFEST_SUFFIX PARTIAL_SUFFIX
#define CLAIM_ATTEMPTS 30

/* ---- listing ----------------------------------------------------------------------------- */

/* The data must be there with the bytes that the manifest says: what is cheap to see. */
static const char *look_at_data(Arena *arena, const char *path, const Manifest *manifest)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return arena_printf(arena, "the file is missing: %s", strerror(errno));
    if ((int64_t)status.st_size != manifest->packed_bytes)
        return arena_printf(arena, "the file has %lld bytes, its manifest says %lld",
                            (long long)status.st_size, (long long)manifest->packed_bytes);
    return NULL;
}

static void add_entry(Arena *arena, const char *directory, const char *manifest_name,
                      BackupList *list)
{
    const char *file =
        arena_strndup(arena, manifest_name, manifest_file_length(manifest_name, MANIFEST_SUFFIX));
    BackupEntry entry = {.path = path_join(arena, directory, file)};
    bool found = false;
    Error error = {0};
    if (!manifest_read(arena, entry.path, &found, &entry.manifest, &error) || !found) {
        str_list_addf(&list->unreadable, "%s",
                      found ? error.message : "a manifest vanished while it was read");
        return;
    }
    if (!str_equal(entry.manifest.file, file)) {
        str_list_addf(&list->unreadable, "%s is the manifest of %s", manifest_name,
                      entry.manifest.file);
        return;
    }
    entry.problem = look_at_data(arena, entry.path, &entry.manifest);
    ARENA_PUSH(arena, list->items, list->count, list->capacity, entry);
}

static int newest_first(const void *left, const void *right)
{
    const BackupEntry *a = left;
    const BackupEntry *b = right;
    if (a->manifest.snapshot_at != b->manifest.snapshot_at)
        return a->manifest.snapshot_at < b->manifest.snapshot_at ? 1 : -1;
    return strcmp(b->path, a->path);
}

bool backup_list(Arena *arena, const char *directory, BackupList *list, Error *err)
{
    *list = (BackupList){0};
    str_list_init(&list->unreadable, arena);
    if (!file_exists(directory) && errno == ENOENT)
        return true;
    StrList names;
    str_list_init(&names, arena);
    if (!directory_list(arena, directory, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (*name == '.')
            continue;
        if (manifest_file_length(name, MANIFEST_SUFFIX))
            add_entry(arena, directory, name, list);
        else if (manifest_file_length(name, "") && !str_ends(name, GLOBALS_SUFFIX) &&
                 !str_ends(name, GLOBALS_SUFFIX SEAL_SUFFIX) &&
                 !str_list_has(&names, arena_printf(arena, "%s%s", name, MANIFEST_SUFFIX)))
            list->foreign++;
    }
    backup_list_sort(list);
    return true;
}

void backup_list_sort(BackupList *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), newest_first);
}

bool backup_look(Arena *arena, const char *path, bool *found, BackupEntry *entry, Error *err)
{
    *entry = (BackupEntry){.path = path};
    if (!manifest_read(arena, path, found, &entry->manifest, err))
        return false;
    if (*found)
        entry->problem = look_at_data(arena, path, &entry->manifest);
    return true;
}

bool backup_find(Arena *arena, const char *directory, const char *wanted, const char **path,
                 Error *err)
{
    const char *beside = path_join(arena, directory, wanted);
    const char *found = file_exists(wanted)                           ? wanted
                        : !strchr(wanted, '/') && file_exists(beside) ? beside
                                                                      : NULL;
    if (!found) {
        (void)error_set(err, ERR_USAGE, "there is no file %s (nor a backup of that name in %s)",
                        wanted, directory);
        return error_hint(err, "`vaxdb backup list` shows what there is");
    }
    char *absolute = NULL;
    if (!path_absolute(arena, found, &absolute, err))
        return false;
    *path = absolute;
    return true;
}

const char *backup_globals_path(Arena *arena, const char *path)
{
    size_t length = strlen(path);
    const char *sealed = str_ends(path, BACKUP_SUFFIX SEAL_SUFFIX) ? SEAL_SUFFIX : "";
    length -= strlen(sealed);
    if (*sealed || str_ends(path, BACKUP_SUFFIX))
        length -= strlen(BACKUP_SUFFIX);
    return arena_printf(arena, "%.*s%s%s", (int)length, path, GLOBALS_SUFFIX, sealed);
}

/* ---- claims ------------------------------------------------------------------------------ */

static const char *claim_path(Arena *arena, const char *directory, const char *file)
{
    return path_join(arena, directory, arena_printf(arena, ".%s%s", file, CLAIM_SUFFIX));
}

static const char *partial_path(Arena *arena, const char *directory, const char *file)
{
    return path_join(arena, directory, arena_printf(arena, ".%s%s", file, PARTIAL_SUFFIX));
}

static void remove_data(Arena *arena, const char *directory, const char *file)
{
    const char *path = path_join(arena, directory, file);
    (void)unlink(path);
    (void)unlink(arena_printf(arena, "%s%s", path, CHECKSUM_SUFFIX));
    (void)unlink(backup_globals_path(arena, path));
    (void)unlink(partial_path(arena, directory, file));
}

/* Takes the lock of a claim file; false when its owner lives. */
static bool lock_claim(int descriptor)
{
    int result = 0;
    do
        result = flock(descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

/* file: the name of the backup that a dead run was making. */
static bool sweep_one(Arena *arena, const char *directory, const char *file)
{
    const char *claim = claim_path(arena, directory, file);
    _cleanup_close_ int descriptor = open(claim, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 || !lock_claim(descriptor))
        return false;
    /* A claim becomes the manifest by a rename: this descriptor may be that of a finished backup.
     */
    struct stat ours;
    struct stat there;
    if (fstat(descriptor, &ours) != 0 || lstat(claim, &there) != 0 || ours.st_ino != there.st_ino)
        return false;
    const char *manifest =
        path_join(arena, directory, arena_printf(arena, "%s%s", file, MANIFEST_SUFFIX));
    if (!file_exists(manifest))
        remove_data(arena, directory, file);
    (void)unlink(claim);
    return true;
}

/* Removes files of runs that died; how many runs. */
static bool sweep(Arena *arena, const char *directory, size_t *removed, Error *err)
{
    *removed = 0;
    StrList names;
    str_list_init(&names, arena);
    if (!directory_list(arena, directory, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        size_t length = manifest_file_length(name, CLAIM_SUFFIX);
        if (*name != '.' || !length)
            continue;
        if (sweep_one(arena, directory, arena_strndup(arena, name + 1, length - 1)))
            (*removed)++;
    }
    return true;
}

typedef enum { CLAIM_GOT, CLAIM_TAKEN, CLAIM_FAILED } ClaimResult;

static ClaimResult try_claim(Arena *arena, BackupClaim *claim, Error *err)
{
    int lock = open(claim->claim, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 && errno == EEXIST)
        return CLAIM_TAKEN;
    if (lock < 0) {
        (void)error_set_errno(err, ERR_FAILED, errno, "cannot write into %s", claim->directory);
        return CLAIM_FAILED;
    }
    struct stat status;
    const char *manifest = arena_printf(arena, "%s%s", claim->path, MANIFEST_SUFFIX);
    /* A sweeper may have taken it for dead between the two calls, and removed it. */
    bool ours = lock_claim(lock) && fstat(lock, &status) == 0 && status.st_nlink > 0;
    if (!ours || file_exists(manifest) || file_exists(claim->path)) {
        if (ours)
            (void)unlink(claim->claim);
        (void)close(lock);
        return CLAIM_TAKEN;
    }
    claim->lock = lock;
    return CLAIM_GOT;
}

static bool make_folder(const char *directory, Error *err)
{
    if (!directory_make(directory, 0700, err))
        return error_hint(err, "name a folder that you may write with --dir or backup_dir");
    return true;
}

static void name_claim(Arena *arena, BackupClaim *claim, const char *file)
{
    claim->file = arena_strdup(arena, file);
    claim->path = path_join(arena, claim->directory, file);
    claim->claim = claim_path(arena, claim->directory, file);
    claim->partial = partial_path(arena, claim->directory, file);
}

static bool open_partial(BackupClaim *claim, Error *err)
{
    claim->descriptor =
        open(claim->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (claim->descriptor >= 0)
        return true;
    (void)error_set_errno(err, ERR_FAILED, errno, "cannot create %s", claim->partial);
    backup_claim_release(claim);
    return false;
}

bool backup_claim(Arena *arena, const char *directory, const char *name, const char *env,
                  const char *suffix, BackupClaim *claim, Error *err)
{
    size_t removed = 0;
    *claim = (BackupClaim){.directory = directory, .lock = -1, .descriptor = -1};
    if (strchr(name, '/') || *name == '.' || !*name)
        return error_set(err, ERR_USAGE, "the setting name is \"%s\", which no file can begin with",
                         name);
    if (!make_folder(directory, err) || !sweep(arena, directory, &removed, err))
        return false;
    for (int attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
        claim->started_at = clock_unix_s();
        name_claim(arena, claim,
                   arena_printf(arena, "%s-%s-%s%s", name, env,
                                clock_name_utc(arena, claim->started_at), suffix));
        switch (try_claim(arena, claim, err)) {
        case CLAIM_FAILED:
            return false;
        case CLAIM_TAKEN: /* of this second: the next one is free */
            if (!clock_sleep_ms(250))
                return interrupt_check(err);
            break;
        case CLAIM_GOT:
            return open_partial(claim, err);
        }
    }
    return error_set(err, ERR_FAILED, "cannot find a free name for the backup in %s", directory);
}

bool backup_claim_file(Arena *arena, const char *directory, const char *file, BackupClaim *claim,
                       Error *err)
{
    size_t removed = 0;
    *claim = (BackupClaim){.directory = directory, .lock = -1, .descriptor = -1};
    claim->started_at = clock_unix_s();
    if (!make_folder(directory, err) || !sweep(arena, directory, &removed, err))
        return false;
    name_claim(arena, claim, file);
    switch (try_claim(arena, claim, err)) {
    case CLAIM_FAILED:
        return false;
    case CLAIM_TAKEN:
        return error_set(err, ERR_REFUSED, "%s is there already, or is being written", claim->path);
    case CLAIM_GOT:
        break;
    }
    return open_partial(claim, err);
}

static bool sync_and_close(int *descriptor, const char *path, Error *err)
{
    int open_one = *descriptor;
    *descriptor = -1;
    int errnum = fsync(open_one) != 0 ? errno : 0;
    if (close(open_one) != 0 && !errnum)
        errnum = errno;
    return !errnum || error_set_errno(err, ERR_FAILED, errnum, "cannot write %s", path);
}

/* Under its final name at once: until the manifest is there the claim says whose it is. */
static bool write_checksum(Arena *arena, const BackupClaim *claim, const char *sha256, Error *err)
{
    const char *path = arena_printf(arena, "%s%s", claim->path, CHECKSUM_SUFFIX);
    const char *text = arena_printf(arena, "%s  %s\n", sha256, claim->file);
    _cleanup_close_ int descriptor =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", path);
    return file_write_all(descriptor, text, strlen(text), path, err) &&
           sync_and_close(&descriptor, path, err);
}

bool backup_claim_commit(Arena *arena, BackupClaim *claim, const Manifest *manifest, Error *err)
{
    return backup_claim_commit_text(arena, claim, manifest->sha256, manifest_write(arena, manifest),
                                    err);
}

bool backup_claim_commit_text(Arena *arena, BackupClaim *claim, const char *sha256,
                              const char *text, Error *err)
{
    const char *manifest_path = arena_printf(arena, "%s%s", claim->path, MANIFEST_SUFFIX);
    if (!sync_and_close(&claim->descriptor, claim->partial, err))
        return false;
    if (!file_write_all(claim->lock, text, strlen(text), claim->claim, err))
        return false;
    if (fsync(claim->lock) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", claim->claim);
    if (rename(claim->partial, claim->path) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot rename %s", claim->partial);
    if (!write_checksum(arena, claim, sha256, err) || !file_sync_directory(claim->directory, err))
        return false;
    if (rename(claim->claim, manifest_path) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot rename %s", claim->claim);
    claim->committed = true;
    return file_sync_directory(claim->directory, err);
}

void backup_claim_release(BackupClaim *claim)
{
    if (!claim->committed && claim->lock >= 0) {
        _cleanup_arena_ Arena *arena = arena_create();
        remove_data(arena, claim->directory, claim->file);
        (void)unlink(claim->claim);
    }
    cleanup_close(&claim->descriptor);
    cleanup_close(&claim->lock);
    claim->descriptor = claim->lock = -1;
}

bool backup_delete(Arena *arena, const char *path, Error *err)
{
    const char *manifest = arena_printf(arena, "%s%s", path, MANIFEST_SUFFIX);
    if (unlink(manifest) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot delete %s", manifest);
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(err, ERR_FAILED, errno, "cannot delete %s", path);
    (void)unlink(arena_printf(arena, "%s%s", path, CHECKSUM_SUFFIX));
    (void)unlink(backup_globals_path(arena, path));
    return file_sync_directory(path_dirname(arena, path), err);
}
