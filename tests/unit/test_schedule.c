/* The nightly backup's texts: the time by this machine's clock, and words that are no plain ones.
 */
#include "unit.h"

#include "flows/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static Arena *arena;

static ScheduleSpec make_spec(void)
{
    return (ScheduleSpec){.program = "/usr/bin/vaxdb",
                          .config = "/etc/vaxdb/vaxdb.ini",
                          .state_directory = "/var/lib/vaxdb",
                          .env = "production",
                          .user = "backup",
                          .time = "02:00",
                          .timezone = "Africa/Lagos"};
}

static Schedule write_here(const ScheduleSpec *spec, const char *zone_here)
{
    Schedule schedule;
    Error err = {0};
    assert_int_equal(setenv("TZ", zone_here, 1), 0);
    tzset();
    assert_true(schedule_write(arena, spec, &schedule, &err));
    assert_string_equal(getenv("TZ"), zone_here);
    return schedule;
}

static void check_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void cron_goes_by_this_machine(UNUSED void **state)
{
    ScheduleSpec spec = make_spec();
    Schedule schedule = write_here(&spec, "UTC");
    assert_string_equal(schedule.time_here, "01:00");
    check_has(schedule.cron,
              "\n0 1 * * * VAXDB_STATE_DIR=/var/lib/vaxdb; export VAXDB_STATE_DIR; /usr/bin/vaxdb "
              "backup create -e production --quiet --config /etc/vaxdb/vaxdb.ini >/dev/null; s=$?; "
              "case $s in 0|6) /usr/bin/vaxdb backup prune -e production --quiet ");
    assert_null(strstr(schedule.cron, "part of the year"));
    assert_string_equal(write_here(&spec, "Africa/Lagos").time_here, "02:00");
    assert_string_equal(write_here(&spec, "Asia/Kathmandu").time_here, "06:45");
    assert_string_equal(write_here(&spec, "Pacific/Honolulu").time_here, "15:00");
    spec.time = "00:15";
    assert_string_equal(write_here(&spec, "UTC").time_here, "23:15");
    /* summer time */
    check_has(write_here(&spec, "Europe/Berlin").cron, "# In another part of the year it is ");
}

static void a_timer_knows_zones(UNUSED void **state)
{
    ScheduleSpec spec = make_spec();
    Schedule schedule = write_here(&spec, "Asia/Kathmandu");
    assert_string_equal(schedule.timer_name, "vaxdb-backup-production.timer");
    check_has(schedule.timer, "\nOnCalendar=*-*-* 02:00:00 Africa/Lagos\nPersistent=true\n");
    check_has(schedule.service, "\nUser=backup\nEnvironment=VAXDB_STATE_DIR=/var/lib/vaxdb\n"
                                "ExecStart=/bin/sh -c '\"$$0\" backup create \"$$@\"; s=$$?; ");
    check_has(schedule.service, " case $$s in 0|6) \"$$0\" backup prune \"$$@\" || s=$$?;; esac; "
                                "exit $$s' /usr/bin/vaxdb -e production --quiet --config ");
}

static void odd_words_are_quoted(UNUSED void **state)
{
    ScheduleSpec spec = make_spec();
    spec.config = "/a b/50%/it's $x \"y\"";
    spec.state_directory = "/s p/$x%";
    Schedule schedule = write_here(&spec, "UTC");
    check_has(schedule.cron, " --config '/a b/50'\\%'/it'\\''s $x \"y\"' >");
    check_has(schedule.service, " --config \"/a b/50%%/it's $$x \\\"y\\\"\"\n");
    check_has(schedule.service, "\nEnvironment=\"VAXDB_STATE_DIR=/s p/$x%%\"\n");
    spec.config = NULL;
    assert_null(strstr(write_here(&spec, "UTC").cron, "--config"));
}

static void what_is_no_time_is_refused(UNUSED void **state)
{
    static const char *const times[] = {"",    "2",    "24:00",    "02:60",
                                        "2am", "02:0", "02:00:00", "-1:00"};
    static const char *const zones[] = {"", "Mars/Base", "../../etc/passwd", "/etc/passwd",
                                        "Africa"};
    Schedule schedule;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        Error err = {0};
        ScheduleSpec spec = make_spec();
        spec.time = times[i];
        assert_false(schedule_write(arena, &spec, &schedule, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        Error err = {0};
        ScheduleSpec spec = make_spec();
        spec.timezone = zones[i];
        assert_false(schedule_write(arena, &spec, &schedule, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
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
        cmocka_unit_test(cron_goes_by_this_machine),
        cmocka_unit_test(a_timer_knows_zones),
        cmocka_unit_test(odd_words_are_quoted),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
