/* `backup decrypt`: the plain .sql.gz of an encrypted backup. */
#include "backup/archive_open.h"
#include "backup/backup.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* As long as a member may be. */
#define PACKED_MAX ((size_t)5 << 30)

typedef struct {
    const char *path;
    const char *partial; /* NULL: standard output */
    const char *output;
    int descriptor;
    bool done;
} Output;

static void output_release(Output *output)
{
    if (output->partial && output->descriptor >= 0) {
        (void)close(output->descriptor);
        if (!output->done)
            (void)unlink(output->partial);
    }
}
#define _cleanup_output_ _cleanup_(output_release)

static bool open_output(Arena *arena, const char *path, Output *output, Error *err)
{
    *output = (Output){.output = path, .path = "standard output", .descriptor = STDOUT_FILENO};
    if (str_equal(path, "-"))
        return true;
    output->path = path;
    if (file_exists(path)) {
        output->descriptor = -1;
        (void)error_set(err, ERR_REFUSED, "%s is there already", path);
        return error_hint(err, "remove it, or name another file with -o");
    }
    const char *directory = path_dirname(arena, path);
    output->partial =
        path_join(arena, directory,
                  arena_printf(arena, ".%s.%ld.partial", path_basename(path), (long)getpid()));
    output->descriptor =
        open(output->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return output->descriptor >= 0 ||
           error_set_errno(err, ERR_FAILED, errno, "cannot create %s", output->partial);
}

/* Under its name only when it is whole; one that came meanwhile stays. */
static bool commit(Arena *arena, Output *output, Error *err)
{
    if (!output->partial)
        return true;
    if (fsync(output->descriptor) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", output->partial);
    if (link(output->partial, output->output) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", output->output);
    (void)unlink(output->partial);
    output->done = true;
    return file_sync_directory(path_dirname(arena, output->output), err);
}

static bool copy_members(int descriptor, const ArchiveIndex *index, ArchiveWriter *writer,
                         Progress *progress, Error *err)
{
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    _cleanup_buffer_ Buffer packed;
    buffer_init(&packed, PACKED_MAX);
    member_reader_set_key(reader, index->key);
    for (size_t i = 0; i < index->count; i++) {
        const Member *member = &index->members[i];
        if (!interrupt_check(err) ||
            !member_read_packed(reader, descriptor, member, &packed, err) ||
            !archive_append(writer, &member->label, packed.data, packed.length, err))
            return false;
        progress_update(progress, member->offset + member->packed_bytes);
    }
    return true;
}

static bool decrypt(Arena *arena, Log *log, int descriptor, const ArchiveIndex *index,
                    const Output *output, GzipTotals *totals, Error *err)
{
    ArchiveIndex plain;
    Progress progress;
    _cleanup_archive_writer_ ArchiveWriter *writer =
        archive_writer_create(output->descriptor, output->path);
    progress_start(&progress, log, "decrypting", index->packed_bytes, PROGRESS_BYTES, "");
    bool copied = copy_members(descriptor, index, writer, &progress, err) &&
                  archive_writer_finish(writer, arena, &plain, totals, err);
    if (copied)
        progress_finish(&progress);
    else
        progress_abandon(&progress);
    return copied;
}

static bool read_manifest(Arena *arena, const char *path, bool *found, Manifest *manifest,
                          Error *err)
{
    *manifest = (Manifest){0};
    return manifest_read(arena, path, found, manifest, err);
}

bool backup_decrypt(Arena *arena, Log *log, const char *path, BackupKeys *keys, const char *output,
                    DecryptResult *result, Error *err)
{
    ArchiveIndex index;
    Manifest manifest;
    GzipTotals totals;
    bool found = false;
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    if (!read_manifest(arena, path, &found, &manifest, err) ||
        !archive_open_index(arena, descriptor, path, found ? &manifest : NULL, keys, &index, err))
        return false;
    if (!index.key)
        return error_set(err, ERR_USAGE, "%s is not encrypted", path_basename(path));
    _cleanup_output_ Output to = {.descriptor = -1};
    if (!open_output(arena, output, &to, err) ||
        !decrypt(arena, log, descriptor, &index, &to, &totals, err) || !commit(arena, &to, err))
        return false;
    *result = (DecryptResult){.packed_bytes = totals.packed_bytes, .raw_bytes = totals.raw_bytes};
    memcpy(result->sha256, totals.sha256, sizeof(result->sha256));
    return true;
}
