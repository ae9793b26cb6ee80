#include "unit.h"

#include "monitor/monitor.h"

/* "pid: blockers", as monitor_locks would have read it. */
static LockNode node(int64_t pid, int64_t *blockers, size_t count)
{
    return (LockNode){
        .pid = pid, .is_waiting = count > 0, .blockers = blockers, .blocker_count = count};
}

static const LockNode *find(const LockTree *tree, int64_t pid)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].pid == pid)
            return &tree->nodes[i];
    }
    return NULL;
}

static int64_t parent_pid(const LockTree *tree, int64_t pid)
{
    ptrdiff_t parent = find(tree, pid)->parent;
    return parent < 0 ? -1 : tree->nodes[parent].pid;
}

static void test_nobody_waits(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    LockTree tree;
    monitor_lock_tree(arena, NULL, 0, &tree);
    assert_int_equal(tree.count, 0);
    assert_int_equal(tree.waiting_count, 0);
}

static void test_queue_stands_once_and_deepest(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t of_20[] = {10};
    int64_t of_30[] = {10, 20};
    LockNode nodes[] = {node(30, of_30, 2), node(20, of_20, 1), node(10, NULL, 0)};
    LockTree tree;
    monitor_lock_tree(arena, nodes, 3, &tree);
    assert_int_equal(tree.count, 3);
    assert_int_equal(tree.root_count, 1);
    assert_int_equal(tree.waiting_count, 2);
    assert_int_equal(tree.nodes[0].pid, 10);
    assert_int_equal(tree.nodes[1].pid, 20);
    assert_int_equal(tree.nodes[2].pid, 30);
    assert_int_equal(parent_pid(&tree, 20), 10);
    assert_int_equal(parent_pid(&tree, 30), 20);
    assert_int_equal(tree.nodes[2].depth, 2);
}

static void test_two_trees(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t of_2[] = {1};
    int64_t of_4[] = {3};
    int64_t of_5[] = {3};
    LockNode nodes[] = {node(1, NULL, 0), node(2, of_2, 1), node(3, NULL, 0), node(4, of_4, 1),
                        node(5, of_5, 1)};
    LockTree tree;
    monitor_lock_tree(arena, nodes, 5, &tree);
    assert_int_equal(tree.root_count, 2);
    const int64_t order[] = {1, 2, 3, 4, 5};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tree.nodes[i].pid, order[i]);
}

static void test_deadlock_is_shown_and_marked(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t of_1[] = {2};
    int64_t of_2[] = {1};
    int64_t of_3[] = {2};
    LockNode nodes[] = {node(3, of_3, 1), node(2, of_2, 1), node(1, of_1, 1)};
    LockTree tree;
    monitor_lock_tree(arena, nodes, 3, &tree);
    assert_int_equal(tree.count, 3);
    assert_int_equal(tree.root_count, 1);
    assert_true(find(&tree, 1)->in_cycle);
    assert_true(find(&tree, 2)->in_cycle);
    assert_false(find(&tree, 3)->in_cycle);
    assert_int_equal(parent_pid(&tree, 1), -1);
    assert_int_equal(parent_pid(&tree, 2), 1);
    assert_int_equal(parent_pid(&tree, 3), 2);
}

static void test_blocker_without_a_session(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t of_7[] = {0};
    LockNode nodes[] = {node(7, of_7, 1)};
    LockTree tree;
    monitor_lock_tree(arena, nodes, 1, &tree);
    assert_int_equal(tree.count, 2);
    assert_string_equal(tree.nodes[0].state, "prepared transaction");
    assert_int_equal(parent_pid(&tree, 7), 0);
}

/* Each of 300 sessions waits for all before it: as many paths as 2^300, one walk. */
static void test_long_queue(void **state)
{
    (void)state;
    enum { LENGTH = 300 };
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t *pids = arena_array(arena, LENGTH, sizeof(int64_t));
    LockNode *nodes = arena_array(arena, LENGTH, sizeof(LockNode));
    for (size_t i = 0; i < LENGTH; i++) {
        pids[i] = (int64_t)i + 1;
        nodes[i] = node(pids[i], pids, i);
    }
    LockTree tree;
    monitor_lock_tree(arena, nodes, LENGTH, &tree);
    assert_int_equal(tree.root_count, 1);
    assert_int_equal(tree.nodes[LENGTH - 1].depth, LENGTH - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_waits),
        cmocka_unit_test(test_queue_stands_once_and_deepest),
        cmocka_unit_test(test_two_trees),
        cmocka_unit_test(test_deadlock_is_shown_and_marked),
        cmocka_unit_test(test_blocker_without_a_session),
        cmocka_unit_test(test_long_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
