#include "flows/roundtrip_internal.h"

#include "base/clock.h"

#include <string.h>

/* Changes that one line of detail shows. */
#define SHOWN 3

const char *roundtrip_verdict_name(RoundtripVerdict verdict)
{
    static const char *const names[] = {"passed", "failed", "no_down", "not_possible", "not_run"};
    return names[verdict];
}

bool roundtrip_is_named(const StrList *names, const char *migration)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t length = strlen(names->items[i]);
        if (strncmp(names->items[i], migration, length) == 0 &&
            (migration[length] == '\0' || str_equal(migration + length, ".sql")))
            return true;
    }
    return false;
}

/* ---- one way ----------------------------------------------------------------------------- */

static void note_duration(void *data, const MigrateEvent *event)
{
    ((Roundtrip *)data)->ran_ms = event->duration_ms;
}

/* The file's own fault is a result; what the server or the user does ends the round trip. */
static bool is_finding(const Error *error)
{
    return error->code == ERR_FAILED || error->code == ERR_PROBLEMS;
}

/* *why: what failed; NULL: it ran. */
static bool run_file(Roundtrip *trip, const char *name, RunDirection direction, const char **why,
                     Error *err)
{
    Error error = {0};
    MigrateReport report;
    *why = NULL;
    trip->ran_ms = 0;
    bool done = direction == RUN_UP
                    ? migrate_up(trip->arena, &trip->options, name, &report, &error)
                    : migrate_down(trip->arena, &trip->options, 1, NULL, &report, &error);
    if (done)
        return true;
    if (!is_finding(&error)) {
        *err = error;
        return error_context(err, "the round trip of %s", name);
    }
    *why = arena_strdup(trip->arena, error.message);
    return true;
}

static bool look(Roundtrip *trip, Schema *schema, Error *err)
{
    const SchemaScope scope = {.ledger_table = trip->options.ledger_table, .ignore = &trip->ignore};
    return schema_read(trip->arena, trip->copy.session, &scope, schema, err);
}

static bool stop(Roundtrip *trip, RoundtripStep *step, const char *what, const char *why)
{
    step->verdict = ROUNDTRIP_FAILED;
    step->detail = arena_printf(trip->arena, "%s: %s", what, why);
    trip->stopped = arena_printf(trip->arena, "%s failed before it", step->name);
    return true;
}

/* ---- there and back ---------------------------------------------------------------------- */

static const char *describe(Arena *arena, const SchemaDiff *diff)
{
    StrList lines;
    str_list_init(&lines, arena);
    schema_diff_lines(arena, diff, SHOWN, &lines);
    return str_list_join(&lines, arena, "; ");
}

static void judge(Roundtrip *trip, RoundtripStep *step)
{
    Arena *arena = trip->arena;
    StrList parts;
    str_list_init(&parts, arena);
    if (step->not_undone.count)
        str_list_addf(&parts, "the down does not undo the up: %s",
                      describe(arena, &step->not_undone));
    if (step->not_redone.count)
        str_list_addf(&parts, "the second up ends elsewhere: %s",
                      describe(arena, &step->not_redone));
    step->verdict = parts.count ? ROUNDTRIP_FAILED : ROUNDTRIP_PASSED;
    if (step->lost.count)
        str_list_addf(&parts, "lost: %s", str_list_join(&step->lost, arena, "; "));
    if (step->not_undone.reordered.count)
        str_list_addf(&parts, "columns come back in another order: %s",
                      str_list_join(&step->not_undone.reordered, arena, ", "));
    step->detail = str_list_join(&parts, arena, "; ");
}

/* The way back and there again, from `after` the first up. */
static bool go_back(Roundtrip *trip, RoundtripStep *step, Schema *after, Error *err)
{
    const char *why = NULL;
    Schema back, again;
    if (!run_file(trip, step->name, RUN_DOWN, &why, err))
        return false;
    if (why)
        return stop(trip, step, "the down fails", why);
    step->down_ms = trip->ran_ms;
    if (!look(trip, &back, err))
        return false;
    schema_diff(trip->arena, &trip->now, &back, &step->not_undone);
    if ((trip->report->with_data && !roundtrip_compare_rows(trip, &step->lost, err)) ||
        !run_file(trip, step->name, RUN_UP, &why, err))
        return false;
    if (why) {
        judge(trip, step);
        const char *first = step->verdict == ROUNDTRIP_FAILED ? step->detail : NULL;
        (void)stop(trip, step, "the second up fails", why);
        if (first)
            step->detail = arena_printf(trip->arena, "%s; %s", first, step->detail);
        return true;
    }
    if (!look(trip, &again, err))
        return false;
    schema_diff(trip->arena, after, &again, &step->not_redone);
    judge(trip, step);
    trip->now = again;
    return true;
}

