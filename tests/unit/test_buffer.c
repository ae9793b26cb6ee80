#include "unit.h"

#include "base/buffer.h"

static void starts_as_an_empty_string(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, 10);
    assert_string_equal(buffer.data, "");
    buffer_clear(&buffer);
    assert_true(buffer_append(&buffer, "", 0));
    assert_string_equal(buffer.data, "");
}

static void grows_and_stays_terminated(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, BUFFER_MAX_LINE);
    for (int i = 0; i < 1000; i++) {
        assert_true(buffer_printf(&buffer, "%d,", i));
        assert_int_equal(strlen(buffer.data), buffer.length);
    }
    assert_memory_equal(buffer.data, "0,1,2,3,", 8);
    assert_string_equal(buffer.data + buffer.length - 4, "999,");
}

static void holds_its_maximum_and_no_more(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    Error err = {0};
    buffer_init(&buffer, 4);
    assert_true(buffer_append_str(&buffer, "1234"));
    assert_true(buffer_check(&buffer, "text", &err));
    assert_false(buffer_append_char(&buffer, '5'));
    assert_string_equal(buffer.data, "1234");
    assert_false(buffer_check(&buffer, "text", &err));
    assert_int_equal(err.code, ERR_FAILED);
    assert_string_equal(err.message, "text is larger than 4 bytes");
}

static void one_refusal_refuses_the_rest(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, 4);
    assert_false(buffer_append_str(&buffer, "12345"));
    assert_false(buffer_append_char(&buffer, '1'));
    assert_false(buffer_printf(&buffer, "x"));
    assert_int_equal(buffer.length, 0);
    buffer_clear(&buffer);
    assert_true(buffer_append_char(&buffer, '1'));
}

static void printing_past_the_maximum_prints_nothing(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, 4);
    assert_true(buffer_append_char(&buffer, 'a'));
    assert_false(buffer_printf(&buffer, "%d", 12345));
    assert_string_equal(buffer.data, "a");
}

static void consume_moves_the_rest_to_the_front(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, 100);
    assert_true(buffer_append(&buffer, "ab\0cd", 5));
    buffer_consume(&buffer, 3);
    assert_int_equal(buffer.length, 2);
    assert_string_equal(buffer.data, "cd");
    buffer_consume(&buffer, 2);
    assert_string_equal(buffer.data, "");
    buffer_consume(&buffer, 0);
}

static void reserved_room_is_committed(UNUSED void **state)
{
    _cleanup_buffer_ Buffer buffer;
    buffer_init(&buffer, 100);
    char *room = buffer_reserve(&buffer, 50);
    assert_non_null(room);
    memset(room, 'x', 50);
    buffer_commit(&buffer, 3);
    assert_string_equal(buffer.data, "xxx");
    assert_null(buffer_reserve(&buffer, 98));
}

static void can_be_used_after_free(UNUSED void **state)
{
    Buffer buffer;
    buffer_init(&buffer, 100);
    assert_true(buffer_append_str(&buffer, "abc"));
    buffer_free(&buffer);
    assert_string_equal(buffer.data, "");
    assert_true(buffer_append_str(&buffer, "def"));
    assert_string_equal(buffer.data, "def");
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_as_an_empty_string),
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(holds_its_maximum_and_no_more),
        cmocka_unit_test(one_refusal_refuses_the_rest),
        cmocka_unit_test(printing_past_the_maximum_prints_nothing),
        cmocka_unit_test(consume_moves_the_rest_to_the_front),
        cmocka_unit_test(reserved_room_is_committed),
        cmocka_unit_test(can_be_used_after_free),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
