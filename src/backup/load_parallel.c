#include "backup/load_parallel.h"

#include "base/clock.h"
#include "base/progress.h"
#include "sql_texts.h"

#include <inttypes.h>
#include <string.h>

#define UNDEFINED_TABLE "42P01"

/* Phase 2. */
typedef struct {
    ParallelLoad *load;
    LoadSchedule *schedule;
    Progress progress;
} Early;

/* ---- phase 1 ----------------------------------------------------------------------------- */

static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    const ParallelLoad *load = data;
    (void)length;
    return load_execute(load->loading, sql, line, err);
}

/* Leaves out of the settings what this server does not have, so that other sessions need not know
 * what may be forgiven. */
static bool settle(ParallelLoad *load, LoadSettings *settings, Error *err)
{
    Loading *loading = load->loading;
    size_t kept = 0;
    for (size_t i = 0; i < settings->count; i++) {
        const char *sql = settings->statements[i];
        if (!str_list_has(&loading->forgiven, sql) &&
            !load_execute(loading, sql, settings->lines[i], err))
            return false;
        if (!str_list_has(&loading->forgiven, sql))
            settings->statements[kept++] = sql;
    }
    settings->count = kept;
    return true;
}

static bool run_before(ParallelLoad *load, Error *err)
{
    static const DumpEvents events = {.statement = on_statement};
    LoadPlan *plan = load->plan;
    if (!load_plan_walk(load->file, 0, plan->before_end, 1, &events, load, err))
        return false;
    for (size_t i = 0; i < plan->settings_count; i++) {
        if (!settle(load, &plan->settings[i], err))
            return false;
        load->settings = &plan->settings[i];
    }
    return true;
}

static bool read_relations(ParallelLoad *load, Error *err)
{
    Arena *arena = load->loading->arena;
    LoadRelations *relations = &load->relations;
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(load->loading->session, sql_backup_load_relations, &rows, err))
        return error_context(err, "listing the tables");
    relations->count = result_rows(rows);
    relations->items = arena_array(arena, relations->count, sizeof(*relations->items));
    for (size_t i = 0; i < relations->count; i++) {
        LoadRelation *relation = &relations->items[i];
        *relation = (LoadRelation){
            .schema = arena_strdup(arena, result_text(rows, i, "schema")),
            .name = arena_strdup(arena, result_text(rows, i, "name")),
            .partitioned = result_bool(rows, i, "partitioned"),
            .extension = result_bool(rows, i, "extension"),
            .wanted = true,
            .kept = true,
        };
    }
    for (size_t i = 0; i < relations->count; i++) {
        LoadRelation *root = load_relations_find(relations, result_text(rows, i, "root_schema"),
                                                 result_text(rows, i, "root_name"));
        relations->items[i].root = root ? root : &relations->items[i];
        relations->items[i].parent = load_relations_find(
            relations, result_text(rows, i, "parent_schema"), result_text(rows, i, "parent_name"));
    }
    return true;
}

/* Configuration rows of extensions, which other rows may be checked by. */
static bool load_extensions(ParallelLoad *load, Error *err)
{
    const LoadPlan *plan = load->plan;
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, load->file->index->key);
    LoadWorker leader = {.crew = load->crew,
                         .session = load->loading->session,
                         .reader = reader,
                         .settings = load->settings};
    for (size_t i = 0; i < plan->table_count; i++) {
        const LoadTable *table = &plan->tables[i];
        LoadRelation *relation = load_relations_find(&load->relations, table->schema, table->name);
        LoadRows rows = {.table = table, .relation = relation};
        if (relation && relation->extension && relation->wanted &&
            !load_rows(load, &leader, &rows, err))
            return false;
    }
    load->settings = leader.settings;
    return true;
}

/* ---- phase 2: sequences and large objects ------------------------------------------------ */

typedef struct {
    const ParallelLoad *load;
    LoadWorker *worker;
} DataLoad;

/* It may be one of a table that is not there. */
static bool set_sequence(const DataLoad *load, const char *sql, int64_t line, Error *err)
{
    Error error = {0};
    if (session_execute(load->worker->session, sql, &error) ||
        str_equal(error.sqlstate, UNDEFINED_TABLE))
        return true;
    *err = error;
    return error_context(err, "line %" PRId64 " of the dump", line);
}

