#include "unit.h"

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t size = 0; size < 300; size++) {
        unsigned char *bytes = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAA, size); /* a neighbour handed out later must still be zero */
    }
}

static void large_pieces_leave_the_current_chunk_in_use(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *before = arena_alloc(arena, 16);
    char *large = arena_alloc(arena, (size_t)1 << 20);
    char *after = arena_alloc(arena, 16);
    memset(large, 'x', (size_t)1 << 20);
    assert_ptr_equal(after, before + 16);
}

static void a_first_large_piece_works(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char *large = arena_alloc(arena, (size_t)1 << 20);
    memset(large, 'x', (size_t)1 << 20);
    char *small = arena_alloc(arena, 1);
    assert_int_equal(*small, 0);
    assert_true(arena_used_bytes(arena) >= ((size_t)1 << 20) + 1);
}

static void texts_are_copied(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char source[] = "abcdef";
    char *whole = arena_strdup(arena, source);
    char *part = arena_strndup(arena, source, 3);
    char *none = arena_strndup(arena, source, 0);
    char *printed = arena_printf(arena, "%s-%d", source, 7);
    memset(source, 'z', sizeof(source) - 1);
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_string_equal(none, "");
    assert_string_equal(printed, "abcdef-7");
}

static void pushed_items_survive_growth(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    int *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++)
        ARENA_PUSH(arena, items, count, capacity, i);
    assert_int_equal(count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
}

static void destroying_nothing_is_fine(UNUSED void **state)
{
    arena_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(large_pieces_leave_the_current_chunk_in_use),
        cmocka_unit_test(a_first_large_piece_works),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(pushed_items_survive_growth),
        cmocka_unit_test(destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
