#include "unit.h"

#include "base/log.h"
#include "base/progress.h"

typedef struct {
    char *text;
    size_t length;
    Log log;
} Written;

static void written_open(Written *written)
{
    *written = (Written){0};
    written->log.out = open_memstream(&written->text, &written->length);
    assert_non_null(written->log.out);
}

static void written_close(Written *written)
{
    assert_int_equal(fclose(written->log.out), 0);
    free(written->text);
}

static void quiet_keeps_warnings_and_errors(UNUSED void **state)
{
    Written written;
    written_open(&written);
    written.log.quiet = true;
    log_info(&written.log, "loading");
    log_debug(&written.log, "detail");
    log_warn(&written.log, "disk is %d %% full", 91);
    Error err = {.message = "no such file", .hint = "vaxdb init"};
    log_error(&written.log, &err);
    assert_string_equal(written.text, "warning: disk is 91 % full\n"
                                      "error: no such file\n"
                                      "hint: vaxdb init\n");
    written_close(&written);
}

static void no_terminal_refuses_to_ask(UNUSED void **state)
{
    Written written;
    written_open(&written);
    Error err = {0};
    assert_false(log_confirm(&written.log, &err, "Delete %s?", "it"));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.hint, "-y"));
    written.log.assume_yes = true;
    assert_true(log_confirm(&written.log, &err, "Delete %s?", "it"));
    assert_false(log_confirm_words(&written.log, "vaxtrace", &err, "Delete %s?", "it"));
    assert_int_equal(err.code, ERR_REFUSED);
    written_close(&written);
}

static void progress_ends_in_one_line(UNUSED void **state)
{
    Written written;
    written_open(&written);
    Progress progress;
    progress_start(&progress, &written.log, "loading", 1000000, PROGRESS_COUNT, "rows");
    for (int64_t row = 0; row <= 1000000; row++)
        progress_update(&progress, row);
    progress_finish(&progress);
    assert_memory_equal(written.text, "loading: 1,000,000 rows in ", 27);
    assert_ptr_equal(strchr(written.text, '\n'), written.text + written.length - 1);
    written_close(&written);
}

static void a_bar_is_cleared_before_talk(UNUSED void **state)
{
    Written written;
    written_open(&written);
    written.log.terminal = true;
    Progress progress;
    progress_start(&progress, &written.log, "loading", 100, PROGRESS_COUNT, "rows");
    progress.drawn_ms -= 10000; /* as if that long ago */
    progress_update(&progress, 50);
    assert_true(written.log.bar_width > 0);
    assert_non_null(strstr(written.text, "50 of 100 rows"));
    log_info(&written.log, "by the way");
    assert_int_equal(written.log.bar_width, 0);
    assert_non_null(strstr(written.text, "\rby the way\n"));
    progress_abandon(&progress);
    written_close(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_keeps_warnings_and_errors),
        cmocka_unit_test(no_terminal_refuses_to_ask),
        cmocka_unit_test(progress_ends_in_one_line),
        cmocka_unit_test(a_bar_is_cleared_before_talk),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
