#include "backup/archive_open.h"
#include "backup/archive_verify.h"
#include "backup/backup.h"
#include "backup/dump_reader.h"
#include "backup/globals.h"
#include "backup/gzip.h"
#include "backup/roles.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "state/backups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES 262144
#define ERRORS_MAX  20 /* more would not tell more */

static void add_problem(VerifyReport *report, const Error *error)
{
    if (report->errors.count < ERRORS_MAX)
        str_list_add(&report->errors, error->message);
}

/* An Error that says the file is bad belongs into the report; any other ends the verification. */
static bool absorb(VerifyReport *report, Error *error, Error *err)
{
    if (error->code == ERR_PROBLEMS) {
        add_problem(report, error);
        return true;
    }
    *err = *error;
    return false;
}

static bool check_manifest(Arena *arena, const char *path, VerifyReport *report, Error *err)
{
    Error error = {0};
    bool found = false;
    if (!manifest_read(arena, path, &found, &report->manifest, &error))
        return absorb(report, &error, err);
    report->has_manifest = found;
    if (!found) {
        str_list_addf(&report->notes,
                      "there is no manifest (%s%s): rows and size cannot be "
                      "compared with what was in the database",
                      path_basename(path), MANIFEST_SUFFIX);
        return true;
    }
    if (!str_equal(report->manifest.file, path_basename(path)))
        str_list_addf(&report->notes, "the file was called %s when it was made",
                      report->manifest.file);
    if (report->manifest.packed_bytes != report->packed_bytes)
        str_list_addf(&report->errors, "%s has %" PRId64 " bytes, its manifest says %" PRId64 "%s",
                      path_basename(path), report->packed_bytes, report->manifest.packed_bytes,
                      report->packed_bytes < report->manifest.packed_bytes ? ": it was truncated"
                                                                           : "");
    return true;
}

/* Does text say of the file what was written beside it? Either name will do: whoever renames a
 * backup may put the new one in, or not. */
static bool is_our_checksum(Arena *arena, const char *path, const Manifest *manifest,
                            const char *text)
{
    const char *names[] = {manifest->file, path_basename(path)};
    size_t length = strlen(text);
    if (length && text[length - 1] == '\n')
        length--;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *line = arena_printf(arena, "%s  %s", manifest->sha256, names[i]);
        if (strlen(line) == length && memcmp(line, text, length) == 0)
            return true;
    }
    return false;
}

/* FILE.sha256, as `sha256sum -c` reads it: a second witness, and the only one of a foreign file,
 * whose name may be told in many ways. */
static bool check_checksum_file(Arena *arena, const char *path, VerifyReport *report, Error *err)
{
    const char *beside = arena_printf(arena, "%s%s", path, CHECKSUM_SUFFIX);
    if (!file_exists(beside)) {
        str_list_addf(&report->notes, "there is no checksum file %s", path_basename(beside));
        return true;
    }
    char *text = NULL;
    if (!file_read(arena, beside, BUFFER_MAX_LINE, &text, NULL, err))
        return false;
    if (strncasecmp(text, report->sha256, HASH_HEX_SIZE - 1) != 0)
        str_list_addf(&report->errors, "the SHA-256 of %s is %s, %s says %.*s", path_basename(path),
                      report->sha256, path_basename(beside), (int)strcspn(text, " \n"), text);
    else if (report->has_manifest && !is_our_checksum(arena, path, &report->manifest, text))
        str_list_addf(&report->errors, "%s is not as it was written: sha256sum may not read it",
                      path_basename(beside));
    return true;
}

/* Whoever restores elsewhere may do without it, so a missing one does not make the backup bad. */
static bool check_globals(Arena *arena, const char *path, VerifyReport *report, Error *err)
{
    const ManifestGlobals *globals = &report->manifest.globals;
    bool there = false;
    const char *problem = NULL;
    if (!report->has_manifest || !globals->sha256)
        return true;
    if (!globals_check(arena, path, globals, report->level >= VERIFY_HASH, &there, &problem, err))
        return false;
    if (!there)
        str_list_addf(&report->notes,
                      "%s is missing: the server's roles and tablespaces must come from elsewhere",
                      path_basename(backup_globals_path(arena, path)));
    if (problem)
        str_list_add(&report->errors, problem);
    return true;
}

