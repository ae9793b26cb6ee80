#include "base/clock.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/str.h"
#include "dataset/dataset.h"
#include "dataset/rebuild.h"
#include "dataset/stream.h"
#include "sql_texts.h"

#include <string.h>

/* Two loads at once would only wait for each other; the second is told. "vaxdata" in hexadecimal.
 */
#define LOAD_LOCK "x'7661786461746100'::bigint"

#define MIN_UNTIL INT32_C(10957) /* 2000-01-01 */
#define MAX_UNTIL INT32_C(84005) /* 2199-12-31 */

bool dataset_check_until(int32_t until, Error *err)
{
    if (until < MIN_UNTIL || until > MAX_UNTIL)
        return error_set(err, ERR_USAGE, "the last day must lie between 2000 and 2199");
    return true;
}

/* "{locations,vaccines,...}" and "locations, vaccines, ..." */
static char *table_names(Arena *arena, bool literal)
{
    StrList names;
    str_list_init(&names, arena);
    for (size_t t = 0; t < TABLE_COUNT; t++)
        str_list_add(&names, dataset_tables[t].name);
    if (!literal)
        return str_list_join(&names, arena, ", ");
    return arena_printf(arena, "{%s}", str_list_join(&names, arena, ","));
}

static World *start_result(Arena *arena, const DatasetSpec *spec, DatasetResult *result)
{
    World *world = world_create(arena, spec->rows, spec->seed, spec->until);
    *result = (DatasetResult){.facilities = world->facility_count, .days = world->day_count};
    for (size_t t = 0; t < TABLE_COUNT; t++)
        result->tables[t].name = dataset_tables[t].name;
    return world;
}

static void finish_digest(DatasetResult *result)
{
    _cleanup_hash_ HashStream *hash = hash_create();
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        const DatasetTable *table = &result->tables[t];
        char line[256];
        int length = snprintf(line, sizeof(line), "%s %lld %s\n", table->name,
                              (long long)table->rows, table->sha256);
        hash_update(hash, line, (size_t)length);
        result->rows += table->rows;
    }
    hash_finish(hash, result->digest);
}

static void finish_table(Stream *stream, DatasetTable *table, int64_t started_us)
{
    StreamSummary summary;
    stream_finish(stream, &summary);
    table->rows = summary.rows;
    memcpy(table->sha256, summary.sha256, sizeof(table->sha256));
    table->seconds = (double)(clock_monotonic_us() - started_us) / 1e6;
}

bool dataset_describe(const DatasetSpec *spec, DatasetResult *result, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const World *world = start_result(arena, spec, result);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        _cleanup_stream_ Stream *stream = NULL;
        StreamBlock block;
        int64_t started_us = clock_monotonic_us();
        if (!stream_open(world, (TableIndex)t, &stream, err))
            return false;
        while (stream_next(stream, &block))
            if (!interrupt_check(err))
                return false;
        finish_table(stream, &result->tables[t], started_us);
    }
    finish_digest(result);
    return true;
}

/* Is every column that we fill among those of the table? */
static bool check_columns(Arena *arena, const Result *rows, size_t row, Error *err)
{
    const char *name = result_text(rows, row, "table_name");
    const char *kind = result_text(rows, row, "kind");
    if (!kind)
        return error_set(err, ERR_REFUSED, "there is no table %s: the schema is not migrated",
                         name);
    if (!str_equal(kind, "r"))
        return error_set(err, ERR_REFUSED, "%s is not a plain table", name);
    StrList found, wanted;
    str_list_init(&found, arena);
    str_list_init(&wanted, arena);
    if (result_text(rows, row, "columns"))
        str_split(&found, result_text(rows, row, "columns"), ",");
    str_split(&wanted, dataset_tables[row].columns, ",");
    for (size_t i = 0; i < wanted.count; i++)
        if (!str_list_has(&found, wanted.items[i]))
            return error_set(err, ERR_REFUSED,
                             "table %s has no column %s: this is not the schema of VaxTrace", name,
                             wanted.items[i]);
    return true;
}

/* A session may take the lock again and again. */
static bool claim_database(Session *session, Arena *arena, Error *err)
{
    const char *alone = NULL;
    if (!session_scalar(session, arena, "SELECT pg_try_advisory_lock(" LOAD_LOCK ")", &alone, err))
        return false;
    if (!str_equal(alone, "t")) {
        (void)error_set(err, ERR_REFUSED, "another data set is being loaded into %s",
                        session_database(session));
        return error_hint(err, "wait until it has ended; vaxdb monitor locks shows it");
    }
    return true;
}

bool dataset_check_database(Session *session, Arena *arena, bool *holds_data, Error *err)
{
    const char *names = table_names(arena, true);
    _cleanup_result_ Result *rows = NULL;
    if (!claim_database(session, arena, err) ||
        !session_query_params(session, sql_dataset_columns, 1, &names, &rows, err))
        return false;
    for (size_t i = 0; i < result_rows(rows); i++)
        if (!check_columns(arena, rows, i, err))
            return false;
    *holds_data = false;
    for (size_t t = 0; t < TABLE_COUNT && !*holds_data; t++) {
        const char *found = NULL;
        const char *sql =
            arena_printf(arena, "SELECT EXISTS (SELECT FROM %s)", dataset_tables[t].name);
        if (!session_scalar(session, arena, sql, &found, err))
            return false;
        *holds_data = str_equal(found, "t");
    }
    return true;
}

