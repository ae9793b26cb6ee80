/* The guide's five steps as one: each stops it, and says where it stands. */
#include "base/clock.h"
#include "base/file.h"
#include "flows/guarded_internal.h"
#include "pg/queries.h"

#define QUERY_TIMEOUT_MS 60000

typedef struct {
    Guard guard;
    RollbackReport *report;
    QueryList queries;
    bool *worked; /* before, by query */
    const char *sha256;
    size_t planned;
} Rollback;

static const char *const step_names[] = {"backup", "verify", "down", "queries", "keep", "done"};

const char *rollback_step_name(RollbackStep step)
{
    return step_names[step];
}

static void tell(const Rollback *rollback, RollbackStep step, const char *text)
{
    const GuardSpec *spec = rollback->guard.spec;
    if (spec->step)
        spec->step(spec->data, step, text);
}

/* ---- the application's queries ----------------------------------------------------------- */

/* One query; *why NULL: it works. What is not the query's fault is an error. */
static bool try_query(Rollback *rollback, size_t index, const char **why, Error *err)
{
    Error error = {0};
    QueryRun run;
    *why = NULL;
    if (query_run(rollback->guard.session, rollback->guard.arena, &rollback->queries.items[index],
                  QUERY_TIMEOUT_MS, &run, &error))
        return true;
    if (error.code != ERR_FAILED && error.code != ERR_PROBLEMS) {
        *err = error;
        return false;
    }
    *why = arena_printf(rollback->guard.arena, "%s: %s", rollback->queries.items[index].name,
                        error.message);
    return true;
}

static bool queries_before(Rollback *rollback, Error *err)
{
    const char *directory = rollback->guard.spec->queries_directory;
    if (!directory)
        return true;
    if (!queries_load(rollback->guard.arena, directory, &rollback->queries, err))
        return false;
    size_t count = rollback->queries.count;
    rollback->worked = arena_array(rollback->guard.arena, count, sizeof(*rollback->worked));
    for (size_t i = 0; i < count; i++) {
        const char *why = NULL;
        if (!try_query(rollback, i, &why, err))
            return false;
        rollback->worked[i] = !why;
        if (why)
            str_list_add(&rollback->report->broken_before, why);
    }
    return true;
}

static bool queries_after(Rollback *rollback, Error *err)
{
    RollbackReport *report = rollback->report;
    for (size_t i = 0; i < rollback->queries.count; i++) {
        const char *why = NULL;
        if (!try_query(rollback, i, &why, err))
            return false;
        report->queries += !why;
        if (why && rollback->worked[i])
            str_list_add(&report->broken, why);
    }
    if (!report->broken.count)
        return true;
    return error_set(
        err, ERR_PROBLEMS, "%zu of the application's queries worked before and fail now:\n  %s",
        report->broken.count, str_list_join(&report->broken, rollback->guard.arena, "\n  "));
}

/* ---- the steps --------------------------------------------------------------------------- */

/* Steps 1 and 2, under the locks of the run: no other migration comes between them and the down. */
static bool back_up(Rollback *rollback, Error *err)
{
    const Guard *guard = &rollback->guard;
    RollbackReport *report = rollback->report;
    BackupResult *made = arena_alloc(guard->arena, sizeof(*made));
    if (!guard_backup_make(guard, "before migrate rollback", made, err))
        return false;
    report->backup = made->path;
    rollback->sha256 = made->manifest.sha256;
    tell(rollback, ROLLBACK_BACKUP, arena_printf(guard->arena, "Backup: %s", made->path));
    report->reached = ROLLBACK_VERIFY;
    if (!guard_backup_verify(guard, made, err) ||
        !guard_backup_hold(guard, made->path, rollback->sha256, "made before migrate rollback",
                           &report->keep_until, err))
        return false;
    tell(rollback, ROLLBACK_VERIFY,
         arena_printf(guard->arena, "Verified: %s rows of %zu tables",
                      str_count(guard->arena, manifest_rows(&made->manifest)),
                      manifest_table_count(&made->manifest)));
    return true;
}

static bool approve(void *data, MigrateReview *review, Error *err)
{
    Rollback *rollback = data;
    rollback->report->begun = true;
    rollback->planned = review->plan->count;
    if (!queries_before(rollback, err) || !back_up(rollback, err))
        return false;
    review->backup_id = path_basename(rollback->report->backup);
    rollback->report->reached = ROLLBACK_DOWN;
    tell(rollback, ROLLBACK_DOWN,
         arena_printf(rollback->guard.arena, "Down: %zu migration%s", rollback->planned,
                      rollback->planned == 1 ? "" : "s"));
    return true;
}

