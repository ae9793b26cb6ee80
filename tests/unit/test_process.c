#include "unit.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/process.h"

#include <errno.h>
#include <signal.h>

#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", script, NULL})

static void collects_both_outputs_and_the_status(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("echo out; echo err >&2; exit 7")};
    _cleanup_buffer_ Buffer out;
    _cleanup_buffer_ Buffer err_out;
    buffer_init(&out, 100);
    buffer_init(&err_out, 100);
    int status = -1;
    Error err = {0};
    assert_true(process_run(&spec, &out, &err_out, &status, &err));
    assert_int_equal(status, 7);
    assert_string_equal(out.data, "out\n");
    assert_string_equal(err_out.data, "err\n");
}

static void more_than_a_pipe_holds_arrives(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2")};
    _cleanup_buffer_ Buffer out;
    _cleanup_buffer_ Buffer err_out;
    buffer_init(&out, BUFFER_MAX_LINE);
    buffer_init(&err_out, BUFFER_MAX_LINE);
    int status = -1;
    Error err = {0};
    assert_true(process_run(&spec, &out, &err_out, &status, &err));
    assert_int_equal(out.length, 300000);
    assert_int_equal(err_out.length, 300000);
}

static void too_much_output_is_an_error_and_ends_it(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("cat /dev/zero")};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, 100000);
    int status = -1;
    Error err = {0};
    assert_false(process_run(&spec, &out, NULL, &status, &err));
    assert_non_null(strstr(err.message, "larger than 100000 bytes"));
}

static void too_much_talk_keeps_the_last_of_it(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("head -c 300000 /dev/zero >&2; echo why >&2; exit 1")};
    _cleanup_buffer_ Buffer err_out;
    buffer_init(&err_out, 1000);
    int status = -1;
    Error err = {0};
    assert_true(process_run(&spec, NULL, &err_out, &status, &err));
    assert_int_equal(status, 1);
    assert_int_equal(err_out.length, 1000);
    assert_string_equal(err_out.data + 996, "why\n");
}

static void a_signal_is_128_more(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("kill -9 $$")};
    int status = -1;
    Error err = {0};
    assert_true(process_run(&spec, NULL, NULL, &status, &err));
    assert_int_equal(status, 137);
}

static void environment_is_added_and_replaced(UNUSED void **state)
{
    assert_int_equal(setenv("VAXDB_T1", "old", 1), 0);
    assert_int_equal(setenv("VAXDB_T12", "kept", 1), 0);
    ProcessSpec spec = {.argv = SHELL("echo $VAXDB_T1 $VAXDB_T12 $VAXDB_T2"),
                        .environment = (const char *const[]){"VAXDB_T1=new", "VAXDB_T2=a b", NULL}};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, 100);
    Error err = {0};
    assert_true(process_check(&spec, &out, &err));
    assert_string_equal(out.data, "new kept a b\n");
    spec.bare_environment = true;
    buffer_clear(&out);
    assert_true(process_check(&spec, &out, &err));
    assert_string_equal(out.data, "new a b\n");
    spec.argv = SHELL("env | grep -c ^PATH=");
    buffer_clear(&out);
    assert_true(process_check(&spec, &out, &err));
    assert_string_equal(out.data, "1\n");
}

static void directory_and_input(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("pwd; wc -c"), .directory = "/usr"};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, 100);
    Error err = {0};
    assert_true(process_check(&spec, &out, &err));
    assert_string_equal(out.data, "/usr\n0\n");
}

static void other_files_are_not_inherited(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("ls /proc/self/fd | wc -l")};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, 100);
    Error err = {0};
    assert_true(process_check(&spec, &out, &err));
    assert_string_equal(out.data, "4\n"); /* 0, 1, 2 and the folder that ls reads */
}

static void check_tells_the_last_lines(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("echo no such thing >&2; exit 3")};
    Error err = {0};
    assert_false(process_check(&spec, NULL, &err));
    assert_int_equal(err.code, ERR_FAILED);
    assert_string_equal(err.message, "sh ended with status 3: no such thing");
}

static void check_tells_the_error_before_a_long_statement(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("{ echo 'ERROR: an older one'; echo 'PANIC: no space'; "
                                      "echo STATEMENT:; seq 2000; echo the end; } >&2; exit 134")};
    Error err = {0};
    assert_false(process_check(&spec, NULL, &err));
    assert_non_null(strstr(err.message, "sh ended with status 134: PANIC: no space\n...\n"));
    assert_null(strstr(err.message, "an older one"));
    assert_non_null(strstr(err.message, "1999\n2000\nthe end"));
}