static bool check_hash(Arena *arena, const char *path, VerifyReport *report, Error *err)
{
    bool known = report->sha256[0] != '\0'; /* from the look at the content */
    if (!known && !hash_file(path, report->sha256, NULL, err))
        return false;
    if (report->has_manifest && !str_equal(report->manifest.sha256, report->sha256))
        str_list_addf(&report->errors, "the SHA-256 of %s is %s, its manifest says %s",
                      path_basename(path), report->sha256, report->manifest.sha256);
    return check_checksum_file(arena, path, report, err);
}

/* ---- content ----------------------------------------------------------------------------- */

typedef struct {
    StrList *roles;
} Scan;

static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    const Scan *scan = data;
    (void)length;
    (void)line;
    (void)err;
    roles_of_statement(sql, scan->roles);
    return true;
}

static bool read_through(GzipReader *reader, DumpReader *dump, Progress *progress, char *chunk,
                         Error *err)
{
    for (;;) {
        size_t got = 0;
        if (!interrupt_check(err) || !gzip_read(reader, chunk, CHUNK_BYTES, &got, err))
            return false;
        if (!got)
            return dump_reader_finish(dump, err);
        if (!dump_reader_feed(dump, chunk, got, err))
            return error_context(err, "byte %" PRId64 " of the dump",
                                 gzip_reader_raw_bytes(reader));
        progress_update(progress, gzip_reader_packed_bytes(reader));
    }
}

static void compare_tables(Arena *arena, const DumpTable *dumped, size_t count,
                           VerifyReport *report)
{
    const Manifest *manifest = &report->manifest;
    for (size_t i = 0; i < manifest->table_count && report->errors.count < ERRORS_MAX; i++) {
        const ManifestTable *table = &manifest->tables[i];
        const DumpTable *found = NULL;
        for (size_t j = 0; j < count && !found; j++) {
            if (str_equal(dumped[j].name, table->name) &&
                str_equal(dumped[j].schema, table->schema))
                found = &dumped[j];
        }
        if (table->partitioned || table->excluded)
            continue;
        if (!found)
            str_list_addf(&report->errors, "the dump lacks the table %s.%s", table->schema,
                          table->name);
        else if (found->rows != table->rows)
            str_list_addf(&report->errors,
                          "%s.%s: the dump holds %" PRId64 " rows, the manifest says %" PRId64,
                          table->schema, table->name, found->rows, table->rows);
        else if (table->digest &&
                 !str_equal(arena_printf(arena, "%016" PRIx64, found->digest), table->digest))
            str_list_addf(&report->errors, "%s.%s: the rows are not those that were dumped",
                          table->schema, table->name);
    }
    if (manifest->raw_bytes != report->raw_bytes)
        str_list_addf(&report->errors,
                      "inflated it has %" PRId64 " bytes, its manifest says %" PRId64,
                      report->raw_bytes, manifest->raw_bytes);
}

static void take_counts(Arena *arena, const DumpTable *tables, size_t count, bool complete,
                        VerifyReport *report)
{
    report->tables = count;
    DumpTable *contents = arena_array(arena, count, sizeof(*contents));
    report->contents = contents;
    for (size_t i = 0; i < count; i++)
        contents[i] = tables[i];
    for (size_t i = 0; i < count; i++)
        report->rows += tables[i].rows;
    if (!complete)
        str_list_add(&report->errors,
                     "pg_dump's last line (\"PostgreSQL database dump complete\") is missing: "
                     "the dump was cut off, or is not a plain dump of pg_dump");
    if (report->has_manifest)
        compare_tables(arena, tables, count, report);
}

/* A file of one stream, as others make them, by one core. */
static bool check_stream(Arena *arena, Progress *progress, const char *path, VerifyReport *report,
                         Error *err)
{
    _cleanup_gzip_reader_ GzipReader *reader = NULL;
    if (!gzip_reader_open(path, &reader, err))
        return false;
    Scan scan = {&report->roles};
    DumpEvents events = {.statement = on_statement};
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(arena, &events, &scan);
    char *chunk = arena_alloc(arena, CHUNK_BYTES);
    bool whole = read_through(reader, dump, progress, chunk, err);
    report->raw_bytes = gzip_reader_raw_bytes(reader);
    size_t count = 0;
    const DumpTable *tables = dump_reader_tables(dump, &count);
    if (whole)
        take_counts(arena, tables, count, dump_reader_is_complete(dump), report);
    return whole;
}

