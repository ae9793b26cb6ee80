#include "backup/archive_open.h"
#include "backup/backup.h"
#include "backup/dump_reader.h"
#include "backup/dump_stream.h"
#include "backup/gzip.h"
#include "backup/load_parallel.h"
#include "backup/roles.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "pg/blockers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES 262144

static void leave_out(Loading *loading, const char *sql, int64_t line, const char *why)
{
    int shown = (int)strcspn(sql, "\n");
    str_list_addf(&loading->result->notes, "line %" PRId64 " left out (%s): %.*s%s", line, why,
                  shown > 100 ? 100 : shown, sql, shown > 100 ? "..." : "");
}

/* What psql without ON_ERROR_STOP would stumble over and a restore need not fail for. NULL: it must
 * fail. */
static const char *forgive(const char *sql, const Error *error)
{
    /* A setting of the dump's newer version that this server lacks (transaction_timeout, ...). */
    if (str_starts(sql, "SET ") && strchr(sql, '=') && str_equal(error->sqlstate, "42704"))
        return "this server has no such setting";
    if (str_starts(sql, "SET default_tablespace") && str_equal(error->sqlstate, "22023"))
        return "this server has no such tablespace; the default one is used";
    if (str_starts(sql, "COMMENT ON EXTENSION") && str_equal(error->sqlstate, "42501"))
        return "only a superuser may";
    return NULL;
}

/* What concerns a table that is not wanted, and so is not there. */
static bool misses_object(const Error *error)
{
    static const char *const states[] = {"42P01", "42704", "42883"};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        if (str_equal(error->sqlstate, states[i]))
            return true;
    }
    return false;
}

bool load_execute(Loading *loading, const char *sql, int64_t line, Error *err)
{
    if (loading->options && roles_mentioned(sql, loading->options->skip_roles)) {
        leave_out(loading, sql, line, "the role is missing");
        return true;
    }
    Error error = {0};
    if (session_execute(loading->session, sql, &error))
        return true;
    const char *why = forgive(sql, &error);
    if (why) {
        leave_out(loading, sql, line, why);
        if (str_starts(sql, "SET "))
            str_list_add(&loading->forgiven, sql);
        return true;
    }
    if (loading->partial && misses_object(&error))
        return true;
    *err = error;
    return error_context(err, "line %" PRId64 " of the dump", line);
}

static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    (void)length;
    return load_execute(data, sql, line, err);
}

static bool on_copy_begin(void *data, const char *sql, int64_t line, Error *err)
{
    Loading *loading = data;
    if (!session_copy_begin(loading->session, sql, err))
        return error_context(err, "line %" PRId64 " of the dump", line);
    loading->in_copy = true;
    return true;
}

static bool on_copy_data(void *data, const char *bytes, size_t length, Error *err)
{
    Loading *loading = data;
    if (session_copy_data(loading->session, bytes, length, err))
        return true;
    loading->in_copy = false;
    return false;
}

static bool on_copy_end(void *data, const DumpTable *table, int64_t block_rows, Error *err)
{
    Loading *loading = data;
    loading->in_copy = false;
    int64_t rows = 0;
    if (!session_copy_end(loading->session, &rows, err))
        return error_context(err, "loading %s", table->name);
    if (rows != block_rows)
        return error_set(err, ERR_FAILED,
                         "%s: the server took %" PRId64 " rows of %" PRId64 " that were sent",
                         table->name, rows, block_rows);
    return true;
}

static bool feed_bytes(void *data, const char *bytes, size_t length, Error *err)
{
    return interrupt_check(err) && dump_reader_feed(data, bytes, length, err);
}

/* Of an encrypted file. */
static bool feed_members(const LoadFile *file, DumpReader *dump, Progress *progress, Error *err)
{
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, file->index->key);
    for (size_t i = 0; i < file->index->count; i++) {
        const Member *member = &file->index->members[i];
        if (!member_read(reader, file->descriptor, member, feed_bytes, dump, err))
            return false;
        progress_update(progress, member->offset + member->packed_bytes);
    }
    return true;
}

static bool feed_stream(const LoadFile *file, DumpReader *dump, Progress *progress,
                        int64_t *raw_bytes, Error *err)
{
    _cleanup_gzip_reader_ GzipReader *reader = NULL;
    _cleanup_arena_ Arena *arena = arena_create();
    char *chunk = arena_alloc(arena, CHUNK_BYTES);
    if (!gzip_reader_open(file->path, &reader, err))
        return false;
    for (;;) {
        size_t got = 0;
        if (!interrupt_check(err) || !gzip_read(reader, chunk, CHUNK_BYTES, &got, err))
            return false;
        if (!got)
            break;
        if (!dump_reader_feed(dump, chunk, got, err))
            return false;
        progress_update(progress, gzip_reader_packed_bytes(reader));
    }
    *raw_bytes = gzip_reader_raw_bytes(reader);
    return true;
}

static bool feed(const LoadFile *file, DumpReader *dump, Progress *progress, int64_t *raw_bytes,
                 Error *err)
{
    *raw_bytes = file->index->raw_bytes;
    bool fed = file->index->key ? feed_members(file, dump, progress, err)
                                : feed_stream(file, dump, progress, raw_bytes, err);
    if (!fed || !dump_reader_finish(dump, err))
        return false;
    return dump_reader_is_complete(dump) ||
           error_set(err, ERR_PROBLEMS, "the end of the dump is missing");
}

