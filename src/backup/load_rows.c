#include "backup/load_parallel.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <string.h>

/* Rows go to the server in binary, which costs it a third of what their text does, where all types
 * of the table allow it. From a row on whose values are unusual the rest of its part goes as text,
 * by a COPY of its own. */

#define BINARY_HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0" /* signature, no flags, no extension */
#define BINARY_END    "\377\377"

/* A longer row goes as text. */
#define LINE_MAX_BYTES ((size_t)1 << 20)
/* Made of one piece of a part and a line: more than that is never needed. */
#define BINARY_MAX_BYTES ((size_t)64 << 20)

typedef enum { COPY_NONE, COPY_TEXT, COPY_BINARY } CopyFormat;

/* The rows of a table, as far as this session gets them. */
typedef struct {
    ParallelLoad *load;
    LoadWorker *worker;
    const LoadTable *table;
    const char *statements[COPY_BINARY + 1];
    const ValueKind *kinds; /* NULL: all is text */
    size_t kind_count;
    CopyFormat open; /* what the server waits for */
    bool as_text;    /* the rest of the part at hand */
    Buffer line;     /* begun in the last piece of it */
    Buffer binary;   /* to be sent */
    int64_t sent;
    int64_t taken;
} RowCopy;

/* ---- COPY -------------------------------------------------------------------------------- */

static bool send(RowCopy *copy, const char *bytes, size_t length, Error *err)
{
    if (load_crew_stopped(copy->worker->crew))
        return load_crew_stop_error(err);
    return session_copy_data(copy->worker->session, bytes, length, err);
}

/* Of a COPY in binary that is open. */
static bool flush(RowCopy *copy, Error *err)
{
    if (copy->binary.length && !send(copy, copy->binary.data, copy->binary.length, err))
        return false;
    buffer_clear(&copy->binary);
    return true;
}

static bool end_copy(RowCopy *copy, Error *err)
{
    int64_t taken = 0;
    CopyFormat open = copy->open;
    if (open == COPY_NONE)
        return true;
    if (open == COPY_BINARY) {
        (void)buffer_append(&copy->binary, BINARY_END, strlen(BINARY_END));
        if (!flush(copy, err))
            return false;
    }
    copy->open = COPY_NONE;
    if (!session_copy_end(copy->worker->session, &taken, err))
        return false;
    copy->taken += taken;
    return true;
}

static bool begin_copy(RowCopy *copy, CopyFormat format, Error *err)
{
    if (copy->open == format)
        return true;
    if (!end_copy(copy, err) ||
        !session_copy_begin(copy->worker->session, copy->statements[format], err))
        return false;
    copy->open = format;
    return format != COPY_BINARY || send(copy, BINARY_HEADER, sizeof(BINARY_HEADER) - 1, err);
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool send_text(RowCopy *copy, const char *bytes, size_t length, Error *err)
{
    return !length || (begin_copy(copy, COPY_TEXT, err) && send(copy, bytes, length, err));
}

static bool send_binary(RowCopy *copy, Error *err)
{
    return !copy->binary.length || (begin_copy(copy, COPY_BINARY, err) && flush(copy, err));
}

/* The line that was begun, bytes, and the rest of the part. */
static bool go_on_as_text(RowCopy *copy, const char *bytes, size_t length, Error *err)
{
    copy->as_text = true;
    if (!send_binary(copy, err) || !send_text(copy, copy->line.data, copy->line.length, err))
        return false;
    buffer_clear(&copy->line);
    return send_text(copy, bytes, length, err);
}

static bool take_piece(void *data, const char *bytes, size_t length, Error *err)
{
    RowCopy *copy = data;
    const char *end = bytes + length;
    if (copy->as_text)
        return send_text(copy, bytes, length, err);
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *next = newline ? newline + 1 : end;
        bool begun = !newline || copy->line.length;
        if (begun && !buffer_append(&copy->line, bytes, (size_t)(next - bytes)))
            return go_on_as_text(copy, bytes, (size_t)(end - bytes), err);
        if (!newline)
            break;
        const char *line = begun ? copy->line.data : bytes;
        size_t line_bytes = begun ? copy->line.length : (size_t)(next - bytes);
        if (!row_binary_append(copy->kinds, copy->kind_count, line, line_bytes, &copy->binary)) {
            bytes = begun ? next : bytes;
            return go_on_as_text(copy, bytes, (size_t)(end - bytes), err);
        }
        buffer_clear(&copy->line);
        bytes = next;
    }
    return send_binary(copy, err);
}