static bool check_members(Arena *arena, Progress *progress, const char *path,
                          const ArchiveIndex *index, VerifyReport *report, Error *err)
{
    ArchiveContent content;
    ArchiveVerify spec = {
        .path = path,
        .index = index,
        .manifest = report->has_manifest ? &report->manifest : NULL,
    };
    report->raw_bytes = index->raw_bytes;
    if (!archive_verify(arena, &spec, progress, &report->roles, report->sha256, &content, err))
        return false;
    take_counts(arena, content.tables, content.table_count, content.complete, report);
    return true;
}

/* What the keys at hand say of the file, beyond whether it opens. */
static void note_keys(Arena *arena, int descriptor, const char *path, const BackupKeys *keys,
                      VerifyReport *report)
{
    Error ignored = {0};
    SealHeader header;
    bool sealed = false;
    if (!archive_read_header(arena, descriptor, path, &sealed, &header, &ignored))
        return;
    const char *directory = path_dirname(arena, path);
    if (!sealed && backup_keys_wanted(keys) && !(report->has_manifest && report->manifest.adopted))
        str_list_add(&report->notes, "it is not encrypted, and backups here are to be");
    if (sealed && backup_keys_is_strange(keys, directory, &header))
        str_list_addf(&report->notes,
                      "its data key was not made on this machine, as others for %s were: right "
                      "after a move or for one that was fetched, else somebody else made it",
                      directory);
}

static bool look_inside(Arena *arena, Progress *progress, const char *path, BackupKeys *keys,
                        VerifyReport *report, Error *err)
{
    ArchiveIndex index;
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    if (!archive_open_index(arena, descriptor, path,
                            report->has_manifest ? &report->manifest : NULL, keys, &index, err))
        return false;
    note_keys(arena, descriptor, path, keys, report);
    return index.count ? check_members(arena, progress, path, &index, report, err)
                       : check_stream(arena, progress, path, report, err);
}

/* Hashes the file on the way. */
static bool check_content(Arena *arena, Log *log, const char *path, BackupKeys *keys,
                          VerifyReport *report, Error *err)
{
    Progress progress;
    Error error = {0};
    progress_start(&progress, log, "verifying", report->packed_bytes, PROGRESS_BYTES, "");
    bool whole = look_inside(arena, &progress, path, keys, report, &error);
    if (whole)
        progress_finish(&progress);
    else
        progress_abandon(&progress);
    return (whole || absorb(report, &error, err)) && check_hash(arena, path, report, err);
}

static bool remember(State *state, const char *path, const VerifyReport *report, Error *err)
{
    const char *sha256 = report->has_manifest ? report->manifest.sha256 : report->sha256;
    if (!state || !*sha256)
        return true;
    return state_backup_verified(state, sha256, path, (int)report->level, report->ok,
                                 clock_unix_s(), err);
}

bool backup_verify_with(Arena *arena, Log *log, State *state, const char *path, VerifyLevel level,
                        BackupKeys *keys, VerifyReport *report, Error *err)
{
    *report = (VerifyReport){.level = level};
    str_list_init(&report->errors, arena);
    str_list_init(&report->notes, arena);
    str_list_init(&report->roles, arena);
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    report->packed_bytes = status.st_size;
    if (!check_manifest(arena, path, report, err) || !check_globals(arena, path, report, err) ||
        (level == VERIFY_HASH && !check_hash(arena, path, report, err)) ||
        (level >= VERIFY_CONTENT && !check_content(arena, log, path, keys, report, err)))
        return false;
    report->ok = report->errors.count == 0;
    return remember(state, path, report, err);
}

bool backup_verify(Arena *arena, Log *log, State *state, const char *path, VerifyLevel level,
                   VerifyReport *report, Error *err)
{
    return backup_verify_with(arena, log, state, path, level, NULL, report, err);
}

bool backup_verify_error(const char *path, const VerifyReport *report, Error *err)
{
    (void)error_set(err, ERR_PROBLEMS, "%s is damaged: %s", path_basename(path),
                    report->errors.count ? report->errors.items[0] : "it could not be verified");
    return error_hint(err, "use another backup: `vaxdb backup list` shows which are verified");
}