static bool try_migration(Roundtrip *trip, const Migration *migration, RoundtripStep *step,
                          Error *err)
{
    const char *why = NULL;
    Schema after;
    memcpy(step->fingerprint_before, trip->now.fingerprint, HASH_HEX_SIZE);
    bool has_down = migration->file->down_path != NULL;
    if (has_down && trip->report->with_data && !roundtrip_keep_rows(trip, err))
        return false;
    if (!run_file(trip, step->name, RUN_UP, &why, err))
        return false;
    if (why) {
        (void)stop(trip, step, "the up fails", why);
        if (!trip->skipped.count)
            return true;
        step->verdict = ROUNDTRIP_NOT_RUN;
        step->detail = arena_printf(trip->arena, "%s, maybe for want of %s, which cannot run here",
                                    step->detail, str_list_join(&trip->skipped, trip->arena, ", "));
        return true;
    }
    step->up_ms = trip->ran_ms;
    if (!look(trip, &after, err))
        return false;
    memcpy(step->fingerprint_after, after.fingerprint, HASH_HEX_SIZE);
    if (has_down)
        return go_back(trip, step, &after, err);
    step->verdict = ROUNDTRIP_NO_DOWN;
    step->detail = "there is no down file";
    trip->now = after;
    return true;
}

/* What cannot run counts as applied, so that the next up leaves it out. */
static bool skip(Roundtrip *trip, const Migration *migration, const Ledger *ledger, Error *err)
{
    str_list_add(&trip->skipped, migration->name);
    return session_execute(
        trip->copy.session,
        ledger_sql_insert(trip->arena, ledger, migration->name, migration->file->checksum), err);
}

/* One that is before those that are asked for. */
static bool pass_by(Roundtrip *trip, const Migration *migration, Error *err)
{
    const char *why = NULL;
    if (!run_file(trip, migration->name, RUN_UP, &why, err))
        return false;
    if (why)
        trip->stopped =
            arena_printf(trip->arena, "the up of %s fails before it: %s", migration->name, why);
    return why || look(trip, &trip->now, err);
}

static RoundtripStep *add_step(Roundtrip *trip, const Migration *migration)
{
    RoundtripReport *report = trip->report;
    RoundtripStep *step = &report->steps[report->count++];
    *step = (RoundtripStep){.name = migration->name, .detail = "", .up_ms = -1, .down_ms = -1};
    str_list_init(&step->lost, trip->arena);
    str_list_init(&step->not_undone.reordered, trip->arena);
    str_list_init(&step->not_redone.reordered, trip->arena);
    return step;
}

static bool try_next(Roundtrip *trip, const Migration *migration, const Ledger *ledger, Error *err)
{
    const StrList *names = trip->spec->names;
    bool wanted = !names || roundtrip_is_named(names, migration->name);
    const char *reason = NULL;
    RoundtripStep *step = wanted ? add_step(trip, migration) : NULL;
    if (trip->stopped) {
        if (step)
            step->verdict = ROUNDTRIP_NOT_RUN;
        if (step)
            step->detail = trip->stopped;
        return true;
    }
    if (!roundtrip_find_globals(trip->arena, migration->file, &reason, err))
        return false;
    if (reason && step)
        step->verdict = ROUNDTRIP_NOT_POSSIBLE;
    if (reason && step)
        step->detail = reason;
    if (reason)
        return skip(trip, migration, ledger, err);
    return step ? try_migration(trip, migration, step, err) : pass_by(trip, migration, err);
}

static bool try_all(Roundtrip *trip, const MigrateStatus *status, Error *err)
{
    Ledger ledger = status->ledger;
    if (!ledger_create(trip->arena, trip->copy.session, &ledger, err) ||
        !look(trip, &trip->now, err))
        return false;
    const StrList *names = trip->spec->names;
    size_t end = status->count;
    while (names && end > 0 && !roundtrip_is_named(names, status->items[end - 1].name))
        end--;
    for (size_t i = 0; i < end; i++) {
        const Migration *migration = &status->items[i];
        if (migration->state == MIGRATION_PENDING && !try_next(trip, migration, &ledger, err))
            return false;
    }
    return true;
}

/* ---- the whole --------------------------------------------------------------------------- */

/* What would have been tried, had there been a scratch database. */
static bool report_not_run(Roundtrip *trip, const char *why, Error *err)
{
    const RoundtripSpec *spec = trip->spec;
    MigrateStatus status;
    if (!migrate_status(trip->arena, spec->session, trip->options.directory,
                        trip->options.ledger_table, &status, err))
        return false;
    trip->report->steps = arena_array(trip->arena, status.count, sizeof(RoundtripStep));
    for (size_t i = 0; i < status.count; i++) {
        const Migration *migration = &status.items[i];
        bool wanted =
            spec->names ? roundtrip_is_named(spec->names, migration->name) : !migration->entry;
        if (!wanted)
            continue;
        RoundtripStep *step = add_step(trip, migration);
        step->verdict = ROUNDTRIP_NOT_RUN;
        step->detail = why;
    }
    return true;
}