static bool on_data(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    const DataLoad *load = data;
    _cleanup_arena_ Arena *arena = arena_create();
    LoadStatement what;
    (void)length;
    if (load_crew_stopped(load->worker->crew))
        return load_crew_stop_error(err);
    load_statement_read(arena, sql, &what);
    if (load->load->loading->partial) {
        /* Of large objects nothing tells which table they are for. */
        bool sequence = str_starts(sql, "SELECT pg_catalog.setval(");
        return !sequence || set_sequence(load, sql, line, err);
    }
    return what.kind != LOAD_DATA || session_execute(load->worker->session, sql, err) ||
           error_context(err, "line %" PRId64 " of the dump", line);
}

static bool load_data(const ParallelLoad *load, LoadWorker *worker, Error *err)
{
    static const DumpEvents events = {.statement = on_data};
    const LoadPlan *plan = load->plan;
    DataLoad data = {load, worker};
    return load_apply_settings(worker->session, &worker->settings, &plan->settings[0], err) &&
           load_plan_walk(load->file, plan->after_begin, load->file->index->count, plan->after_line,
                          &events, &data, err);
}

/* ---- phase 2: indexes -------------------------------------------------------------------- */

static bool run_step(const ParallelLoad *load, LoadWorker *worker, const LoadStep *step,
                     const char *sql, Error *err)
{
    return (load_apply_settings(worker->session, &worker->settings,
                                &load->plan->settings[step->settings], err) &&
            session_execute(worker->session, sql, err)) ||
           error_context(err, "line %" PRId64 " of the dump", step->line);
}

/* *done is false, and that no error, where the step needs what is not there yet: SQLSTATE class 42.
 * It is then run once more in its place, and fails there if it must. */
static bool try_step(const ParallelLoad *load, LoadWorker *worker, const LoadStep *step,
                     const char *sql, bool *done, Error *err)
{
    Error error = {0};
    *done = run_step(load, worker, step, sql, &error);
    if (*done || str_starts(error.sqlstate, "42"))
        return true;
    *err = error;
    return false;
}

static bool run_series(const ParallelLoad *load, LoadWorker *worker, const LoadRelation *relation,
                       Error *err)
{
    for (size_t i = 0; i < relation->step_count; i++) {
        LoadStep *step = relation->steps[i];
        if (!try_step(load, worker, step, step->sql, &step->done, err))
            return false;
    }
    return true;
}

static bool run_build(const ParallelLoad *load, LoadWorker *worker, LoadStep *step, Error *err)
{
    bool key = step->what.kind == LOAD_KEY;
    return try_step(load, worker, step, key ? step->what.index_sql : step->sql,
                    key ? &step->built : &step->done, err);
}

static bool run_finish(const ParallelLoad *load, LoadWorker *worker, const LoadRelation *relation,
                       Error *err)
{
    for (size_t i = 0; i < relation->step_count; i++) {
        LoadStep *step = relation->steps[i];
        bool split = step->what.index_sql != NULL;
        if (step->what.kind == LOAD_INDEX || (split && !step->built))
            continue;
        if (split) {
            if (!run_step(load, worker, step, step->what.attach_sql, err))
                return false;
            step->done = true;
        } else if (!try_step(load, worker, step, step->sql, &step->done, err)) {
            return false;
        }
    }
    return true;
}

/* Helpers of an index build are worth their start only where cores are idle. */
static bool set_helpers(LoadWorker *worker, bool alone, Error *err)
{
    if (worker->one_process == !alone)
        return true;
    worker->one_process = !alone;
    return session_execute(worker->session,
                           alone ? "RESET max_parallel_maintenance_workers"
                                 : "SET max_parallel_maintenance_workers = 0",
                           err);
}

/* ---- phase 2: all of it ------------------------------------------------------------------ */

