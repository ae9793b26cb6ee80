#include "backup/copy_worker.h"

#include "backup/dump_reader.h"
#include "backup/snapshot.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A longer row is packed from where it was received. */
#define ALONE_BYTES MEMBER_BYTES_MAX
/* What keeps the memory of all within bounds: a worker has a member, raw and packed. */
#define WORKERS_MAX 12
/* Of rows up to this, divided by the workers, each may have one at any time. */
#define WIDE_BYTES ((int64_t)16 << 20)
/* PostgreSQL sends no row of more than 1 GiB. */
#define ROW_MAX ((size_t)1 << 30)
/* Behind the database that is being used meanwhile. */
#define NICENESS 10

typedef struct {
    CopyWorkers *workers;
    pthread_t thread;
    bool started;
    Session *session;
    MemberPacker *packer;
    Buffer raw;  /* of the member that is being filled */
    Buffer line; /* of a binary row */
    Buffer packed;
    DumpRows rows; /* of that member */
    size_t unit;
    bool wide; /* its session has seen a wide row, and keeps a buffer for it */
} Worker;

struct CopyWorkers {
    CopySpec spec;
    atomic_size_t next; /* the unit that nobody has begun */
    atomic_bool stop;
    pthread_mutex_t failure_lock;
    bool failed;
    Error failure;
    Worker workers[WORKERS_MAX];
    int count;
};

static void note_failure(CopyWorkers *workers, const Error *failure)
{
    (void)pthread_mutex_lock(&workers->failure_lock);
    if (!workers->failed)
        workers->failure = *failure;
    workers->failed = true;
    (void)pthread_mutex_unlock(&workers->failure_lock);
    atomic_store(&workers->stop, true);
    member_queue_stop(workers->spec.queue);
}

/* ---- members ----------------------------------------------------------------------------- */

static bool stopped(Error *err)
{
    return error_set(err, ERR_FAILED, "the backup was stopped");
}

static bool put(Worker *worker, const MemberLabel *label, const void *raw, Error *err)
{
    if (!member_pack(worker->packer, label, raw, &worker->packed, err))
        return false;
    bool taken =
        member_queue_put(worker->workers->spec.queue, worker->unit, label, &worker->packed);
    /* A wide row's memory is for the next one's worker. */
    if (worker->packed.capacity > 2 * ALONE_BYTES) {
        buffer_free(&worker->packed);
        buffer_init(&worker->packed, ROW_MAX + (ROW_MAX >> 2));
    }
    return taken || stopped(err);
}

static const CopyUnit *unit_of(const Worker *worker)
{
    return &worker->workers->spec.plan->units[worker->unit];
}

static bool put_line(Worker *worker, MemberKind kind, const char *line, Error *err)
{
    const MemberLabel label = {
        .kind = kind, .table = unit_of(worker)->table->number, .raw_bytes = (int64_t)strlen(line)};
    return put(worker, &label, line, err);
}

static bool put_rows(Worker *worker, const char *raw, size_t length, Error *err)
{
    const CopyUnit *unit = unit_of(worker);
    const MemberLabel label = {.kind = MEMBER_ROWS,
                               .table = unit->table->number,
                               .part = unit->part,
                               .rows = worker->rows.rows,
                               .digest = worker->rows.digest,
                               .raw_bytes = (int64_t)length};
    worker->rows = (DumpRows){0};
    return put(worker, &label, raw, err);
}

static bool flush(Worker *worker, Error *err)
{
    if (!worker->rows.rows)
        return true;
    bool flushed = put_rows(worker, worker->raw.data, worker->raw.length, err);
    buffer_clear(&worker->raw);
    return flushed;
}

static bool take_line(Worker *worker, const char *row, size_t length, Error *err)
{
    bool alone = length > ALONE_BYTES;
    size_t most = unit_of(worker)->table->member_bytes;
    if ((alone || worker->raw.length + length > most) && !flush(worker, err))
        return false;
    int64_t before = worker->rows.rows;
    dump_rows_feed(&worker->rows, row, length);
    if (worker->rows.rows != before + 1 || worker->rows.line_bytes || worker->rows.ends_copy)
        return error_set(err, ERR_FAILED, "the server sent what is not one row");
    if (alone) {
        worker->wide = true;
        return member_queue_wait_turn(worker->workers->spec.queue, worker->unit)
                   ? put_rows(worker, row, length, err)
                   : stopped(err);
    }
    return buffer_append(&worker->raw, row, length) ||
           buffer_check(&worker->raw, "a piece of the dump", err);
}

