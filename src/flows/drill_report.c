#include "flows/drill_report.h"

#include "base/clock.h"

#include <string.h>

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *checks_json(const DrillReport *report)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < report->check_count; i++) {
        json_t *check = json_object();
        (void)json_object_set_new(check, "name", json_text(report->checks[i].name));
        (void)json_object_set_new(check, "ok", json_boolean(report->checks[i].ok));
        (void)json_object_set_new(check, "skipped", json_boolean(report->checks[i].skipped));
        (void)json_object_set_new(check, "detail", json_text(report->checks[i].detail));
        (void)json_array_append_new(checks, check);
    }
    return checks;
}

static json_t *phases_json(const DrillReport *report)
{
    json_t *phases = json_array();
    for (size_t i = 0; i < report->phase_count; i++) {
        json_t *phase = json_object();
        (void)json_object_set_new(phase, "name", json_text(report->phases[i].name));
        (void)json_object_set_new(phase, "seconds", json_real(report->phases[i].seconds));
        (void)json_array_append_new(phases, phase);
    }
    return phases;
}

json_t *drill_report_json(const DrillReport *report)
{
    _cleanup_arena_ Arena *arena = arena_create();
    bool dated = report->snapshot_at != 0;
    json_t *object = json_object();
    (void)json_object_set_new(object, "verdict", json_text(report->passed ? "pass" : "fail"));
    (void)json_object_set_new(object, "backup", json_text(report->path));
    (void)json_object_set_new(object, "server", json_text(report->server));
    (void)json_object_set_new(object, "tool_version", json_text(report->tool_version));
    (void)json_object_set_new(object, "snapshot_at",
                              json_text(dated ? clock_iso_utc(arena, report->snapshot_at) : NULL));
    (void)json_object_set_new(object, "recovery_point_age_seconds",
                              dated ? json_integer(report->started_at - report->snapshot_at)
                                    : json_null());
    (void)json_object_set_new(object, "bytes", json_integer(report->packed_bytes));
    (void)json_object_set_new(object, "raw_bytes", json_integer(report->raw_bytes));
    (void)json_object_set_new(object, "rows", json_integer(report->rows));
    (void)json_object_set_new(object, "checks", checks_json(report));
    (void)json_object_set_new(object, "phases", phases_json(report));
    (void)json_object_set_new(object, "seconds", json_real(report->seconds));
    return object;
}

static const char *text_of(Arena *arena, const json_t *object, const char *key)
{
    return arena_strdup(arena, json_get_text(object, key, ""));
}

static void read_lists(Arena *arena, const json_t *root, DrillReport *report)
{
    size_t at = 0;
    const json_t *item = NULL;
    json_array_foreach(json_object_get(root, "checks"), at, item)
    {
        if (report->check_count < DRILL_CHECKS_MAX)
            report->checks[report->check_count++] =
                (DrillCheck){.name = text_of(arena, item, "name"),
                             .ok = json_is_true(json_object_get(item, "ok")),
                             .skipped = json_is_true(json_object_get(item, "skipped")),
                             .detail = text_of(arena, item, "detail")};
    }
    json_array_foreach(json_object_get(root, "phases"), at, item)
    {
        if (report->phase_count < DRILL_PHASES_MAX)
            report->phases[report->phase_count++] =
                (DrillPhase){.name = text_of(arena, item, "name"),
                             .seconds = json_number_value(json_object_get(item, "seconds"))};
    }
}

bool drill_report_read(Arena *arena, const StateDrill *drill, DrillReport *report, Error *err)
{
    _cleanup_json_ json_t *root = NULL;
    if (!json_parse(drill->report, strlen(drill->report), "the recorded report", &root, err))
        return false;
    *report = (DrillReport){
        .passed = drill->passed,
        .path = drill->path,
        .server = text_of(arena, root, "server"),
        .tool_version = text_of(arena, root, "tool_version"),
        .started_at = drill->started_at,
        .packed_bytes = json_get_int(root, "bytes", 0),
        .raw_bytes = json_get_int(root, "raw_bytes", 0),
        .rows = json_get_int(root, "rows", 0),
        .seconds = drill->seconds,
    };
    if (!clock_parse_utc(json_get_text(root, "snapshot_at", ""), &report->snapshot_at))
        report->snapshot_at = 0;
    read_lists(arena, root, report);
    return true;
}

const DrillCheck *drill_report_failure(const DrillReport *report)
{
    for (size_t i = 0; i < report->check_count; i++) {
        if (!report->checks[i].ok)
            return &report->checks[i];
    }
    return NULL;
}