static bool check_application(Rollback *rollback, Error *err)
{
    Arena *arena = rollback->guard.arena;
    const RollbackReport *report = rollback->report;
    rollback->report->reached = ROLLBACK_QUERIES;
    if (!queries_after(rollback, err))
        return false;
    const char *text = "Queries: there is no folder of them (set queries_dir), none was run";
    if (rollback->queries.count)
        text = arena_printf(
            arena, "Queries: %zu of %zu work%s", report->queries, rollback->queries.count,
            report->queries < rollback->queries.count ? "; the others failed before, too" : "");
    tell(rollback, ROLLBACK_QUERIES, text);
    return true;
}

/* Held since it was verified; the seven days count from now, when the rollback is done. */
static bool keep(Rollback *rollback, Error *err)
{
    const Guard *guard = &rollback->guard;
    RollbackReport *report = rollback->report;
    report->reached = ROLLBACK_KEEP;
    if (!guard_backup_hold(guard, report->backup, rollback->sha256, "made before migrate rollback",
                           &report->keep_until, err))
        return false;
    tell(rollback, ROLLBACK_KEEP,
         arena_printf(guard->arena, "Kept until %.10s: %s",
                      clock_iso_utc(guard->arena, report->keep_until),
                      path_basename(report->backup)));
    report->reached = ROLLBACK_DONE;
    return true;
}

/* ---- where it stands --------------------------------------------------------------------- */

static const char *stands(const Rollback *rollback)
{
    const Guard *guard = &rollback->guard;
    const RollbackReport *report = rollback->report;
    const char *retry = guard->spec->retry;
    const char *confirm = guard->target->guard == ENV_PRODUCTION
                              ? arena_printf(guard->arena, " --confirm %s", guard->target->database)
                              : "";
    size_t left = rollback->planned - report->run.done.count;
    const char *number = left > 1 ? arena_printf(guard->arena, " %zu", left) : "";
    const char *again =
        arena_printf(guard->arena, "vaxdb migrate rollback%s %s%s", number, retry, confirm);
    const char *restore =
        arena_printf(guard->arena, "vaxdb restore %s %s%s", retry, report->backup, confirm);
    switch (report->reached) {
    case ROLLBACK_BACKUP:
    case ROLLBACK_VERIFY:
        return arena_printf(guard->arena, "the database is as it was; mend this, then: %s", again);
    case ROLLBACK_DOWN:
        return arena_printf(guard->arena,
                            "%zu of %zu downs have run; the backup is whole and kept. Mend the "
                            "file, then: %s\n      or go back to before: %s",
                            report->run.done.count, rollback->planned, again, restore);
    case ROLLBACK_QUERIES:
        return arena_printf(guard->arena,
                            "the down has run. Bring it back: vaxdb migrate up %s\n      or go "
                            "back to before: %s",
                            retry, restore);
    case ROLLBACK_KEEP:
    case ROLLBACK_DONE:
        break;
    }
    return arena_printf(guard->arena, "the rollback itself is done; keep %s for %d days yourself",
                        report->backup, ROLLBACK_KEEP_DAYS);
}

static bool stopped(const Rollback *rollback, Error *err)
{
    const RollbackReport *report = rollback->report;
    if (!report->begun)
        return false;
    (void)error_context(err, "stopped at step %d of 5 (%s)", (int)report->reached + 1,
                        rollback_step_name(report->reached));
    return error_hint(err, "%s%s%s", err->hint, err->hint[0] ? "\n      " : "", stands(rollback));
}

bool guarded_rollback(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                      MigrateOptions *options, int64_t steps, const char *to, const GuardSpec *spec,
                      RollbackReport *report, Error *err)
{
    Rollback rollback = {.guard = {arena, log, state, target, session, options, spec},
                         .report = report};
    *report = (RollbackReport){0};
    str_list_init(&report->broken, arena);
    str_list_init(&report->broken_before, arena);
    options->approve = approve;
    options->guardian = &rollback;
    bool done = migrate_down(arena, options, steps, to, &report->run, err);
    options->approve = NULL;
    options->guardian = NULL;
    if (done && !report->begun)
        return true;
    return (done && check_application(&rollback, err) && keep(&rollback, err)) ||
           stopped(&rollback, err);
}