static bool check_names(Roundtrip *trip, Error *err)
{
    const RoundtripSpec *spec = trip->spec;
    MigrationFiles files;
    if (!spec->names)
        return true;
    if (!migration_files_scan(trip->arena, trip->options.directory, &files, err))
        return false;
    for (size_t i = 0; i < spec->names->count; i++) {
        StrList one = {.items = &spec->names->items[i], .count = 1};
        bool found = false;
        for (size_t j = 0; j < files.count && !found; j++)
            found = roundtrip_is_named(&one, files.items[j].name);
        if (!found) {
            (void)error_set(err, ERR_USAGE, "there is no migration %s in %s", one.items[0],
                            files.directory);
            return error_hint(err, "`vaxdb migrate status` lists them");
        }
    }
    return true;
}

static bool run(Roundtrip *trip, Error *err)
{
    const char *why = NULL;
    MigrateStatus status;
    if (!check_names(trip, err) || !roundtrip_make_scratch(trip, &why, err))
        return false;
    if (why)
        return report_not_run(trip, why, err);
    if (!migrate_status(trip->arena, trip->copy.session, trip->options.directory,
                        trip->options.ledger_table, &status, err))
        return false;
    trip->report->steps = arena_array(trip->arena, status.count, sizeof(RoundtripStep));
    return try_all(trip, &status, err);
}

static void sum_up(RoundtripReport *report, int64_t started_ms)
{
    report->passed = true;
    for (size_t i = 0; i < report->count; i++) {
        RoundtripVerdict verdict = report->steps[i].verdict;
        if (verdict == ROUNDTRIP_FAILED || verdict == ROUNDTRIP_NOT_RUN)
            report->passed = false;
    }
    report->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
}

bool roundtrip_run(Arena *arena, Log *log, const RoundtripSpec *spec, RoundtripReport *report,
                   Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    *report = (RoundtripReport){.database = "", .with_data = spec->backup != NULL};
    Roundtrip trip = {.arena = arena, .log = log, .spec = spec, .report = report};
    trip.options = *spec->migrate;
    trip.options.no_snapshot = true;
    trip.options.allow_out_of_order = true; /* whoever asked has judged the order */
    trip.options.locked = NULL;
    trip.options.approve = NULL;
    trip.options.applied = NULL;
    trip.options.started = NULL;
    trip.options.finished = note_duration;
    trip.options.data = &trip;
    str_list_init(&trip.skipped, arena);
    str_list_init(&trip.ignore, arena);
    for (size_t i = 0; spec->ignore && i < spec->ignore->count; i++)
        str_list_add(&trip.ignore, spec->ignore->items[i]);
    str_list_add(&trip.ignore, "schema " ROUNDTRIP_SCHEMA);
    str_list_add(&trip.ignore, ROUNDTRIP_SCHEMA ".*");
    bool done = run(&trip, err);
    copy_release(&trip.copy);
    sum_up(report, started_ms);
    return done;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *list_json(const StrList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_text(list->items[i]));
    return array;
}

static json_t *step_json(const RoundtripStep *step)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_text(step->name));
    (void)json_object_set_new(object, "verdict", json_text(roundtrip_verdict_name(step->verdict)));
    (void)json_object_set_new(object, "detail", json_text(step->detail));
    (void)json_object_set_new(object, "fingerprint_before", json_text(step->fingerprint_before));
    (void)json_object_set_new(object, "fingerprint_after", json_text(step->fingerprint_after));
    (void)json_object_set_new(object, "not_undone", schema_diff_json(&step->not_undone));
    (void)json_object_set_new(object, "not_redone", schema_diff_json(&step->not_redone));
    (void)json_object_set_new(object, "lost", list_json(&step->lost));
    (void)json_object_set_new(object, "up_ms", json_integer(step->up_ms));
    (void)json_object_set_new(object, "down_ms", json_integer(step->down_ms));
    return object;
}

json_t *roundtrip_report_json(const RoundtripReport *report)
{
    json_t *object = json_object(), *steps = json_array();
    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(steps, step_json(&report->steps[i]));
    (void)json_object_set_new(object, "passed", json_boolean(report->passed));
    (void)json_object_set_new(object, "database", json_text(report->database));
    (void)json_object_set_new(object, "with_data", json_boolean(report->with_data));
    (void)json_object_set_new(object, "migrations", steps);
    (void)json_object_set_new(object, "seconds", json_real(report->seconds));
    return object;
}