static bool take_tuple(Worker *worker, const char *tuple, size_t length, Error *err)
{
    const CopyTable *table = unit_of(worker)->table;
    Buffer *line = &worker->line;
    buffer_clear(line);
    if (!row_text_append(table->kinds, table->kind_count, tuple, length, line))
        return line->overflow
                   ? error_set(err, ERR_FAILED,
                               "a row is more than 1 GiB as text, and could not "
                               "be read back")
                   : error_set(err, ERR_FAILED, "the server sent what is no row of this table");
    bool taken = take_line(worker, line->data, line->length, err);
    if (line->capacity > 2 * ALONE_BYTES)
        buffer_free(line);
    return taken;
}

static bool take_row(void *data, const char *row, size_t length, Error *err)
{
    Worker *worker = data;
    if (atomic_load(&worker->workers->stop))
        return stopped(err);
    return unit_of(worker)->table->kinds ? take_tuple(worker, row, length, err)
                                         : take_line(worker, row, length, err);
}

/* ---- units ------------------------------------------------------------------------------- */

/* *locked is false when another session waits for the table. */
static bool lock_table(Session *session, const CopyTable *table, bool *locked, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Error error = {0};
    const char *sql = arena_printf(
        arena, "SAVEPOINT locking; LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT", table->source);
    *locked = session_execute(session, sql, &error);
    if (*locked)
        return session_execute(session, "RELEASE SAVEPOINT locking", err);
    if (str_equal(error.sqlstate, "55P03"))
        return session_execute(session, "ROLLBACK TO SAVEPOINT locking; RELEASE SAVEPOINT locking",
                               err);
    *err = error;
    return error_context(err, "locking %s for reading", table->source);
}

/* The leader may wait: nobody waits for it who is not behind the table's lock already. It has its
 * lock but for tables of extensions. */
static bool lock_by_leader(Session *leader, const CopyTable *table, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *sql = arena_printf(arena, "LOCK TABLE ONLY %s IN ACCESS SHARE MODE", table->source);
    return session_execute(leader, sql, err) ||
           error_context(err, "locking %s for reading", table->source);
}

/* A TRUNCATE or rewrite between the snapshot and the lock would read as empty. */
static bool check_file(Session *session, const CopyTable *table, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *now = NULL;
    const char *sql = arena_printf(arena, "SELECT pg_catalog.pg_relation_filenode(%s)", table->oid);
    if (!session_scalar(session, arena, sql, &now, err))
        return false;
    if (str_equal(now, table->file_node))
        return true;
    (void)error_set(err, ERR_FAILED, "%s was truncated or rewritten while the backup began",
                    table->source);
    return error_hint(err, "run the command again");
}

/* Are its rows too wide for many workers to have such rows at a time? */
static bool check_width(Worker *worker, Error *err)
{
    const CopyUnit *unit = unit_of(worker);
    if (!unit->table->width)
        return true;
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(worker->session, copy_unit_width_query(arena, unit), &rows, err))
        return error_context(err, "looking for wide rows in %s", unit->table->source);
    int64_t widest = 0;
    if (!str_to_int64(result_cell(rows, 0, 0), 0, INT64_MAX, &widest))
        return error_set(err, ERR_FAILED, "the width of a row is no number");
    worker->wide = widest > WIDE_BYTES / worker->workers->count;
    return true;
}

static bool copy_rows(Worker *worker, Session *session, Error *err)
{
    const CopyUnit *unit = unit_of(worker);
    _cleanup_arena_ Arena *arena = arena_create();
    if (!check_file(session, unit->table, err) ||
        !session_copy_out(session, copy_unit_query(arena, unit), take_row, worker, err))
        return error_context(err, "copying %s", unit->table->source);
    return flush(worker, err);
}

