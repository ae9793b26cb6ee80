#include "unit.h"

#include "store/sftp_listing.h"

static bool parse(Arena *arena, const char *text, StoreList *list, Error *err)
{
    return sftp_listing_parse(arena, text, strlen(text), list, err);
}

static void of_openssh(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StoreList list;
    Error err = {0};
    assert_true(parse(arena,
                      "drwx------    2 vaxdb    vaxdb        4096 Nov 23 16:36 .\n"
                      "drwxr-xr-x    3 root     root         4096 Nov 23 16:36 ..\n"
                      "-rw-r--r--    1 0        1000            5 Nov  3  2024 a.sql.gz\n"
                      "lrwxrwxrwx    1 root     root            1 Nov 23 16:36 link -> a\n"
                      "-rw-------    1 a_long_user_name g 1099511627776 Nov 23 16:36  two  spaces ",
                      &list, &err));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].name, "a.sql.gz");
    assert_int_equal(list.items[0].bytes, 5);
    assert_string_equal(list.items[1].name, " two  spaces ");
    assert_true(list.items[1].bytes == (int64_t)1 << 40);
    assert_true(parse(arena, "", &list, &err));
    assert_int_equal(list.count, 0);
}

static void another_form_is_no_list(UNUSED void **state)
{
    static const char *const wrong[] = {
        "\n",
        "total 12\n",
        "-rw-r--r-- 1 u g 5 Nov 23 16:36",
        "-rw-r--r-- 1 u g 5 Nov 23 16:36 ",
        "-rw-r--r-- 1 u g five Nov 23 16:36 name",
        "-rw-r--r-- 1 u g -5 Nov 23 16:36 name",
        "-rw-r--r-- 1 u g 99999999999999999999 Nov 23 16:36 name",
        "-rw-r--r-- 1 u g 5 Nov 23 16:36 ../name",
        "11-23-26 04:36PM 5 name",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        StoreList list;
        Error err = {0};
        if (parse(arena, wrong[i], &list, &err))
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(err.code, ERR_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_openssh),
        cmocka_unit_test(another_form_is_no_list),
    };
    return cmocka_run_group_tests_name("sftp_listing", tests, NULL, NULL);
}
