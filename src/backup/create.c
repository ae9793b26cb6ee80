#include "backup/archive.h"
#include "backup/backup.h"
#include "backup/copy_worker.h"
#include "backup/ddl.h"
#include "backup/dump_reader.h"
#include "backup/globals.h"
#include "backup/pg_dump.h"
#include "backup/sequences.h"
#include "backup/snapshot.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define DUMP_ATTEMPTS 3
/* Packed members that wait for their turn. */
#define QUEUE_BYTES ((size_t)32 << 20)
/* A member of statements is cut at the newline before. */
#define TEXT_BYTES  ((size_t)8 << 20)
#define BLOCK_BYTES 8192
#define WAIT_MS     200

typedef struct {
    Arena *arena;
    Log *log;
    const BackupSpec *spec;
    BackupLeader leader;
    PgDump tool;
    BackupClaim claim;
    Manifest manifest;
    uint64_t *digests; /* of the manifest's tables */
    CopyPlan plan;
    Ddl ddl;
    Buffer sequences;
    bool large_objects;
    bool passwords; /* of roles may be read */
    MemberQueue *queue;
    ArchiveWriter *writer;
    MemberPacker *packer;
    SealRepository repository; /* of an encrypted backup */
    Buffer text;               /* of the member that is being filled */
    Buffer packed;
    Buffer globals; /* packed; empty where they could not be read */
    Progress progress;
    int64_t blocks; /* copied */
} Creation;

/* What one attempt made. */
static void drop_attempt(Creation *creation)
{
    member_queue_destroy(TAKE(creation->queue));
    archive_writer_destroy(TAKE(creation->writer));
    ddl_release(&creation->ddl);
    buffer_free(&creation->sequences);
    buffer_free(&creation->text);
}

static void creation_free(Creation *creation)
{
    drop_attempt(creation);
    buffer_free(&creation->packed);
    buffer_free(&creation->globals);
    member_packer_destroy(creation->packer);
    backup_leader_close(&creation->leader);
    backup_claim_release(&creation->claim);
}
#define _cleanup_creation_ _cleanup_(creation_free)

static bool append(Creation *creation, const MemberLabel *label, const void *packed, size_t length,
                   Error *err)
{
    if (archive_append(creation->writer, label, packed, length, err))
        return true;
    if (strstr(err->message, strerror(ENOSPC)))
        (void)error_hint(err, "make room there (`vaxdb backup prune`), or choose another "
                              "folder with --dir; the partial file was removed");
    return false;
}

/* ---- statements -------------------------------------------------------------------------- */

static bool flush_text(Creation *creation, size_t length, Error *err)
{
    if (!length)
        return true;
    const MemberLabel label = {
        .kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE, .raw_bytes = (int64_t)length};
    if (!member_pack(creation->packer, &label, creation->text.data, &creation->packed, err) ||
        !append(creation, &label, creation->packed.data, creation->packed.length, err))
        return false;
    buffer_consume(&creation->text, length);
    return true;
}

/* Whole lines. */
static bool put_text(void *data, const char *bytes, size_t length, Error *err)
{
    Creation *creation = data;
    if (creation->text.length && creation->text.length + length > TEXT_BYTES &&
        !flush_text(creation, creation->text.length, err))
        return false;
    return buffer_append(&creation->text, bytes, length) ||
           buffer_check(&creation->text, "a statement of the dump", err);
}