static bool run_task(ParallelLoad *load, LoadWorker *worker, const LoadTask *task, Error *err)
{
    if (task->kind > LOAD_TASK_DATA && !set_helpers(worker, task->alone, err))
        return false;
    switch (task->kind) {
    case LOAD_TASK_ROWS:
        return load_rows(load, worker, task->rows, err);
    case LOAD_TASK_DATA:
        return load_data(load, worker, err);
    case LOAD_TASK_SERIES:
        return run_series(load, worker, task->relation, err);
    case LOAD_TASK_BUILD:
        return run_build(load, worker, task->step, err);
    case LOAD_TASK_FINISH:
        break;
    }
    return run_finish(load, worker, task->relation, err);
}

static bool work_early(LoadWorker *worker, void *data, Error *err)
{
    Early *early = data;
    LoadCrew *crew = worker->crew;
    for (;;) {
        LoadTask task;
        load_crew_lock(crew);
        LoadTaking taking = load_schedule_take(early->schedule, &task);
        while (taking == LOAD_LATER && !load_crew_stopped(crew)) {
            load_crew_wait(crew);
            taking = load_schedule_take(early->schedule, &task);
        }
        load_crew_unlock(crew);
        if (load_crew_stopped(crew))
            return load_crew_stop_error(err);
        if (taking == LOAD_NOTHING_LEFT)
            return true;
        if (!run_task(early->load, worker, &task, err))
            return false;
        load_crew_lock(crew);
        load_schedule_finish(early->schedule, &task);
        load_crew_wake(crew);
        load_crew_unlock(crew);
    }
}

static void tick(void *data)
{
    Early *early = data;
    load_crew_lock(early->load->crew);
    int64_t done = early->load->done_bytes;
    load_crew_unlock(early->load->crew);
    progress_update(&early->progress, done);
}

static bool run_early(ParallelLoad *load, Error *err)
{
    Loading *loading = load->loading;
    Early early = {.load = load};
    early.schedule = load_schedule_create(loading->arena, load->plan, &load->relations,
                                          load_crew_size(load->crew));
    progress_start(&early.progress, loading->log, "restoring", load->file->index->packed_bytes,
                   PROGRESS_BYTES, "");
    if (!load_crew_run(load->crew, loading->session, work_early, tick, &early, err)) {
        progress_abandon(&early.progress);
        return false;
    }
    progress_finish(&early.progress);
    return true;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void count(ParallelLoad *load)
{
    Loading *loading = load->loading;
    LoadResult *result = loading->result;
    for (size_t i = 0; i < load->plan->table_count; i++) {
        const LoadTable *table = &load->plan->tables[i];
        const LoadRelation *relation =
            load_relations_find(&load->relations, table->schema, table->name);
        if (relation && !relation->wanted)
            continue;
        result->rows += table->rows;
        result->tables++;
    }
    result->raw_bytes = load->file->index->raw_bytes;
    if (!loading->partial)
        return;
    result->wanted = arena_array(loading->arena, load->relations.count, sizeof(*result->wanted));
    for (size_t i = 0; i < load->relations.count; i++) {
        const LoadRelation *relation = &load->relations.items[i];
        if (relation->wanted)
            result->wanted[result->wanted_count++] =
                (TableRows){.schema = relation->schema, .name = relation->name};
    }
}

static bool choose_tables(ParallelLoad *load, Error *err)
{
    Loading *loading = load->loading;
    if (!loading->options->tables || !loading->options->tables->count)
        return true;
    loading->partial = true;
    return load_select_tables(load, err) && load_drop_others(load, err);
}

bool load_parallel(Loading *loading, const LoadFile *file, LoadPlan *plan, Error *err)
{
    ParallelLoad load = {.loading = loading, .file = file, .plan = plan};
    _cleanup_load_crew_ LoadCrew *crew = NULL;
    if (!plan->complete)
        return error_set(err, ERR_PROBLEMS, "the end of the dump is missing");
    if (!run_before(&load, err) || !read_relations(&load, err) || !load_read_columns(&load, err) ||
        !choose_tables(&load, err))
        return false;
    bool opened = load_crew_open(loading->log, loading->options->connect, loading->options->jobs,
                                 load.file->index->key, &crew, err);
    load.crew = crew;
    if (!opened || !load_extensions(&load, err) || !run_early(&load, err) ||
        !load_late(&load, err) || (loading->partial && !load_drop_others(&load, err)) ||
        !load_analyze(&load, err))
        return false;
    count(&load);
    return true;
}