static bool copy_member(RowCopy *copy, const Member *member, Error *err)
{
    copy->as_text = !copy->kinds;
    if (!member_read(copy->worker->reader, copy->load->file->descriptor, member, take_piece, copy,
                     err) ||
        (copy->line.length && !go_on_as_text(copy, NULL, 0, err)))
        return false;
    copy->sent += member->label.rows;
    return true;
}

/* ---- members ----------------------------------------------------------------------------- */

static bool take_member(ParallelLoad *load, const LoadWorker *worker, LoadRows *rows,
                        const Member **member)
{
    size_t at = 0;
    load_crew_lock(worker->crew);
    bool taken = load_schedule_next_member(rows, &at);
    load_crew_unlock(worker->crew);
    if (taken)
        *member = &load->file->index->members[at];
    return taken;
}

static void count_bytes(ParallelLoad *load, const LoadWorker *worker, int64_t bytes)
{
    load_crew_lock(worker->crew);
    load->done_bytes += bytes;
    load_crew_unlock(worker->crew);
}

/* From member on, until all are taken. */
static bool copy_members(RowCopy *copy, LoadRows *rows, const Member *member, Error *err)
{
    const LoadTable *table = copy->table;
    do {
        if (!copy_member(copy, member, err)) {
            session_copy_abort(copy->worker->session, "the restore stopped");
            return error_context(err, "loading %s.%s, at the part from byte %" PRId64,
                                 table->schema, table->name, member->offset);
        }
        count_bytes(copy->load, copy->worker, member->packed_bytes);
    } while (take_member(copy->load, copy->worker, rows, &member));
    if (!end_copy(copy, err))
        return error_context(err, "loading %s.%s", table->schema, table->name);
    return copy->sent == copy->taken ||
           error_set(err, ERR_FAILED,
                     "%s.%s: the server took %" PRId64 " rows of %" PRId64 " that were sent",
                     table->schema, table->name, copy->taken, copy->sent);
}

/* "COPY ... FROM stdin" has no options of its own. */
static bool is_plain_copy(const char *sql)
{
    static const char end[] = " FROM stdin";
    size_t length = strlen(sql);
    return length > strlen(end) && str_equal(sql + length - strlen(end), end);
}

static bool begin(RowCopy *copy, Arena *arena, bool frozen, Error *err)
{
    const LoadTable *table = copy->table;
    Session *session = copy->worker->session;
    const char *empty = arena_printf(arena, "BEGIN; TRUNCATE ONLY %s",
                                     sql_qualified(arena, table->schema, table->name));
    copy->statements[COPY_TEXT] =
        frozen ? arena_printf(arena, "%s WITH (FREEZE)", table->sql) : table->sql;
    copy->statements[COPY_BINARY] =
        arena_printf(arena, "%s WITH (FORMAT binary%s)", table->sql, frozen ? ", FREEZE" : "");
    return (load_apply_settings(session, &copy->worker->settings, &copy->load->plan->settings[0],
                                err) &&
            (!frozen || session_execute(session, empty, err)) &&
            (copy->kinds || begin_copy(copy, COPY_TEXT, err))) ||
           error_context(err, "line %" PRId64 " of the dump", table->line);
}

bool load_rows(ParallelLoad *load, LoadWorker *worker, LoadRows *rows, Error *err)
{
    const Member *member = NULL;
    _cleanup_arena_ Arena *arena = arena_create();
    if (!take_member(load, worker, rows, &member))
        return true; /* an empty table, or others were faster */
    RowCopy copy = {.load = load, .worker = worker, .table = rows->table};
    copy.kinds = load_row_kinds(arena, rows->relation, rows->table->sql, &copy.kind_count);
    bool frozen = rows->frozen && is_plain_copy(rows->table->sql);
    buffer_init(&copy.line, LINE_MAX_BYTES);
    buffer_init(&copy.binary, BINARY_MAX_BYTES);
    bool loaded = begin(&copy, arena, frozen, err) && copy_members(&copy, rows, member, err) &&
                  (!frozen || session_execute(worker->session, "COMMIT", err));
    buffer_free(&copy.line);
    buffer_free(&copy.binary);
    return loaded;
}