static bool copy_unit(Worker *worker, Error *err)
{
    const CopyUnit *unit = unit_of(worker);
    const CopySpec *spec = &worker->workers->spec;
    _cleanup_arena_ Arena *arena = arena_create();
    bool locked = false;
    buffer_clear(&worker->raw);
    worker->rows = (DumpRows){0};
    worker->wide = false;
    if (!lock_table(worker->session, unit->table, &locked, err) ||
        (locked && !check_width(worker, err)))
        return false;
    if ((!locked || worker->wide) && !member_queue_wait_turn(spec->queue, worker->unit))
        return stopped(err);
    if (!locked && !lock_by_leader(spec->leader, unit->table, err))
        return false;
    if (unit->part == 0 &&
        !put_line(worker, MEMBER_COPY_BEGIN, copy_table_header(arena, unit->table), err))
        return false;
    return copy_rows(worker, locked ? worker->session : spec->leader, err) &&
           (!unit->last || put_line(worker, MEMBER_COPY_END, "\\.\n", err));
}

static bool copy_units(Worker *worker, Error *err)
{
    CopyWorkers *workers = worker->workers;
    const CopySpec *spec = &workers->spec;
    for (;;) {
        worker->unit = atomic_fetch_add(&workers->next, 1);
        if (worker->unit >= spec->plan->unit_count || atomic_load(&workers->stop))
            return true;
        if (!worker->session && !backup_join_snapshot(spec->conninfo, spec->dbname, spec->snapshot,
                                                      &worker->session, err))
            return error_context(err, "opening a session with the snapshot of the first one");
        if (!copy_unit(worker, err))
            return false;
        if (worker->wide) /* libpq would keep its buffer */
            session_close(TAKE(worker->session));
        member_queue_end_unit(spec->queue, worker->unit);
    }
}

static void *run_worker(void *data)
{
    Worker *worker = data;
    Error error = {0};
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* of this thread; only a wish */
    buffer_init(&worker->raw, ALONE_BYTES);
    buffer_init(&worker->line, ROW_MAX);
    buffer_init(&worker->packed, ROW_MAX + (ROW_MAX >> 2));
    worker->packer = member_packer_create(worker->workers->spec.compression);
    member_packer_set_key(worker->packer, worker->workers->spec.key);
    /* What fails after a stop fails because of it. */
    if (!copy_units(worker, &error) && !atomic_load(&worker->workers->stop))
        note_failure(worker->workers, &error);
    member_packer_destroy(worker->packer);
    buffer_free(&worker->packed);
    buffer_free(&worker->line);
    buffer_free(&worker->raw);
    session_close(worker->session);
    return NULL;
}

static int worker_count(const CopySpec *spec)
{
    long wanted = spec->jobs;
    if (wanted < 1) {
        wanted = sysconf(_SC_NPROCESSORS_ONLN) / 2;
        wanted = wanted < 2 ? 2 : wanted;
    }
    wanted = wanted > WORKERS_MAX ? WORKERS_MAX : wanted;
    long useful = spec->plan->unit_count < WORKERS_MAX ? (long)spec->plan->unit_count : WORKERS_MAX;
    return (int)(wanted < useful ? wanted : useful);
}

CopyWorkers *copy_workers_start(const CopySpec *spec)
{
    CopyWorkers *workers = calloc(1, sizeof(*workers));
    if (!workers)
        abort();
    workers->spec = *spec;
    workers->count = worker_count(spec);
    (void)pthread_mutex_init(&workers->failure_lock, NULL);
    for (int i = 0; i < workers->count; i++) {
        Worker *worker = &workers->workers[i];
        worker->workers = workers;
        int errnum = pthread_create(&worker->thread, NULL, run_worker, worker);
        worker->started = errnum == 0;
        if (errnum) {
            Error error = {0};
            (void)error_set_errno(&error, ERR_FAILED, errnum, "cannot start a thread");
            note_failure(workers, &error);
        }
    }
    return workers;
}

bool copy_workers_end(CopyWorkers *workers, bool stop, Error *err)
{
    if (!workers)
        return true;
    if (stop) {
        atomic_store(&workers->stop, true);
        member_queue_stop(workers->spec.queue);
    }
    for (int i = 0; i < workers->count; i++) {
        if (workers->workers[i].started)
            (void)pthread_join(workers->workers[i].thread, NULL);
    }
    bool failed = workers->failed;
    if (failed)
        *err = workers->failure;
    (void)pthread_mutex_destroy(&workers->failure_lock);
    free(workers);
    return !failed;
}
