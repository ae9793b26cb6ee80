#include "backup/globals.h"

#include "backup/dump_reader.h"
#include "backup/folder.h"
#include "base/file.h"
#include "base/process.h"
#include "pg/conninfo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define END_MARKER "-- PostgreSQL database cluster dump complete"

static bool run_dumpall(Arena *arena, Log *log, const char *path, const Session *session,
                        bool passwords, Buffer *text, Error *err)
{
    _cleanup_buffer_ Buffer talk;
    buffer_init(&talk, BUFFER_MAX_LINE);
    const char *database = conninfo_quote(arena, session_database(session));
    const char *argv[] = {path,
                          "--globals-only",
                          "--no-password",
                          arena_printf(arena, "--database=dbname=%s", database),
                          passwords ? NULL : "--no-role-passwords",
                          NULL};
    const ProcessSpec spec = {.argv = argv, .environment = session_environment(session, arena)};
    int status = 0;
    if (!process_run(&spec, text, &talk, &status, err))
        return false;
    const char *said = str_trim(talk.data);
    if (status != 0)
        return error_set(err, ERR_FAILED, "pg_dumpall ended with status %d%s%s", status,
                         *said ? ": " : "", said);
    if (*said)
        log_warn(log, "%s", said);
    return strstr(text->data, END_MARKER) ||
           error_set(err, ERR_FAILED, "pg_dumpall did not write its last line");
}

bool globals_passwords(Session *session, bool *passwords, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *superuser = NULL;
    if (!session_scalar(session, arena,
                        "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user",
                        &superuser, err))
        return false;
    *passwords = str_equal(superuser, "t");
    return true;
}

bool globals_read(Arena *arena, Log *log, const char *bindir, const PgDump *tool,
                  const Session *session, bool passwords, const SealKey *key, Buffer *packed,
                  ManifestGlobals *globals, Error *err)
{
    _cleanup_buffer_ Buffer text;
    _cleanup_member_packer_ MemberPacker *packer = member_packer_create(COMPRESS_SMALL);
    const char *path = NULL;
    char sha256[HASH_HEX_SIZE];
    buffer_init(&text, DUMP_MAX_STATEMENT);
    member_packer_set_key(packer, key);
    *globals = (ManifestGlobals){0};
    if (!pg_dumpall_find(arena, bindir, tool, &path, err) ||
        !run_dumpall(arena, log, path, session, passwords, &text, err))
        return false;
    const MemberLabel label = {
        .kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE, .raw_bytes = (int64_t)text.length};
    if (!member_pack(packer, &label, text.data, packed, err))
        return false;
    hash_bytes(packed->data, packed->length, sha256);
    *globals = (ManifestGlobals){
        .packed_bytes = (int64_t)packed->length,
        .raw_bytes = (int64_t)text.length,
        .sha256 = arena_strdup(arena, sha256),
        .passwords = passwords,
    };
    return true;
}

/* One member, between a header and an index of its own. */
static bool write_sealed(Arena *arena, int descriptor, const char *path,
                         const SealRepository *repository, const Buffer *packed,
                         ManifestGlobals *globals, Error *err)
{
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(descriptor, path);
    const MemberLabel label = {
        .kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE, .raw_bytes = globals->raw_bytes};
    ArchiveIndex index;
    GzipTotals totals;
    if (!archive_writer_seal(writer, repository->key, repository->header, repository->header_length,
                             err) ||
        !archive_append(writer, &label, packed->data, packed->length, err) ||
        !archive_writer_finish(writer, arena, &index, &totals, err))
        return false;
    globals->packed_bytes = totals.packed_bytes;
    globals->sha256 = arena_strdup(arena, totals.sha256);
    return true;
}

bool globals_write(Arena *arena, const char *path, const SealRepository *repository,
                   const Buffer *packed, ManifestGlobals *globals, Error *err)
{
    const char *beside = backup_globals_path(arena, path);
    _cleanup_close_ int descriptor =
        open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", beside);
    bool written = repository->key
                       ? write_sealed(arena, descriptor, beside, repository, packed, globals, err)
                       : file_write_all(descriptor, packed->data, packed->length, beside, err);
    if (!written)
        return false;
    return fsync(descriptor) == 0 ||
           error_set_errno(err, ERR_FAILED, errno, "cannot write %s", beside);
}

bool globals_check(Arena *arena, const char *path, const ManifestGlobals *globals, bool hash,
                   bool *there, const char **problem, Error *err)
{
    struct stat status;
    char sha256[HASH_HEX_SIZE];
    const char *beside = backup_globals_path(arena, path);
    *problem = NULL;
    *there = stat(beside, &status) == 0;
    if (!*there)
        return true;
    if (status.st_size != globals->packed_bytes) {
        *problem =
            arena_printf(arena, "%s has %" PRId64 " bytes, the manifest says %" PRId64,
                         path_basename(beside), (int64_t)status.st_size, globals->packed_bytes);
        return true;
    }
    if (hash && !hash_file(beside, sha256, NULL, err))
        return false;
    if (hash && !str_equal(sha256, globals->sha256))
        *problem = arena_printf(arena, "the SHA-256 of %s is %s, the manifest says %s",
                                path_basename(beside), sha256, globals->sha256);
    return true;
}
