#include "backup/backup.h"
#include "backup/dump_reader.h"
#include "backup/dump_stream.h"
#include "backup/gzip.h"
#include "backup/pg_dump.h"
#include "backup/snapshot.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* pg_dump waits for a lock that the leader has already got only behind a queued ALTER, which waits
 * for the leader: nobody would see that deadlock. So it gives up soon, and all starts anew. */
#define DUMP_LOCK_WAIT "--lock-wait-timeout=3000"
#define DUMP_ATTEMPTS  3

typedef struct {
    Arena *arena;
    Log *log;
    const BackupSpec *spec;
    BackupLeader leader;
    PgDump tool;
    BackupClaim claim;
    Manifest manifest;
    DumpStream stream;
    BackupCount *count; /* while it runs */
    GzipWriter *writer;
    DumpReader *reader;
    Progress progress;
} Creation;

static void creation_free(Creation *creation)
{
    dump_stream_release(&creation->stream);
    gzip_writer_destroy(creation->writer);
    dump_reader_destroy(creation->reader);
    backup_leader_close(&creation->leader);
    backup_claim_release(&creation->claim);
}
#define _cleanup_creation_ _cleanup_(creation_free)

/* One piece of the dump: counted and packed. */
static bool take_output(void *data, const char *bytes, size_t length, Error *err)
{
    Creation *creation = data;
    if (!gzip_write(creation->writer, bytes, length, err)) {
        if (strstr(err->message, strerror(ENOSPC)))
            (void)error_hint(err, "make room there (`vaxdb backup prune`), or choose another "
                                  "folder with --dir; the partial file was removed");
        return false;
    }
    if (!dump_reader_feed(creation->reader, bytes, length, err))
        return error_context(err, "reading what pg_dump writes");
    progress_update(&creation->progress, gzip_writer_raw_bytes(creation->writer));
    return true;
}

static bool watch_count(void *data, Error *err)
{
    const Creation *creation = data;
    return !backup_count_failed(creation->count) ||
           error_set(err, ERR_FAILED, "counting rows failed"); /* its own error replaces it */
}

static bool run_dump(Creation *creation, Error *err)
{
    const DumpSink sink = {take_output, watch_count, creation};
    return dump_stream_run(creation->log, &creation->stream, &sink, err) &&
           dump_reader_finish(creation->reader, err) &&
           (dump_reader_is_complete(creation->reader) ||
            error_set(err, ERR_FAILED, "pg_dump did not write its last line"));
}

static bool start_dump(Creation *creation, Error *err)
{
    const char *snapshot =
        arena_printf(creation->arena, "--snapshot=%s", creation->leader.snapshot);
    const char *arguments[] = {DUMP_LOCK_WAIT, snapshot, NULL};
    return dump_stream_start(creation->arena, &creation->tool, creation->leader.session, arguments,
                             &creation->stream, err);
}

