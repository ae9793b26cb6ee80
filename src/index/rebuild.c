#include "index/index.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "pg/watch.h"
#include "sql_texts.h"

#include <assert.h>

#define CLEANUP_WAIT_MIN_MS 1000
#define CLEANUP_WAIT_MAX_MS 10000

typedef struct {
    Session *session;
    Arena *arena;
    Log *log;
    Relation relation;
    bool is_table;
    int64_t cleanup_wait_ms;
    InvalidIndex *invalid_before;
    size_t invalid_before_count;
} Work;

static bool read_sizes(const Work *work, Result **rows, Error *err)
{
    const char *oid = arena_printf(work->arena, "%lld", (long long)work->relation.oid);
    const char *params[] = {work->is_table ? oid : NULL, work->is_table ? NULL : oid};
    if (!session_query_params(work->session, sql_index_sizes, 2, params, rows, err))
        return error_context(err, "reading sizes");
    return true;
}

static bool measure_before(const Work *work, Rebuild *rebuild, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!read_sizes(work, &rows, err))
        return false;
    size_t count = result_rows(rows);
    rebuild->indexes = arena_array(work->arena, count, sizeof(*rebuild->indexes));
    for (size_t row = 0; row < count; row++) {
        if (result_bool(rows, row, "is_exclusion")) {
            log_warn(work->log,
                     "%s backs an exclusion constraint: PostgreSQL cannot rebuild it"
                     " concurrently, it stays as it is",
                     result_text(rows, row, "index_name"));
            continue;
        }
        rebuild->indexes[rebuild->count++] = (RebuiltIndex){
            .schema = arena_strdup(work->arena, result_text(rows, row, "schema_name")),
            .name = arena_strdup(work->arena, result_text(rows, row, "index_name")),
            .bytes_before = result_int64(rows, row, "size_bytes"),
            .bytes_after = result_int64(rows, row, "size_bytes"),
            .is_valid = result_bool(rows, row, "is_valid"),
        };
    }
    return true;
}

/* A rebuilt index is a new one under the old name: its oid is another. */
static bool resolve_again(Work *work, Error *err)
{
    const char *name =
        arena_printf(work->arena, "%s.%s", work->relation.schema, work->relation.name);
    return work->is_table ||
           index_resolve_index(work->session, work->arena, name, &work->relation, err);
}

static bool measure_after(Work *work, Rebuild *rebuild, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!resolve_again(work, err) || !read_sizes(work, &rows, err))
        return false;
    for (size_t row = 0; row < result_rows(rows); row++) {
        for (size_t i = 0; i < rebuild->count; i++) {
            RebuiltIndex *index = &rebuild->indexes[i];
            if (!str_equal(index->name, result_text(rows, row, "index_name")) ||
                !str_equal(index->schema, result_text(rows, row, "schema_name")))
                continue;
            index->bytes_after = result_int64(rows, row, "size_bytes");
            index->is_valid = result_bool(rows, row, "is_valid");
        }
    }
    return true;
}

static bool was_there_before(const Work *work, int64_t oid)
{
    for (size_t i = 0; i < work->invalid_before_count; i++) {
        if (work->invalid_before[i].oid == oid)
            return true;
    }
    return false;
}

/* Drops what this run has left: new since it began, invalid, and named as REINDEX names them. */
static bool drop_leftovers(const Work *work, Error *err)
{
    InvalidIndex *invalid = NULL;
    size_t count = 0;
    if (!watch_end(work->session, work->cleanup_wait_ms, 0, err) ||
        !index_find_invalid(work->session, work->arena, &invalid, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!invalid[i].is_leftover || was_there_before(work, invalid[i].oid))
            continue;
        if (!session_execute(work->session, invalid[i].mend_sql, err))
            return error_hint(err, "drop it by hand: %s", invalid[i].mend_sql);
        log_info(work->log, "dropped %s, which the unfinished rebuild had left", invalid[i].name);
    }
    return true;
}

/* Adds to *err what is left behind, if anything could not be dropped. */
static void clean_up(const Work *work, Error *err)
{
    Error cleanup = {0};
    interrupt_clear(); /* The one that ended the rebuild: what it left is dropped nevertheless. */
    if (session_is_lost(work->session)) {
        error_hint(err, "see what is left when the server is back: vaxdb index invalid");
    } else if (!drop_leftovers(work, &cleanup)) {
        log_warn(work->log, "something is left of the unfinished rebuild: %s", cleanup.message);
        error_hint(err, "%s", cleanup.hint[0] ? cleanup.hint : "see it: vaxdb index invalid");
    } else if (str_equal(err->sqlstate, "55P03")) {
        error_hint(err, "another transaction was in the way longer than --wait allows; see who: "
                        "vaxdb monitor locks");
    }
}

static bool refuse_leftover(const Work *work, Error *err)
{
    if (work->is_table || !index_is_leftover_name(work->relation.name))
        return true;
    for (size_t i = 0; i < work->invalid_before_count; i++) {
        const InvalidIndex *invalid = &work->invalid_before[i];
        if (invalid->oid != work->relation.oid)
            continue;
        error_set(err, ERR_REFUSED,
                  "%s is left over from an unfinished rebuild: it is dropped, not"
                  " rebuilt",
                  invalid->name);
        return error_hint(err, "%s", invalid->mend_sql);
    }
    return true;
}

bool index_rebuild(Session *session, Arena *arena, Log *log, const char *index, const char *table,
                   int64_t lock_timeout_ms, bool dry_run, Rebuild *rebuild, Error *err)
{
    assert(!index != !table);
    *rebuild = (Rebuild){0};
    Work work = {.session = session, .arena = arena, .log = log, .is_table = table != NULL};
    if (!watch_begin(session, err))
        return false;
    if (table ? !index_resolve_table(session, arena, table, &work.relation, err)
              : !index_resolve_index(session, arena, index, &work.relation, err))
        return false;
    rebuild->sql = arena_printf(arena, "REINDEX %s CONCURRENTLY %s;", table ? "TABLE" : "INDEX",
                                sql_qualified(arena, work.relation.schema, work.relation.name));
    if (!index_find_invalid(session, arena, &work.invalid_before, &work.invalid_before_count,
                            err) ||
        !refuse_leftover(&work, err) || !measure_before(&work, rebuild, err))
        return false;
    if (dry_run)
        return true;
    work.cleanup_wait_ms = lock_timeout_ms < CLEANUP_WAIT_MIN_MS   ? CLEANUP_WAIT_MIN_MS
                           : lock_timeout_ms > CLEANUP_WAIT_MAX_MS ? CLEANUP_WAIT_MAX_MS
                                                                   : lock_timeout_ms;
    if (!watch_end(session, lock_timeout_ms, 0, err))
        return false;
    int64_t started_ms = clock_monotonic_ms();
    if (!session_execute(session, rebuild->sql, err)) {
        error_context(err, "%s", rebuild->sql);
        clean_up(&work, err);
        return false;
    }
    rebuild->duration_ms = clock_monotonic_ms() - started_ms;
    return measure_after(&work, rebuild, err);
}