static bool put_texts(Creation *creation, const Buffer *text, Error *err)
{
    size_t at = 0;
    while (at < text->length) {
        size_t length = text->length - at;
        if (length > TEXT_BYTES) {
            const char *newline = memrchr(text->data + at, '\n', TEXT_BYTES);
            if (!newline)
                newline = memchr(text->data + at, '\n', length);
            length = newline ? (size_t)(newline - text->data) + 1 - at : length;
        }
        if (!put_text(creation, text->data + at, length, err))
            return false;
        at += length;
    }
    return true;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void count_member(Creation *creation, const QueueItem *item)
{
    const MemberLabel *label = &item->label;
    uint32_t row = creation->plan.units[item->unit].table->row;
    ManifestTable *table = &creation->manifest.tables[row];
    if (label->kind == MEMBER_ROWS) {
        table->rows += label->rows;
        table->raw_bytes += label->raw_bytes;
        creation->digests[row] += label->digest;
    } else if (label->kind == MEMBER_COPY_END) {
        table->digest = arena_printf(creation->arena, "%016" PRIx64, creation->digests[row]);
    }
}

static bool take_members(Creation *creation, Error *err)
{
    for (;;) {
        QueueItem item;
        QueueOutcome outcome = member_queue_take(creation->queue, WAIT_MS, &item);
        _cleanup_free_ char *packed = item.packed;
        if (!interrupt_check(err))
            return false;
        switch (outcome) {
        case QUEUE_MEMBER:
            count_member(creation, &item);
            if (!append(creation, &item.label, packed, item.length, err))
                return false;
            break;
        case QUEUE_UNIT_END: {
            const CopyUnit *unit = &creation->plan.units[item.unit];
            int64_t end = unit->end_block < 0 ? unit->table->blocks : unit->end_block;
            creation->blocks += end - unit->first_block;
            progress_update(&creation->progress, creation->blocks * BLOCK_BYTES);
            break;
        }
        case QUEUE_NOTHING:
            break;
        case QUEUE_END:
            return true;
        case QUEUE_STOPPED:
            return error_set(err, ERR_FAILED, "copying rows failed"); /* their own error tells */
        }
    }
}

/* ---- one attempt ------------------------------------------------------------------------- */

static bool begin(Creation *creation, Error *err)
{
    const BackupClaim *claim = &creation->claim;
    Session *leader = creation->leader.session;
    Manifest *manifest = &creation->manifest;
    drop_attempt(creation);
    buffer_init(&creation->sequences, BUFFER_MAX_FILE);
    buffer_init(&creation->text, DUMP_MAX_STATEMENT);
    if (ftruncate(claim->descriptor, 0) != 0 || lseek(claim->descriptor, 0, SEEK_SET) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot write %s", claim->partial);
    creation->writer = archive_writer_create(claim->descriptor, claim->path);
    const SealRepository *repository = &creation->repository;
    if (repository->key && !archive_writer_seal(creation->writer, repository->key,
                                                repository->header, repository->header_length, err))
        return false;
    if (!backup_leader_begin(creation->arena, &creation->leader, manifest, err) ||
        !copy_plan_read(creation->arena, leader, creation->spec->exclude, manifest, &creation->plan,
                        err) ||
        !sequences_read(creation->arena, leader, &manifest->sequences, &manifest->sequence_count,
                        err) ||
        !sequences_write(creation->arena, manifest->sequences, manifest->sequence_count,
                         &creation->sequences, err) ||
        !backup_has_large_objects(leader, &creation->large_objects, err) ||
        !globals_passwords(leader, &creation->passwords, err))
        return false;
    creation->digests =
        arena_array(creation->arena, manifest->table_count, sizeof(*creation->digests));
    creation->blocks = 0;
    creation->queue = member_queue_create(creation->plan.unit_count, QUEUE_BYTES);
    return true;
}

/* Under no snapshot: roles have none. */
static bool read_globals(Creation *creation, Error *err)
{
    Error error = {0};
    ManifestGlobals *globals = &creation->manifest.globals;
    if (globals->sha256 ||
        globals_read(creation->arena, creation->log, creation->spec->pg_bindir, &creation->tool,
                     creation->leader.session, creation->passwords, creation->repository.key,
                     &creation->globals, globals, &error))
        return true;
    if (error.code == ERR_INTERRUPTED || error.code == ERR_UNREACHABLE) {
        *err = error;
        return false;
    }
    log_warn(creation->log, "roles and tablespaces are not backed up: %s", error.message);
    return true;
}

/* Large objects come later, with what the server says about them: then the key stays random. */
static bool settle_key(Creation *creation, Error *err)
{
    _cleanup_buffer_ Buffer between;
    buffer_init(&between, DUMP_MAX_STATEMENT);
    if (creation->large_objects)
        return true;
    (void)buffer_append(&between, creation->sequences.data, creation->sequences.length);
    for (size_t i = 0; i < creation->plan.table_count; i++)
        (void)buffer_append_str(&between,
                                copy_table_header(creation->arena, &creation->plan.tables[i]));
    if (!buffer_check(&between, "the list of tables", err))
        return false;
    (void)!ddl_settle_key(creation->arena, &creation->ddl, &between);
    return true;
}

static bool write_dump(Creation *creation, bool *waited, Error *err)
{
    const PgDump *tool = &creation->tool;
    const BackupLeader *leader = &creation->leader;
    return read_globals(creation, err) &&
           ddl_read(creation->arena, creation->log, tool, leader->session, leader->snapshot,
                    &creation->ddl, waited, err) &&
           settle_key(creation, err) && put_texts(creation, &creation->ddl.before, err) &&
           flush_text(creation, creation->text.length, err) && take_members(creation, err) &&
           put_texts(creation, &creation->sequences, err) &&
           (!creation->large_objects ||
            ddl_read_large_objects(creation->arena, creation->log, tool, leader->session,
                                   leader->snapshot, put_text, creation, err)) &&
           put_texts(creation, &creation->ddl.after, err) &&
           flush_text(creation, creation->text.length, err);
}

/* *waited: pg_dump met a lock, and nothing else was wrong. */
static bool dump_once(Creation *creation, bool *waited, Error *err)
{
    const BackupSpec *spec = creation->spec;
    if (!begin(creation, err))
        return false;
    progress_start(&creation->progress, creation->log, "backing up",
                   creation->plan.blocks * BLOCK_BYTES, PROGRESS_BYTES, "");
    const CopySpec copy = {.plan = &creation->plan,
                           .queue = creation->queue,
                           .leader = creation->leader.session,
                           .snapshot = creation->leader.snapshot,
                           .conninfo = spec->conninfo,
                           .dbname = spec->dbname,
                           .jobs = spec->jobs,
                           .compression = spec->compression,
                           .key = creation->repository.key};
    CopyWorkers *workers = copy_workers_start(&copy);
    bool written = write_dump(creation, waited, err);
    Error copy_error = {0};
    bool copied = copy_workers_end(workers, !written, &copy_error);
    if (written && copied)
        return true;
    progress_abandon(&creation->progress);
    /* A lost server fails both: the session knows best why. */
    if (!copied && err->code != ERR_INTERRUPTED)
        *err = copy_error;
    *waited = *waited && copied;
    return false;
}

static bool dump_with_retries(Creation *creation, Error *err)
{
    for (int attempt = 1;; attempt++) {
        bool waited = false;
        if (dump_once(creation, &waited, err))
            return true;
        if (err->code != ERR_FAILED || !waited || attempt == DUMP_ATTEMPTS)
            return false;
        log_warn(creation->log,
                 "pg_dump met a lock: another session waits to change a table; "
                 "starting over (%d of %d)",
                 attempt + 1, DUMP_ATTEMPTS);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool check_tables(const Manifest *manifest, Error *err)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *table = &manifest->tables[i];
        if (!table->partitioned && !table->excluded && !table->digest)
            return error_set(err, ERR_FAILED, "the dump lacks the table %s.%s", table->schema,
                             table->name);
    }
    return true;
}

static void describe_encryption(const Creation *creation, Manifest *manifest)
{
    const SealRepository *repository = &creation->repository;
    char id[SEAL_ID_HEX_SIZE];
    if (!repository->key)
        return;
    hash_to_hex(repository->key->id, SEAL_ID_BYTES, id);
    manifest->key_id = arena_strdup(creation->arena, id);
    manifest->recipients = *repository->recipients;
}

static bool finish(Creation *creation, Error *err)
{
    Manifest *manifest = &creation->manifest;
    GzipTotals totals;
    if (!check_tables(manifest, err) ||
        !archive_writer_finish(creation->writer, creation->arena, &manifest->index, &totals, err))
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
    describe_encryption(creation, manifest);
    if (manifest->globals.sha256 &&
        !globals_write(creation->arena, creation->claim.path, &creation->repository,
                       &creation->globals, &manifest->globals, err))
        return false;
    /* From here to the rename there is nothing worth stopping for. */
    if (!interrupt_check(err) ||
        !backup_claim_commit(creation->arena, &creation->claim, manifest, err))
        return false;
    progress_finish(&creation->progress);
    return true;
}

/* The data key, and the name that the file then has. */
static bool claim(Creation *creation, Error *err)
{
    const BackupSpec *spec = creation->spec;
    SealRepository *repository = &creation->repository;
    if (backup_keys_wanted(spec->keys) &&
        !backup_keys_repository(spec->keys, spec->directory, repository, err))
        return false;
    member_packer_set_key(creation->packer, repository->key);
    return backup_claim(creation->arena, spec->directory, spec->name, spec->env,
                        repository->key ? BACKUP_SUFFIX SEAL_SUFFIX : BACKUP_SUFFIX,
                        &creation->claim, err);
}

bool backup_create(Arena *arena, Log *log, const BackupSpec *spec, BackupResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    _cleanup_creation_ Creation creation = {
        .arena = arena, .log = log, .spec = spec, .claim = {.lock = -1, .descriptor = -1}};
    buffer_init(&creation.packed, DUMP_MAX_STATEMENT + (DUMP_MAX_STATEMENT >> 2));
    buffer_init(&creation.globals, DUMP_MAX_STATEMENT);
    creation.packer = member_packer_create(spec->compression);
    if (!backup_leader_open(log, spec->conninfo, spec->dbname, &creation.leader, err) ||
        !pg_dump_find(arena, spec->pg_bindir, session_server_version(creation.leader.session),
                      &creation.tool, err) ||
        !pg_restore_find(arena, spec->pg_bindir, &creation.tool, err) || !claim(&creation, err) ||
        !dump_with_retries(&creation, err) || !finish(&creation, err))
        return false;
    result->path = creation.claim.path;
    result->manifest = creation.manifest;
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}
