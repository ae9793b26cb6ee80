/* Before a run: what was changed by hand since the one before. The snapshot at its end would take
 * that in unseen, so it is said, and kept with the run and the snapshot. */
#include "base/json.h"
#include "base/str.h"
#include "migrate/runner.h"

#include <string.h>

#define SHOWN    10 /* changes in a warning */
#define RECORDED 50 /* changes in the record */

static const char *changes(const Runner *runner, size_t most, const char *separator)
{
    StrList lines;
    str_list_init(&lines, runner->arena);
    schema_diff_lines(runner->arena, &runner->drift.diff, most, &lines);
    return str_list_join(&lines, runner->arena, separator);
}

bool runner_look_back(Runner *runner, bool will_run, MigrateReport *report, Error *err)
{
    const MigrateOptions *options = runner->options;
    MigrateDrift *drift = &runner->drift;
    Error error = {0};
    StrList none;
    str_list_init(&none, runner->arena);
    if (options->no_snapshot)
        return true;
    if (!snapshot_look(runner->arena, runner->guard, &runner->ledger,
                       options->drift_ignore ? options->drift_ignore : &none, will_run, drift,
                       &error)) {
        if (error.code == ERR_INTERRUPTED || error.code == ERR_UNREACHABLE) {
            *err = error;
            return false;
        }
        runner->taken_in = arena_printf(runner->arena, "not told: %s", error.message);
        str_list_addf(&report->warnings,
                      "whether the schema was changed since the last run cannot be told: %s",
                      error.message);
        return true;
    }
    bool applied = drift->since[0] != '\0';
    runner->behind = drift->state == DRIFT_STALE || (drift->state == DRIFT_NO_SNAPSHOT && applied);
    return true;
}

/* What ran since belongs to it, and what hands did cannot be told from that. */
static void tell_stale(Runner *runner, MigrateReport *report)
{
    Arena *arena = runner->arena;
    const MigrateDrift *drift = &runner->drift;
    const char *since =
        *drift->since ? arena_printf(arena, "since %s", drift->since) : "since all was undone";
    const char *lines = changes(runner, SHOWN, "\n    ");
    runner->taken_in = arena_printf(
        arena, "an interrupted run, or a change of the ledger by hand, left no snapshot %s", since);
    str_list_addf(&report->warnings, "%s; the schema is taken as it is now, which is recorded%s%s",
                  runner->taken_in,
                  *lines ? arena_printf(arena, ". New since %s:\n    ", drift->taken_at) : "",
                  lines);
}

static void tell_found(Runner *runner, MigrateReport *report)
{
    Arena *arena = runner->arena;
    const MigrateDrift *drift = &runner->drift;
    runner->taken_in = arena_printf(arena, "drift: %s", changes(runner, RECORDED, "; "));
    str_list_addf(&report->warnings,
                  "the schema was changed by hand since the last run (%s); it is taken as it is "
                  "now, which is recorded:\n    %s",
                  drift->taken_at, changes(runner, SHOWN, "\n    "));
}

static void tell_other_major(Runner *runner, MigrateReport *report)
{
    const MigrateDrift *drift = &runner->drift;
    runner->taken_in =
        arena_printf(runner->arena, "the server was PostgreSQL %d at the run before, and is %d",
                     drift->snapshot_major, drift->server_major);
    str_list_addf(&report->warnings, "whether the schema was changed cannot be told: %s",
                  runner->taken_in);
}

/* Beside what was passed by, in the run's own record. */
void runner_record_drift(Runner *runner)
{
    const char *overrides = runner->review.overrides;
    _cleanup_json_ json_t *object = NULL;
    Error ignored = {0};
    if (!runner->taken_in)
        return;
    if (!overrides || !json_parse(overrides, strlen(overrides), "overrides", &object, &ignored))
        object = json_object();
    (void)json_object_set_new(object, "drift", json_text(runner->taken_in));
    runner->review.overrides = json_compact(runner->arena, object);
}

void runner_tell_drift(Runner *runner, MigrateReport *report)
{
    const MigrateReview *review = &runner->review;
    if (runner->options->no_snapshot || (!review->plan->count && !runner->behind))
        return;
    if (runner->drift.state == DRIFT_STALE)
        tell_stale(runner, report);
    else if (runner->drift.state == DRIFT_FOUND)
        tell_found(runner, report);
    else if (runner->drift.state == DRIFT_OTHER_MAJOR)
        tell_other_major(runner, report);
    runner_record_drift(runner);
}
