#include "unit.h"

#include "base/str.h"
#include "index/index.h"

static void test_precedence(void **state)
{
    (void)state;
    assert_int_equal(index_kind_of("brin", true, 2, 2), INDEX_BRIN);
    assert_int_equal(index_kind_of("btree", true, 2, 4), INDEX_PARTIAL);
    assert_int_equal(index_kind_of("btree", false, 2, 4), INDEX_COVERING);
    assert_int_equal(index_kind_of("btree", false, 2, 2), INDEX_COMPOSITE);
    assert_int_equal(index_kind_of("btree", false, 1, 1), INDEX_BTREE);
    assert_int_equal(index_kind_of("gin", true, 1, 1), INDEX_OTHER);
}

static void test_names(void **state)
{
    (void)state;
    IndexInfo gin = {.method = "gin", .kind = INDEX_OTHER};
    IndexInfo brin = {.method = "brin", .kind = INDEX_BRIN};
    assert_string_equal(index_kind_name(&gin), "gin");
    assert_string_equal(index_kind_name(&brin), "brin");
    for (int kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        StrList lines;
        _cleanup_arena_ Arena *arena = arena_create();
        str_list_init(&lines, arena);
        str_split(&lines, index_kind_explanation((IndexKind)kind), "\n");
        assert_true(lines.count >= 1 && lines.count <= 3);
        for (size_t i = 0; i < lines.count; i++)
            assert_true(str_width(lines.items[i]) <= 76);
    }
}

static void test_leftover_names(void **state)
{
    (void)state;
    assert_true(index_is_leftover_name("idx_a_ccnew"));
    assert_true(index_is_leftover_name("idx_a_ccold12"));
    assert_true(index_is_leftover_name("pg_toast_16397_index_ccnew"));
    assert_false(index_is_leftover_name("idx_a"));
    assert_false(index_is_leftover_name("idx_ccnewer"));
    assert_false(index_is_leftover_name("12"));
    assert_false(index_is_leftover_name(""));
}

static void test_display_name(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(index_display_name(arena, "public", "alerts"), "alerts");
    assert_string_equal(index_display_name(arena, "old", "alerts"), "old.alerts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_leftover_names),
        cmocka_unit_test(test_display_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
