/* `backup adopt`: dumps that others made. */
#include "backup/backup.h"
#include "backup/gzip.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES ((size_t)64 * 1024) /* where pg_dump says what it is */
#define TIME_SIZE  15                  /* "20261123-020000" */

/* ---- what the dump says of itself -------------------------------------------------------- */

static bool read_head(Arena *arena, const char *path, char **head, Error *err)
{
    _cleanup_gzip_reader_ GzipReader *reader = NULL;
    size_t length = 0;
    if (!gzip_reader_open(path, &reader, err))
        return false;
    *head = arena_alloc(arena, HEAD_BYTES + 1);
    for (;;) {
        size_t got = 0;
        if (!gzip_read(reader, *head + length, HEAD_BYTES - length, &got, err))
            return false;
        length += got;
        if (!got || length == HEAD_BYTES)
            break;
    }
    (*head)[length] = '\0';
    return true;
}

/* What stands between `before` and the next of the bytes in `ends`; fallback when it is not there.
 */
static const char *word_after(Arena *arena, const char *head, const char *before, const char *ends,
                              const char *fallback)
{
    const char *found = strstr(head, before);
    if (!found)
        return fallback;
    found += strlen(before);
    return arena_strndup(arena, found, strcspn(found, ends));
}

/* "15.4" is 150004, as the server counts; 0 when it is no version. */
static int64_t version_number(Arena *arena, const char *version)
{
    StrList parts;
    int64_t major = 0;
    int64_t minor = 0;
    str_list_init(&parts, arena);
    str_split(&parts, version, ".");
    if (parts.count < 1 || !str_to_int64(parts.items[0], 10, 999, &major))
        return 0;
    if (parts.count > 1 && !str_to_int64(parts.items[1], 0, 9999, &minor))
        minor = 0; /* "19devel", "18beta1" */
    return major * 10000 + minor;
}

/* When it was made: the time in its name, as we and most scripts write it, else that of the file.
 */
static int64_t made_at(Arena *arena, const char *path, int64_t modified_at)
{
    const char *name = path_basename(path);
    size_t length = strlen(name) - strlen(BACKUP_SUFFIX);
    int64_t unix_s = 0;
    if (length < TIME_SIZE)
        return modified_at;
    char *time = arena_strndup(arena, name + length - TIME_SIZE, TIME_SIZE);
    if (time[8] == '_')
        time[8] = '-';
    return clock_parse_utc(time, &unix_s) && unix_s <= modified_at ? unix_s : modified_at;
}

/* ---- the manifest ------------------------------------------------------------------------ */

static void fill_tables(Arena *arena, const VerifyReport *report, Manifest *manifest)
{
    manifest->table_count = report->tables;
    manifest->tables = arena_array(arena, report->tables, sizeof(*manifest->tables));
    for (size_t i = 0; i < report->tables; i++) {
        const DumpTable *table = &report->contents[i];
        manifest->tables[i] =
            (ManifestTable){.schema = table->schema,
                            .name = table->name,
                            .rows = table->rows,
                            .raw_bytes = table->raw_bytes,
                            .digest = arena_printf(arena, "%016" PRIx64, table->digest)};
    }
}

static bool fill_manifest(Arena *arena, const AdoptSpec *spec, const VerifyReport *report,
                          Manifest *manifest, Error *err)
{
    struct stat status;
    char *head = NULL;
    if (stat(spec->path, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot look at %s", spec->path);
    if (!read_head(arena, spec->path, &head, err))
        return false;
    int64_t at = made_at(arena, spec->path, (int64_t)status.st_mtime);
    *manifest = (Manifest){
        .file = path_basename(spec->path),
        .name = spec->name,
        .env = spec->env,
        .reason = "backup adopt",
        .adopted = true,
        .tool_version = VAXDB_VERSION,
        .dump_version = word_after(arena, head, "-- Dumped by pg_dump version ", " \n", "unknown"),
        .server_version =
            word_after(arena, head, "-- Dumped from database version ", " \n", "unknown"),
        .system_identifier = "",
        .database = spec->database,
        .owner = "",
        .encoding = word_after(arena, head, "SET client_encoding = '", "'\n", "UTF8"),
        .locale_provider = "c",
        .started_at = at,
        .snapshot_at = at,
        .finished_at = at,
        .raw_bytes = report->raw_bytes,
        .packed_bytes = report->packed_bytes,
        .sha256 = arena_strdup(arena, report->sha256),
    };
    manifest->server_version_number = version_number(arena, manifest->server_version);
    fill_tables(arena, report, manifest);
    return true;
}

/* ---- into the folder --------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat left;
    struct stat right;
    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_ino == right.st_ino &&
           left.st_dev == right.st_dev;
}

static bool link_into(const AdoptSpec *spec, const char *path, Error *err)
{
    if (is_same_file(spec->path, path) || link(spec->path, path) == 0)
        return true;
    if (errno == EEXIST) {
        (void)error_set(err, ERR_REFUSED, "%s is there already, and is another file", path);
        return error_hint(err, "give %s another name", spec->path);
    }
    (void)error_set_errno(err, ERR_FAILED, errno, "cannot link %s into %s", spec->path,
                          spec->directory);
    return error_hint(err, "copy it there, then adopt the copy: cp -p %s %s/", spec->path,
                      spec->directory);
}

/* The manifest last: it is what makes the file a backup. */
static bool enter(Arena *arena, const char *path, const Manifest *manifest, Error *err)
{
    const char *checksum = arena_printf(arena, "%s  %s\n", manifest->sha256, manifest->file);
    const char *text = manifest_write(arena, manifest);
    return file_write_atomic(arena_printf(arena, "%s%s", path, CHECKSUM_SUFFIX), checksum,
                             strlen(checksum), 0600, err) &&
           file_create(arena_printf(arena, "%s%s", path, MANIFEST_SUFFIX), text, strlen(text), 0600,
                       err);
}

bool backup_adopt(Arena *arena, Log *log, State *state, const AdoptSpec *spec, BackupResult *result,
                  Error *err)
{
    VerifyReport report;
    int64_t started_ms = clock_monotonic_ms();
    const char *file = path_basename(spec->path);
    const char *path = path_join(arena, spec->directory, file);
    if (!str_ends(file, BACKUP_SUFFIX) || *file == '.') {
        (void)error_set(err, ERR_USAGE, "%s does not end in " BACKUP_SUFFIX, file);
        return error_hint(err, str_ends(file, SEAL_SUFFIX)
                                   ? "one that is encrypted: vaxdb backup decrypt, then adopt that"
                                   : "rename it; a dump that is not packed yet: gzip FILE.sql");
    }
    if (file_exists(arena_printf(arena, "%s%s", path, MANIFEST_SUFFIX)) ||
        file_exists(arena_printf(arena, "%s%s", spec->path, MANIFEST_SUFFIX)))
        return error_set(err, ERR_REFUSED, "%s has a manifest: it is a backup already", file);
    if (!backup_verify(arena, log, state, spec->path, VERIFY_CONTENT, &report, err))
        return false;
    if (!report.ok)
        return backup_verify_error(spec->path, &report, err);
    *result = (BackupResult){.path = path};
    if (!fill_manifest(arena, spec, &report, &result->manifest, err) ||
        !directory_make(spec->directory, 0700, err) || !link_into(spec, path, err) ||
        !enter(arena, path, &result->manifest, err))
        return false;
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}