static void what_cannot_start_says_so(UNUSED void **state)
{
    Error err = {0};
    int status = 0;
    ProcessSpec missing = {.argv = (const char *const[]){"vaxdb-no-such-program", NULL}};
    assert_false(process_run(&missing, NULL, NULL, &status, &err));
    assert_non_null(strstr(err.message, "vaxdb-no-such-program"));
    ProcessSpec folder = {.argv = (const char *const[]){"/usr", NULL}};
    assert_false(process_run(&folder, NULL, NULL, &status, &err));
    ProcessSpec nowhere = {.argv = SHELL("true"), .directory = "/no/such/folder"};
    assert_false(process_run(&nowhere, NULL, NULL, &status, &err));
    assert_non_null(strstr(err.message, "No such file or directory"));
}

static void ends_in_time(const char *script)
{
    ProcessSpec spec = {.argv = SHELL(script), .timeout_ms = 200};
    int status = 0;
    Error err = {0};
    int64_t before = clock_monotonic_ms();
    assert_false(process_run(&spec, NULL, NULL, &status, &err));
    assert_true(clock_monotonic_ms() - before < 4000);
    assert_non_null(strstr(err.message, "longer than 200 ms"));
}

static void a_timeout_ends_it(UNUSED void **state)
{
    ends_in_time("sleep 60");
}

static void a_timeout_ends_one_that_closed_its_output(UNUSED void **state)
{
    ends_in_time("exec >/dev/null 2>&1; sleep 60");
}

static void an_interrupt_ends_it(UNUSED void **state)
{
    interrupt_install();
    ProcessSpec spec = {.argv = SHELL("kill -TERM $PPID; sleep 60")};
    int status = 0;
    Error err = {0};
    assert_false(process_run(&spec, NULL, NULL, &status, &err));
    interrupt_clear();
    assert_int_equal(err.code, ERR_INTERRUPTED);
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return true;
        (void)usleep(10000);
    }
    return false;
}

/* The whole group ends, what the child has started included. */
static void killing_ends_the_children_too(UNUSED void **state)
{
    ProcessSpec spec = {.argv = SHELL("sleep 60 & echo $!; wait")};
    Process process;
    Error err = {0};
    assert_true(process_start(&spec, false, true, &process, &err));
    char text[32] = {0};
    assert_true(read(process.out, text, sizeof(text) - 1) > 0);
    pid_t grandchild = (pid_t)strtol(text, NULL, 10);
    assert_true(grandchild > 1);
    assert_int_equal(kill(grandchild, 0), 0);
    process_kill(&process);
    assert_true(is_gone(grandchild));
    process_kill(&process); /* nothing happens */
}

static void input_and_output_are_streams(UNUSED void **state)
{
    ProcessSpec spec = {.argv = (const char *const[]){"cat", NULL}};
    Process process;
    Error err = {0};
    assert_true(process_start(&spec, true, true, &process, &err));
    assert_int_equal(write(process.in, "through", 7), 7);
    char text[16] = {0};
    assert_int_equal(read(process.out, text, sizeof(text)), 7);
    assert_string_equal(text, "through");
    int status = -1;
    assert_true(process_wait(&process, &status, &err)); /* closes its input, so that cat ends */
    assert_int_equal(status, 0);
}

static void finds_programs(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_non_null(process_find(arena, "sh"));
    assert_null(process_find(arena, "vaxdb-no-such-program"));
    uid_t uid = 1;
    gid_t gid = 1;
    assert_true(process_user("root", &uid, &gid));
    assert_int_equal(uid, 0);
    assert_false(process_user("no-such-user", &uid, &gid));
}

static void root_becomes_another_user(UNUSED void **state)
{
    uid_t uid = 0;
    gid_t gid = 0;
    if (geteuid() != 0 || !process_user("nobody", &uid, &gid))
        skip();
    ProcessSpec spec = {.argv = SHELL("id -u; id -G"), .uid = uid, .gid = gid, .directory = "/"};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, 100);
    Error err = {0};
    assert_true(process_check(&spec, &out, &err));
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%u\n%u\n", uid, gid);
    assert_string_equal(out.data, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_both_outputs_and_the_status),
        cmocka_unit_test(more_than_a_pipe_holds_arrives),
        cmocka_unit_test(too_much_output_is_an_error_and_ends_it),
        cmocka_unit_test(too_much_talk_keeps_the_last_of_it),
        cmocka_unit_test(a_signal_is_128_more),
        cmocka_unit_test(environment_is_added_and_replaced),
        cmocka_unit_test(directory_and_input),
        cmocka_unit_test(other_files_are_not_inherited),
        cmocka_unit_test(check_tells_the_last_lines),
        cmocka_unit_test(check_tells_the_error_before_a_long_statement),
        cmocka_unit_test(what_cannot_start_says_so),
        cmocka_unit_test(a_timeout_ends_it),
        cmocka_unit_test(a_timeout_ends_one_that_closed_its_output),
        cmocka_unit_test(an_interrupt_ends_it),
        cmocka_unit_test(killing_ends_the_children_too),
        cmocka_unit_test(input_and_output_are_streams),
        cmocka_unit_test(finds_programs),
        cmocka_unit_test(root_becomes_another_user),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