static bool open_streams(Creation *creation, Error *err)
{
    dump_stream_release(&creation->stream);
    gzip_writer_destroy(creation->writer);
    dump_reader_destroy(creation->reader);
    creation->writer = NULL;
    creation->reader = NULL;
    if (ftruncate(creation->claim.descriptor, 0) != 0 ||
        lseek(creation->claim.descriptor, 0, SEEK_SET) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", creation->claim.partial);
    creation->writer = gzip_writer_create(creation->claim.descriptor, creation->claim.path);
    creation->reader = dump_reader_create(creation->arena, NULL, NULL);
    return true;
}

/* One snapshot, one pg_dump, one count. */
static bool dump_once(Creation *creation, Error *err)
{
    const BackupSpec *spec = creation->spec;
    if (!open_streams(creation, err) ||
        !backup_leader_begin(creation->arena, &creation->leader, &creation->manifest, err) ||
        !start_dump(creation, err))
        return false;
    progress_start(&creation->progress, creation->log, "backing up", 0, PROGRESS_BYTES, "");
    creation->count = backup_count_start(creation->arena, &creation->leader, spec->conninfo,
                                         spec->dbname, &creation->manifest, spec->jobs);
    bool dumped = run_dump(creation, err);
    if (!dumped)
        process_kill(&creation->stream.process);
    Error count_error = {0};
    bool counted = backup_count_join(creation->count, !dumped, &count_error);
    if (!dumped || !counted)
        progress_abandon(&creation->progress);
    /* A lost server fails both: the session knows best why. */
    if (!counted && err->code != ERR_INTERRUPTED)
        *err = count_error;
    return dumped && counted;
}

static bool dump_with_retries(Creation *creation, Error *err)
{
    for (int attempt = 1;; attempt++) {
        if (dump_once(creation, err))
            return true;
        /* pg_dump may not have run at all; that it wrote nothing yet says that it failed early. */
        const char *talk = creation->stream.talk.data;
        bool waited =
            talk && strstr(talk, "LOCK TABLE") && gzip_writer_raw_bytes(creation->writer) == 0;
        if (err->code != ERR_FAILED || !waited || attempt == DUMP_ATTEMPTS)
            return false;
        log_warn(creation->log,
                 "pg_dump met a lock: another session waits to change a table; "
                 "starting over (%d of %d)",
                 attempt + 1, DUMP_ATTEMPTS);
    }
}

/* What passed through must be what SQL counted. */
static bool merge_counts(Creation *creation, Error *err)
{
    Manifest *manifest = &creation->manifest;
    size_t count = 0;
    const DumpTable *dumped = dump_reader_tables(creation->reader, &count);
    size_t capacity = manifest->table_count;
    for (size_t i = 0; i < count; i++) {
        ManifestTable *table = NULL;
        for (size_t j = 0; j < manifest->table_count && !table; j++) {
            if (str_equal(manifest->tables[j].name, dumped[i].name) &&
                str_equal(manifest->tables[j].schema, dumped[i].schema))
                table = &manifest->tables[j];
        }
        if (!table) {
            ManifestTable added = {.schema = dumped[i].schema,
                                   .name = dumped[i].name,
                                   .extension = true,
                                   .rows = dumped[i].rows};
            ARENA_PUSH(creation->arena, manifest->tables, manifest->table_count, capacity, added);
            table = &manifest->tables[manifest->table_count - 1];
        }
        if (table->rows != dumped[i].rows)
            return error_set(err, ERR_FAILED,
                             "%s.%s has %" PRId64 " rows, but the dump holds %" PRId64,
                             table->schema, table->name, table->rows, dumped[i].rows);
        table->raw_bytes = dumped[i].raw_bytes;
        table->digest = arena_printf(creation->arena, "%016" PRIx64, dumped[i].digest);
    }
    for (size_t j = 0; j < manifest->table_count; j++) {
        const ManifestTable *table = &manifest->tables[j];
        if (!table->partitioned && !table->digest)
            return error_set(err, ERR_FAILED, "the dump lacks the table %s.%s", table->schema,
                             table->name);
    }
    return true;
}

static bool finish(Creation *creation, Error *err)
{
    Manifest *manifest = &creation->manifest;
    GzipTotals totals;
    if (!merge_counts(creation, err) || !gzip_writer_finish(creation->writer, &totals, err))
        return false;
    manifest->file = creation->claim.file;
    manifest->name = creation->spec->name;
    manifest->env = creation->spec->env;
    manifest->reason = creation->spec->reason;
    manifest->tool_version = VAXDB_VERSION;
    manifest->dump_version = creation->tool.version;
    manifest->started_at = creation->claim.started_at;
    manifest->finished_at = clock_unix_s();
    manifest->raw_bytes = totals.raw_bytes;
    manifest->packed_bytes = totals.packed_bytes;
    manifest->sha256 = arena_strdup(creation->arena, totals.sha256);
    /* From here to the rename there is nothing worth stopping for. */
    if (!interrupt_check(err) ||
        !backup_claim_commit(creation->arena, &creation->claim, manifest, err))
        return false;
    progress_finish(&creation->progress);
    return true;
}

bool backup_create(Arena *arena, Log *log, const BackupSpec *spec, BackupResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    _cleanup_creation_ Creation creation = {
        .arena = arena, .log = log, .spec = spec, .claim = {.lock = -1, .descriptor = -1}};
    if (!backup_leader_open(log, spec->conninfo, spec->dbname, &creation.leader, err) ||
        !pg_dump_find(arena, spec->pg_bindir, session_server_version(creation.leader.session),
                      &creation.tool, err) ||
        !backup_claim(arena, spec->directory, spec->name, spec->env, &creation.claim, err) ||
        !dump_with_retries(&creation, err) || !finish(&creation, err))
        return false;
    result->path = creation.claim.path;
    result->manifest = creation.manifest;
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}
