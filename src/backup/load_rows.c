#include "backup/load_parallel.h"

#include <inttypes.h>
#include <string.h>

static bool feed(void *data, const char *bytes, size_t length, Error *err)
{
    LoadWorker *worker = data;
    if (load_crew_stopped(worker->crew))
        return load_crew_stop_error(err);
    return session_copy_data(worker->session, bytes, length, err);
}

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
static bool copy_members(ParallelLoad *load, LoadWorker *worker, LoadRows *rows,
                         const Member *member, Error *err)
{
    const LoadTable *table = rows->table;
    int64_t sent = 0;
    int64_t taken = 0;
    do {
        if (!member_read(worker->reader, load->file->descriptor, member, feed, worker, err)) {
            session_copy_abort(worker->session, "the restore stopped");
            return error_context(err, "loading %s.%s, at the part from byte %" PRId64,
                                 table->schema, table->name, member->offset);
        }
        sent += member->label.rows;
        count_bytes(load, worker, member->packed_bytes);
    } while (take_member(load, worker, rows, &member));
    if (!session_copy_end(worker->session, &taken, err))
        return error_context(err, "loading %s.%s", table->schema, table->name);
    return sent == taken ||
           error_set(err, ERR_FAILED,
                     "%s.%s: the server took %" PRId64 " rows of %" PRId64 " that were sent",
                     table->schema, table->name, taken, sent);
}

/* "COPY ... FROM stdin" with the option, where it has no others. */
static const char *frozen_copy(Arena *arena, const char *sql)
{
    static const char end[] = " FROM stdin";
    size_t length = strlen(sql);
    bool plain = length > strlen(end) && str_equal(sql + length - strlen(end), end);
    return plain ? arena_printf(arena, "%s WITH (FREEZE)", sql) : NULL;
}

bool load_rows(ParallelLoad *load, LoadWorker *worker, LoadRows *rows, Error *err)
{
    const LoadTable *table = rows->table;
    const Member *member = NULL;
    _cleanup_arena_ Arena *arena = arena_create();
    if (!take_member(load, worker, rows, &member))
        return true; /* an empty table, or others were faster */
    const char *frozen = rows->frozen ? frozen_copy(arena, table->sql) : NULL;
    const char *begin = arena_printf(arena, "BEGIN; TRUNCATE ONLY %s",
                                     sql_qualified(arena, table->schema, table->name));
    if (!load_apply_settings(worker->session, &worker->settings, &load->plan->settings[0], err))
        return false;
    if ((frozen && !session_execute(worker->session, begin, err)) ||
        !session_copy_begin(worker->session, frozen ? frozen : table->sql, err))
        return error_context(err, "line %" PRId64 " of the dump", table->line);
    return copy_members(load, worker, rows, member, err) &&
           (!frozen || session_execute(worker->session, "COMMIT", err));
}