static bool analyze(Session *session, LoadResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    if (!session_execute(session, "ANALYZE", err))
        return error_context(err, "collecting statistics");
    result->analyze_seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}

/* Any dump, in one go. */
static bool load_stream(Loading *loading, const LoadFile *file, Error *err)
{
    LoadResult *result = loading->result;
    struct stat status;
    if (fstat(file->descriptor, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", file->path);
    DumpEvents events = {on_statement, on_copy_begin, on_copy_data, on_copy_end};
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(loading->arena, &events, loading);
    Progress progress;
    progress_start(&progress, loading->log, "restoring", status.st_size, PROGRESS_BYTES, "");
    if (!feed(file, dump, &progress, &result->raw_bytes, err)) {
        progress_abandon(&progress);
        if (loading->in_copy)
            session_copy_abort(loading->session, "the restore stopped");
        return false;
    }
    progress_finish(&progress);
    size_t count = 0;
    const DumpTable *tables = dump_reader_tables(dump, &count);
    for (size_t i = 0; i < count; i++)
        result->rows += tables[i].rows;
    result->tables = count;
    return analyze(loading->session, result, err);
}

/* A file of members that several sessions can restore; plan->obstacle tells why not. */
static bool read_plan(Loading *loading, const LoadFile *file, LoadPlan *plan, Error *err)
{
    *plan = (LoadPlan){.obstacle = "it is one stream"};
    if (!loading->options || !loading->options->connect || !file->index->count)
        return true;
    return load_plan_read(loading->arena, file, plan, err);
}

static bool load_file(Loading *loading, const char *path, Error *err)
{
    ArchiveIndex index;
    LoadPlan plan;
    BackupKeys *keys = loading->options ? loading->options->keys : NULL;
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    const LoadFile file = {.descriptor = descriptor, .path = path, .index = &index};
    if (!archive_open_index(loading->arena, descriptor, path, NULL, keys, &index, err) ||
        !read_plan(loading, &file, &plan, err))
        return false;
    if (plan.obstacle && loading->options && loading->options->tables)
        return error_set(err, ERR_REFUSED,
                         "single tables can be restored only from a backup that vaxdb made: %s",
                         plan.obstacle);
    if (plan.obstacle) {
        log_debug(loading->log, "restoring by one session: %s", plan.obstacle);
        return load_stream(loading, &file, err);
    }
    return load_parallel(loading, &file, &plan, err);
}

bool backup_load(Arena *arena, Log *log, Session *session, const char *path,
                 const LoadOptions *options, LoadResult *result, Error *err)
{
    *result = (LoadResult){0};
    str_list_init(&result->notes, arena);
    Loading loading = {
        .arena = arena, .log = log, .session = session, .options = options, .result = result};
    str_list_init(&loading.forgiven, arena);
    return (load_prepare_session(session, 1, err) && load_file(&loading, path, err)) ||
           error_context(err, "restoring %s", path_basename(path));
}

/* ---- schema alone ------------------------------------------------------------------------ */

static bool take_schema(void *data, const char *bytes, size_t length, Error *err)
{
    return dump_reader_feed(data, bytes, length, err);
}

/* pg_dump has no other words for it than the statement. */
static void explain_dump(Session *from, Error *err)
{
    if (err->code != ERR_FAILED || !strstr(err->message, "LOCK TABLE"))
        return;
    error_mark_lock_timeout(err);
    (void)lock_timeout_explain(from, LOCK_TO_READ, err);
}

static bool copy_schema(Arena *arena, Log *log, Session *from, const PgDump *tool, DumpReader *dump,
                        Error *err)
{
    char lock_wait[48];
    (void)snprintf(lock_wait, sizeof(lock_wait), "--lock-wait-timeout=%d", READ_LOCK_TIMEOUT_MS);
    const char *const arguments[] = {
        "--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-subscriptions",
        lock_wait,       NULL};
    _cleanup_dump_stream_ DumpStream stream = {.process = {.out = -1, .in = -1, .err = -1}};
    const DumpSink sink = {take_schema, NULL, dump};
    return dump_stream_start(arena, tool, from, arguments, &stream, err) &&
           dump_stream_run(log, &stream, &sink, err) && dump_reader_finish(dump, err) &&
           (dump_reader_is_complete(dump) ||
            error_set(err, ERR_FAILED, "pg_dump did not write its last line"));
}

bool backup_copy_schema(Arena *arena, Log *log, Session *from, Session *to, const char *pg_bindir,
                        Error *err)
{
    PgDump tool;
    LoadResult result = {0};
    str_list_init(&result.notes, arena);
    Loading loading = {.arena = arena, .log = log, .session = to, .result = &result};
    str_list_init(&loading.forgiven, arena);
    const DumpEvents events = {.statement = on_statement};
    if (!pg_dump_find(arena, pg_bindir, session_server_version(from), &tool, err) ||
        !load_prepare_session(to, 1, err))
        return false;
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(arena, &events, &loading);
    if (!copy_schema(arena, log, from, &tool, dump, err)) {
        explain_dump(from, err);
        return error_context(err, "copying the schema");
    }
    for (size_t i = 0; i < result.notes.count; i++)
        log_warn(log, "%s", result.notes.items[i]);
    return true;
}
