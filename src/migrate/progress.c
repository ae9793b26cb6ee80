#include "migrate/progress.h"

#include "base/str.h"
#include "pg/blockers.h"
#include "sql_texts.h"

#define LOOK_MS        ((int64_t)500)
#define LOOK_LEAST_MS  ((int64_t)20)
#define TELL_AFTER_MS  ((int64_t)1000)
#define BLOCKERS_NAMED 3

/* ---- who blocks -------------------------------------------------------------------------- */

static void take_blockers(StatementWatch *watch, const Result *rows)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StrList pids, texts;
    str_list_init(&pids, arena);
    str_list_init(&texts, arena);
    size_t count = result_rows(rows);
    for (size_t i = 0; i < count; i++) {
        str_list_add(&pids, result_text(rows, i, "pid"));
        if (i < BLOCKERS_NAMED)
            str_list_add(&texts, blocker_describe(arena, rows, i));
    }
    if (count > BLOCKERS_NAMED)
        str_list_addf(&texts, "and %zu more", count - BLOCKERS_NAMED);
    (void)snprintf(watch->pids, sizeof(watch->pids), "%s", str_list_join(&pids, arena, " "));
    (void)snprintf(watch->blockers, sizeof(watch->blockers), "%s",
                   str_list_join(&texts, arena, "\n    "));
}

void statement_watch_tell_blockers(StatementWatch *watch)
{
    if (!watch->blockers[0] || str_equal(watch->pids, watch->told))
        return;
    (void)snprintf(watch->told, sizeof(watch->told), "%s", watch->pids);
    if (!watch->log)
        return;
    bool by_phase = str_starts(watch->phase, "waiting");
    log_info(watch->log, "%s%s%s:\n    %s", watch->file ? watch->file : "", watch->file ? ": " : "",
             by_phase ? watch->phase : "waiting for a lock, held by", watch->blockers);
}

static void look_at_lock(StatementWatch *watch, const char *process, int64_t waited_ms)
{
    _cleanup_result_ Result *rows = NULL;
    Error ignored = {0};
    if (!session_query_params(watch->guard, sql_migrate_blockers, 1, &process, &rows, &ignored) ||
        result_rows(rows) == 0)
        return;
    take_blockers(watch, rows);
    if (waited_ms - watch->waits_since_ms >= TELL_AFTER_MS)
        statement_watch_tell_blockers(watch);
}

/* ---- how far an index is ----------------------------------------------------------------- */

static void hide_progress(StatementWatch *watch)
{
    if (watch->showing)
        progress_abandon(&watch->progress);
    watch->showing = false;
}

static void begin_phase(StatementWatch *watch, const Result *rows, const char *phase,
                        int64_t waited_ms)
{
    const char *index = result_text(rows, 0, "index_name");
    const char *table = result_text(rows, 0, "table_name");
    (void)snprintf(watch->label, sizeof(watch->label), "%s%s: %s", index ? "" : "on ",
                   index ? index : table, phase);
    bool in_blocks = str_equal(result_text(rows, 0, "unit"), "blocks");
    progress_start(&watch->progress, watch->log, watch->label, result_int64(rows, 0, "total"),
                   PROGRESS_COUNT, in_blocks ? "blocks" : "rows");
    /* It has begun since the last look. */
    watch->progress.started_ms -= waited_ms - watch->waited_ms;
}

static void look_at_build(StatementWatch *watch, const Result *rows, int64_t waited_ms)
{
    const char *phase = result_text(rows, 0, "phase");
    if (!phase)
        phase = "";
    bool counted = *phase && !result_is_null(rows, 0, "unit");
    bool another =
        !str_equal(phase, watch->phase) || watch->progress.total != result_int64(rows, 0, "total");
    (void)snprintf(watch->phase, sizeof(watch->phase), "%s", phase);
    if (!counted || !watch->log) {
        hide_progress(watch);
        return;
    }
    if (another)
        begin_phase(watch, rows, phase, waited_ms);
    watch->showing = true;
    progress_update(&watch->progress, result_int64(rows, 0, "done"));
    if (another)
        progress_show(&watch->progress);
}

/* ---- looking ----------------------------------------------------------------------------- */

/* A look that fails is no failure of the statement. */
static void look(void *data, int64_t waited_ms)
{
    StatementWatch *watch = data;
    if (session_is_lost(watch->guard))
        return;
    char process[16];
    (void)snprintf(process, sizeof(process), "%d", watch->process);
    const char *params[] = {process};
    _cleanup_result_ Result *rows = NULL;
    Error ignored = {0};
    if (!session_query_params(watch->guard, sql_migrate_activity, 1, params, &rows, &ignored) ||
        result_rows(rows) == 0)
        return;
    if (waited_ms <= watch->waited_ms)
        statement_watch_end(watch, false); /* another statement than at the last look */
    look_at_build(watch, rows, waited_ms);
    if (result_bool(rows, 0, "waits"))
        look_at_lock(watch, process, waited_ms);
    else {
        watch->waits_since_ms = waited_ms;
        watch->blockers[0] = watch->pids[0] = '\0';
    }
    watch->waited_ms = waited_ms;
}

void statement_watch_begin(StatementWatch *watch, Session *work, int process, Session *guard,
                           Log *log, int64_t lock_timeout_ms)
{
    *watch = (StatementWatch){.guard = guard, .log = log, .process = process};
    /* Often enough that a lock which is given up soon has been looked at. */
    int64_t often_ms = lock_timeout_ms > 0 ? lock_timeout_ms / 3 : LOOK_MS;
    if (often_ms < LOOK_LEAST_MS)
        often_ms = LOOK_LEAST_MS;
    session_on_wait(work, often_ms < LOOK_MS ? often_ms : LOOK_MS, look, watch);
}

void statement_watch_file(StatementWatch *watch, const char *file)
{
    watch->file = file;
    watch->waited_ms = watch->waits_since_ms = 0;
    watch->blockers[0] = watch->told[0] = watch->pids[0] = watch->phase[0] = '\0';
}

void statement_watch_end(StatementWatch *watch, bool done)
{
    hide_progress(watch);
    watch->waited_ms = watch->waits_since_ms = 0;
    watch->phase[0] = '\0';
    if (done)
        watch->blockers[0] = watch->pids[0] = '\0';
}
