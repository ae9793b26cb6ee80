#include "backup/load_parallel.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "sql_texts.h"

#include <inttypes.h>
#include <string.h>

/* ---- foreign keys ------------------------------------------------------------------------ */

/* Foreign keys that stand together. To add one locks both tables, and whatever is in their
 * partition trees. */
typedef struct {
    LoadStep *step;
    LoadRelation *from;
    LoadRelation *to;
    bool taken;
} Reference;

typedef struct {
    ParallelLoad *load;
    Reference *references; /* biggest first */
    size_t count;
} References;

static bool take_reference(References *references, Reference **taken, bool *any_left)
{
    *any_left = false;
    for (size_t i = 0; i < references->count; i++) {
        Reference *reference = &references->references[i];
        if (reference->taken)
            continue;
        *any_left = true;
        if (reference->from->busy || reference->to->busy)
            continue;
        reference->taken = reference->from->busy = reference->to->busy = true;
        *taken = reference;
        return true;
    }
    return false;
}

static bool add_reference(const ParallelLoad *load, LoadWorker *worker, LoadStep *step, Error *err)
{
    step->done = true;
    return (load_apply_settings(worker->session, &worker->settings,
                                &load->plan->settings[step->settings], err) &&
            session_execute(worker->session, step->sql, err)) ||
           error_context(err, "line %" PRId64 " of the dump", step->line);
}

static bool work_references(LoadWorker *worker, void *data, Error *err)
{
    References *references = data;
    LoadCrew *crew = worker->crew;
    for (;;) {
        Reference *reference = NULL;
        bool any_left = false;
        load_crew_lock(crew);
        while (!take_reference(references, &reference, &any_left) && any_left &&
               !load_crew_stopped(crew))
            load_crew_wait(crew);
        load_crew_unlock(crew);
        if (load_crew_stopped(crew))
            return load_crew_stop_error(err);
        if (!reference)
            return true;
        if (!add_reference(references->load, worker, reference->step, err))
            return false;
        load_crew_lock(crew);
        reference->from->busy = reference->to->busy = false;
        load_crew_wake(crew);
        load_crew_unlock(crew);
    }
}

static int compare_references(const void *a, const void *b)
{
    const Reference *left = a;
    const Reference *right = b;
    if (left->from->raw_bytes != right->from->raw_bytes)
        return left->from->raw_bytes > right->from->raw_bytes ? -1 : 1;
    return left->step < right->step ? -1 : left->step > right->step;
}

/* The foreign keys from step i on; comments between them wait. */
static bool add_references(ParallelLoad *load, size_t i, Error *err)
{
    LoadPlan *plan = load->plan;
    Arena *arena = load->loading->arena;
    References references = {.load = load};
    size_t capacity = 0;
    for (; i < plan->step_count; i++) {
        LoadStep *step = &plan->steps[i];
        if (step->done || step->what.kind == LOAD_COMMENT)
            continue;
        if (step->what.kind != LOAD_REFERENCE)
            break;
        const LoadRelation *from =
            load_relations_find(&load->relations, step->what.schema, step->what.name);
        const LoadRelation *to =
            load_relations_find(&load->relations, step->what.to_schema, step->what.to_name);
        if (!from || !to)
            break;
        Reference reference = {.step = step, .from = from->root, .to = to->root};
        ARENA_PUSH(arena, references.references, references.count, capacity, reference);
    }
    if (references.count < 2)
        return true; /* the leader's own session will do */
    qsort(references.references, references.count, sizeof(Reference), compare_references);
    return load_crew_run(load->crew, load->loading->session, work_references, NULL, &references,
                         err);
}

/* Its table is there, without rows. */
static bool refers_to_unwanted(const ParallelLoad *load, const LoadStep *step)
{
    const LoadRelation *to =
        load_relations_find(&load->relations, step->what.to_schema, step->what.to_name);
    return step->what.kind == LOAD_REFERENCE && to && !to->wanted;
}

/* ---- in order ---------------------------------------------------------------------------- */

bool load_late(ParallelLoad *load, Error *err)
{
    LoadPlan *plan = load->plan;
    Loading *loading = load->loading;
    for (size_t i = 0; i < plan->step_count; i++) {
        LoadStep *step = &plan->steps[i];
        if (!step->done && step->what.kind == LOAD_REFERENCE && !loading->partial &&
            !add_references(load, i, err))
            return false;
        if (step->done || refers_to_unwanted(load, step))
            continue;
        if (!load_apply_settings(loading->session, &load->settings, &plan->settings[step->settings],
                                 err) ||
            !load_execute(loading, step->sql, step->line, err))
            return false;
        step->done = true;
    }
    return true;
}

/* ---- statistics -------------------------------------------------------------------------- */

/* What one statement takes at most, but for one table that has more. */
#define BATCH_BYTES  ((int64_t)16 << 20)
#define BATCH_TABLES 64

typedef struct {
    const char **statements;
    size_t count;
    size_t next;
} Analysis;

static bool work_analyze(LoadWorker *worker, void *data, Error *err)
{
    Analysis *analysis = data;
    for (;;) {
        load_crew_lock(worker->crew);
        size_t at = analysis->next++;
        load_crew_unlock(worker->crew);
        if (load_crew_stopped(worker->crew))
            return load_crew_stop_error(err);
        if (at >= analysis->count)
            return true;
        if (!session_execute(worker->session, analysis->statements[at], err))
            return false;
    }
}

static void plan_analysis(Arena *arena, const Result *rows, Analysis *analysis)
{
    StrList batch;
    size_t capacity = 0;
    int64_t bytes = 0;
    str_list_init(&batch, arena);
    for (size_t i = 0; i < result_rows(rows); i++) {
        bool last = i + 1 == result_rows(rows);
        str_list_add(&batch, result_text(rows, i, "name"));
        bytes += result_int64(rows, i, "bytes");
        if (!last && bytes < BATCH_BYTES && batch.count < BATCH_TABLES)
            continue;
        const char *sql = arena_printf(arena, "ANALYZE %s", str_list_join(&batch, arena, ", "));
        ARENA_PUSH(arena, analysis->statements, analysis->count, capacity, sql);
        batch.count = 0;
        bytes = 0;
    }
}

bool load_analyze(ParallelLoad *load, Error *err)
{
    Loading *loading = load->loading;
    int64_t started_ms = clock_monotonic_ms();
    Analysis analysis = {0};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(loading->session, sql_backup_load_analyze, &rows, err))
        return error_context(err, "collecting statistics");
    plan_analysis(loading->arena, rows, &analysis);
    if (!load_crew_run(load->crew, loading->session, work_analyze, NULL, &analysis, err))
        return error_context(err, "collecting statistics");
    loading->result->analyze_seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}
