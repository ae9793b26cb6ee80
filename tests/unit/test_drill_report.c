/* The report of a drill: what the history keeps reads back, and no text becomes markup. */
#include "unit.h"

#include "flows/drill_report.h"

#include <string.h>

static Arena *arena;

static DrillReport make_report(void)
{
    return (DrillReport){
        .passed = false,
        .path = "/b/vaxtrace-production-20261123-010000.sql.gz",
        .server = "db on \"host\"",
        .tool_version = "1.2.3",
        .checks = {{"row_counts", true, false, "all"},
                   {"critical_queries", false, false, "<script>alert('x')</script> & \"y\""},
                   {"content_equal", true, true, "not looked at"}},
        .check_count = 3,
        .phases = {{"verify", 1.5}, {"restore", 20.25}},
        .phase_count = 2,
        .started_at = 1700003600,
        .snapshot_at = 1700000000,
        .packed_bytes = 1024,
        .raw_bytes = 4096,
        .rows = 7,
        .seconds = 21.75,
    };
}

static StateDrill record_of(const DrillReport *report)
{
    _cleanup_json_ json_t *object = drill_report_json(report);
    return (StateDrill){.id = 1,
                        .started_at = report->started_at,
                        .env = "production",
                        .path = report->path,
                        .sha256 = "",
                        .passed = report->passed,
                        .seconds = report->seconds,
                        .report = json_compact(arena, object)};
}

static void a_report_reads_back(UNUSED void **state)
{
    DrillReport report = make_report();
    StateDrill drill = record_of(&report);
    DrillReport read;
    Error err = {0};
    assert_true(drill_report_read(arena, &drill, &read, &err));
    _cleanup_json_ json_t *again = drill_report_json(&read);
    assert_string_equal(json_compact(arena, again), drill.report);
    assert_non_null(strstr(drill.report, "\"recovery_point_age_seconds\":3600"));
    assert_string_equal(drill_report_failure(&read)->name, "critical_queries");
}

/* As recorded before sizes and the age were. */
static void an_older_report_reads_too(UNUSED void **state)
{
    StateDrill drill = {.path = "/b/x.sql.gz",
                        .env = "staging",
                        .passed = true,
                        .report =
                            "{\"verdict\":\"pass\",\"checks\":[{\"name\":\"a\",\"ok\":true}]}"};
    DrillReport read;
    Error err = {0};
    assert_true(drill_report_read(arena, &drill, &read, &err));
    assert_int_equal(read.check_count, 1);
    assert_null(drill_report_failure(&read));
    assert_non_null(drill_report_html(arena, &read, "staging", NULL, 0));
    drill.report = "no JSON";
    assert_false(drill_report_read(arena, &drill, &read, &err));
}

static void more_checks_than_fit_are_cut(UNUSED void **state)
{
    _cleanup_json_ json_t *root = json_object();
    json_t *checks = json_array();
    for (int i = 0; i < 3 * DRILL_CHECKS_MAX; i++)
        (void)json_array_append_new(checks, json_object());
    (void)json_object_set_new(root, "checks", checks);
    StateDrill drill = {.path = "x", .env = "e", .report = json_compact(arena, root)};
    DrillReport read;
    Error err = {0};
    assert_true(drill_report_read(arena, &drill, &read, &err));
    assert_int_equal(read.check_count, DRILL_CHECKS_MAX);
}

static void no_text_becomes_markup(UNUSED void **state)
{
    DrillReport report = make_report();
    StateDrill drill = record_of(&report);
    const char *page = drill_report_html(arena, &report, "<b>", &drill, 1);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<b>"));
    assert_null(strstr(page, "\"host\""));
    assert_non_null(strstr(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y"));
    assert_non_null(strstr(page, "SKIPPED"));
    assert_non_null(strstr(page, "</html>"));
}

static int make_arena(UNUSED void **state)
{
    arena = arena_create();
    return 0;
}

static int drop_arena(UNUSED void **state)
{
    arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_reads_back),
        cmocka_unit_test(an_older_report_reads_too),
        cmocka_unit_test(more_checks_than_fit_are_cut),
        cmocka_unit_test(no_text_becomes_markup),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
