#include "unit.h"

#include "base/json.h"

static void check_text(const char *given, const char *expected)
{
    _cleanup_json_ json_t *value = json_text(given);
    assert_non_null(value);
    assert_string_equal(json_string_value(value), expected);
}

#define BAD "\xEF\xBF\xBD"

static void bytes_that_are_not_utf8_are_replaced(UNUSED void **state)
{
    check_text("plain", "plain");
    check_text("\xE2\x82\xA6", "\xE2\x82\xA6");
    check_text("caf\xE9", "caf" BAD);
    check_text("\xE9t\xE9", BAD "t" BAD);
    check_text("\xC0\xAF", BAD BAD);         /* overlong */
    check_text("\xED\xA0\x80", BAD BAD BAD); /* a surrogate */
    check_text("\xF4\x90\x80\x80", BAD BAD BAD BAD);
    check_text("cut \xE2\x82", "cut " BAD BAD);
    check_text("", "");
    _cleanup_json_ json_t *null = json_text(NULL);
    assert_true(json_is_null(null));
}

static void parsing_tells_where(UNUSED void **state)
{
    json_t *value = NULL;
    Error err = {0};
    assert_false(json_parse("{\"a\":\n tru}", 11, "the manifest", &value, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    assert_non_null(strstr(err.message, "the manifest is not valid JSON: line 2"));
    assert_false(json_parse("{\"a\": 1, \"a\": 2}", 16, "x", &value, &err));
    assert_false(json_parse("{} {}", 5, "x", &value, &err));
    assert_false(json_parse("", 0, "x", &value, &err));
    assert_null(value);
}

static void members_have_defaults(UNUSED void **state)
{
    _cleanup_json_ json_t *object = NULL;
    Error err = {0};
    const char text[] = "{\"a\": \"x\", \"b\": 7, \"c\": null}";
    assert_true(json_parse(text, sizeof(text) - 1, "x", &object, &err));
    assert_string_equal(json_get_text(object, "a", "?"), "x");
    assert_string_equal(json_get_text(object, "b", "?"), "?");
    assert_null(json_get_text(object, "none", NULL));
    assert_int_equal(json_get_int(object, "b", -1), 7);
    assert_int_equal(json_get_int(object, "a", -1), -1);
}

static void prints_in_the_order_set(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_json_ json_t *object = json_pack("{s:i, s:[b, n]}", "z", 1, "a", 1);
    assert_string_equal(json_compact(arena, object), "{\"z\":1,\"a\":[true,null]}");
    char *printed = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&printed, &length);
    Error err = {0};
    assert_true(json_print(object, out, &err));
    assert_int_equal(fclose(out), 0);
    assert_memory_equal(printed, "{\n  \"z\": 1,", 11);
    assert_int_equal(printed[length - 1], '\n');
    free(printed);
}

static void a_full_disk_is_noticed(UNUSED void **state)
{
    _cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    _cleanup_json_ json_t *object = json_object();
    Error err = {0};
    assert_false(json_print(object, full, &err));
    assert_int_equal(err.code, ERR_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(parsing_tells_where),
        cmocka_unit_test(members_have_defaults),
        cmocka_unit_test(prints_in_the_order_set),
        cmocka_unit_test(a_full_disk_is_noticed),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