static bool begin_load(Session *session, Arena *arena, Error *err)
{
    if (!claim_database(session, arena, err) ||
        !session_execute(session,
                         "BEGIN;"
                         "SET LOCAL statement_timeout = 0;"
                         "SET LOCAL lock_timeout = '10s';"
                         "SET LOCAL jit = off;"
                         /* Sorts of the index builds; never less than the server's own. */
                         "SELECT set_config('maintenance_work_mem', greatest(262144, "
                         "setting::bigint) || 'kB', true) FROM pg_settings "
                         "WHERE name = 'maintenance_work_mem'",
                         err))
        return false;
    /* A server whose client was killed must not go on building indexes. */
    if (session_server_version(session) >= 140000 &&
        !session_execute(session, "SET LOCAL client_connection_check_interval = '2s'", err))
        return false;
    const char *lock =
        arena_printf(arena, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table_names(arena, false));
    if (!session_execute(session, lock, err)) {
        if (str_equal(err->sqlstate, "55P03")) /* lock_not_available */
            (void)error_hint(err, "somebody is using the tables; vaxdb monitor locks shows who");
        return false;
    }
    return true;
}

/* progress is NULL for a small table. */
static bool copy_blocks(Session *session, Stream *stream, Progress *progress, Error *err)
{
    StreamBlock block;
    while (stream_next(stream, &block)) {
        if (!session_copy_data(session, block.data, block.length, err))
            return false;
        if (progress)
            progress_update(progress, block.rows);
    }
    return true;
}

static bool copy_table(Session *session, Arena *arena, Log *log, const World *world,
                       TableIndex index, DatasetTable *table, Error *err)
{
    const DataTable *source = &dataset_tables[index];
    /* FREEZE writes rows as visible to all (the table was emptied in this transaction), so nothing
     * has to be written again later and index-only scans work at once. */
    const char *sql = arena_printf(arena, "COPY %s (%s) FROM STDIN (FORMAT binary, FREEZE)",
                                   source->name, source->columns);
    int64_t expected = index == TABLE_STOCK_SNAPSHOTS ? world->rows
                       : index == TABLE_AUDIT_LOGS    ? world->audit_rows
                                                      : 0;
    int64_t started_us = clock_monotonic_us();
    int64_t loaded = 0;
    Progress progress;
    _cleanup_stream_ Stream *stream = NULL;
    if (!session_copy_begin(session, sql, err))
        return false;
    if (!stream_open(world, index, &stream, err)) {
        session_copy_abort(session, "the generator did not start");
        return false;
    }
    if (source->large)
        progress_start(&progress, log, arena_printf(arena, "loading %s", source->name), expected,
                       PROGRESS_COUNT, "rows");
    if (!copy_blocks(session, stream, source->large ? &progress : NULL, err) ||
        !session_copy_end(session, &loaded, err)) {
        if (source->large)
            progress_abandon(&progress);
        (void)error_context(err, "loading %s", source->name);
        return false;
    }
    if (source->large)
        progress_finish(&progress);
    finish_table(stream, table, started_us);
    if (loaded != table->rows)
        return error_set(err, ERR_FAILED, "the server took %lld of %lld rows of %s",
                         (long long)loaded, (long long)table->rows, source->name);
    return true;
}

static bool load_tables(Session *session, Arena *arena, Log *log, const World *world,
                        DatasetResult *result, Error *err)
{
    Rebuild rebuild = {0};
    const char *names = table_names(arena, true);
    const char *truncate = arena_printf(arena, "TRUNCATE %s", table_names(arena, false));
    bool done = rebuild_find(session, names, &rebuild, err) &&
                rebuild_drop(session, &rebuild, err) && session_execute(session, truncate, err);
    for (size_t t = 0; done && t < TABLE_COUNT; t++)
        done = copy_table(session, arena, log, world, (TableIndex)t, &result->tables[t], err);
    int64_t started_us = clock_monotonic_us();
    done = done && rebuild_create(session, log, &rebuild, err) &&
           session_execute(session, "COMMIT", err);
    if (done) {
        result->rebuild_seconds = (double)(clock_monotonic_us() - started_us) / 1e6;
        result->indexes = result_rows(rebuild.indexes);
        result->foreign_keys = result_rows(rebuild.foreign_keys);
    }
    rebuild_free(&rebuild);
    return done;
}

bool dataset_load(Session *session, Arena *arena, Log *log, const DatasetSpec *spec,
                  DatasetResult *result, Error *err)
{
    const World *world = start_result(arena, spec, result);
    int64_t started_us = clock_monotonic_us();
    if (!begin_load(session, arena, err) || !load_tables(session, arena, log, world, result, err)) {
        Error ignored = {0};
        if (!session_is_lost(session) && session_in_transaction(session))
            (void)!session_execute(session, "ROLLBACK", &ignored);
        return false;
    }
    finish_digest(result);
    int64_t vacuum_us = clock_monotonic_us();
    const char *vacuum = arena_printf(arena, "VACUUM (ANALYZE) %s", table_names(arena, false));
    if (!session_execute(session, vacuum, err)) {
        (void)error_context(err, "the data is loaded, but its statistics are not gathered");
        return error_hint(err, "vaxdb index analyze");
    }
    int64_t ended_us = clock_monotonic_us();
    const DatasetTable *snapshots = &result->tables[TABLE_STOCK_SNAPSHOTS];
    result->vacuum_seconds = (double)(ended_us - vacuum_us) / 1e6;
    result->seconds = (double)(ended_us - started_us) / 1e6;
    result->rows_per_second = (double)snapshots->rows / snapshots->seconds;
    return true;
}
