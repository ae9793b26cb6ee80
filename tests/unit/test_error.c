#include "unit.h"

#include "base/error.h"

static void sets_code_and_message(UNUSED void **state)
{
    Error err = {0};
    assert_false(error_set(&err, ERR_REFUSED, "%s says %d", "guard", 3));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.message, "guard says 3");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.sqlstate, "");
}

static void set_forgets_what_was_there(UNUSED void **state)
{
    Error err = {.sqlstate = "57014", .position = 7, .hint = "old"};
    (void)error_set(&err, ERR_FAILED, "new");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.sqlstate, "");
    assert_int_equal(err.position, 0);
}

static void errno_is_told_in_words(UNUSED void **state)
{
    Error err = {0};
    (void)error_set_errno(&err, ERR_FAILED, 2, "cannot read %s", "x");
    assert_string_equal(err.message, "cannot read x: No such file or directory");
}

static void arguments_may_point_into_the_error(UNUSED void **state)
{
    Error err = {0};
    (void)error_set(&err, ERR_FAILED, "inner");
    (void)error_set(&err, ERR_FAILED, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
    (void)error_hint(&err, "first");
    (void)error_hint(&err, "%s, second", err.hint);
    assert_string_equal(err.hint, "first, second");
}

static void context_goes_in_front(UNUSED void **state)
{
    Error err = {.code = ERR_UNREACHABLE, .sqlstate = "08006", .hint = "keep", .message = "gone"};
    assert_false(error_context(&err, "backup of %s", "production"));
    assert_string_equal(err.message, "backup of production: gone");
    assert_string_equal(err.hint, "keep");
    assert_string_equal(err.sqlstate, "08006");
    assert_int_equal(err.code, ERR_UNREACHABLE);
}

static void fits_exactly(UNUSED void **state)
{
    char text[ERROR_MESSAGE_MAX];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    Error err = {0};
    (void)error_set(&err, ERR_FAILED, "%s", text);
    assert_string_equal(err.message, text);
}

/* Of a text of three-byte characters, moved by 0, 1 and 2 bytes, only whole ones remain. */
static void cut_between_characters(UNUSED void **state)
{
    char text[ERROR_MESSAGE_MAX * 2];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        size_t length = shift;
        while (length + 4 < sizeof(text)) {
            memcpy(text + length, "\xE2\x82\xA6", 3); /* the naira sign */
            length += 3;
        }
        text[length] = '\0';
        Error err = {0};
        (void)error_set(&err, ERR_FAILED, "%s", text);
        size_t kept = strlen(err.message);
        assert_in_range(kept, ERROR_MESSAGE_MAX - 4, ERROR_MESSAGE_MAX - 1);
        assert_string_equal(err.message + kept - 3, "...");
        assert_int_equal((kept - 3 - shift) % 3, 0);
        assert_memory_equal(err.message, text, kept - 3);
    }
}

static void context_of_a_full_message_is_cut(UNUSED void **state)
{
    Error err = {.code = ERR_FAILED};
    memset(err.message, 'x', ERROR_MESSAGE_MAX - 1);
    (void)error_context(&err, "while testing");
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    assert_memory_equal(err.message, "while testing: xxx", 18);
    assert_string_equal(err.message + ERROR_MESSAGE_MAX - 4, "...");
}

static void every_code_has_a_name(UNUSED void **state)
{
    assert_string_equal(error_code_name(ERR_USAGE), "usage");
    assert_string_equal(error_code_name(ERR_OFFSITE), "offsite");
    assert_string_equal(error_code_name(ERR_INTERRUPTED), "interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_code_and_message),
        cmocka_unit_test(set_forgets_what_was_there),
        cmocka_unit_test(errno_is_told_in_words),
        cmocka_unit_test(arguments_may_point_into_the_error),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(fits_exactly),
        cmocka_unit_test(cut_between_characters),
        cmocka_unit_test(context_of_a_full_message_is_cut),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
