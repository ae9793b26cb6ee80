#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "pool/size.h"

#include <unistd.h>

static PoolSize size_of(Arena *arena, PoolSizeInput input)
{
    PoolSize size;
    pool_size_compute(arena, &input, &size);
    return size;
}

static void test_guide_examples(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    PoolSize four = size_of(arena, (PoolSizeInput){.cores = 4, .spindles = 1, .instances = 1});
    assert_int_equal(four.per_instance, 9);
    assert_int_equal(four.total, 9);
    PoolSize eight = size_of(arena, (PoolSizeInput){.cores = 8, .instances = 3});
    assert_int_equal(eight.per_instance, 16);
    assert_int_equal(eight.total, 48);
    assert_string_equal(eight.formula, "connections = (8 cores x 2) + 0 spindles = 16");
}

static void test_cap(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    PoolSizeInput input = {.cores = 25, .instances = 2, .cap = POOL_PRODUCTION_CAP};
    PoolSize exact = size_of(arena, input);
    assert_int_equal(exact.per_instance, 50);
    assert_false(exact.capped);
    input.spindles = 1;
    PoolSize over = size_of(arena, input);
    assert_int_equal(over.formula_result, 51);
    assert_int_equal(over.per_instance, 50);
    assert_int_equal(over.total, 100);
    assert_true(over.capped);
    input.cap = 0;
    assert_int_equal(size_of(arena, input).per_instance, 51);
}

static void test_extremes_do_not_overflow(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    PoolSize size = size_of(arena, (PoolSizeInput){.cores = POOL_CORES_MAX,
                                                   .spindles = POOL_SPINDLES_MAX,
                                                   .instances = POOL_INSTANCES_MAX});
    assert_int_equal(size.per_instance, POOL_CORES_MAX * 2 + POOL_SPINDLES_MAX);
    assert_int_equal(size.total, (POOL_CORES_MAX * 2 + POOL_SPINDLES_MAX) * POOL_INSTANCES_MAX);
}

static void make_disk(Arena *arena, const char *sysfs, const char *name, const char *rotational)
{
    Error err = {0};
    const char *queue = arena_printf(arena, "%s/block/%s/queue", sysfs, name);
    assert_true(directory_make(queue, 0700, &err));
    const char *flag = path_join(arena, queue, "rotational");
    assert_true(file_write_atomic(flag, rotational, strlen(rotational), 0600, &err));
}

static void test_machine_counts_turning_disks(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    char sysfs[] = "/tmp/test_pool_size.XXXXXX";
    assert_non_null(mkdtemp(sysfs));
    Machine machine;

    machine_detect(arena, sysfs, &machine);
    assert_int_equal(machine.spindles, 0);
    assert_non_null(strstr(machine.spindles_from, "no disk found"));
    assert_true(machine.cores >= 1);

    make_disk(arena, sysfs, "vda", "1\n");
    make_disk(arena, sysfs, "loop0", "1\n");
    machine_detect(arena, sysfs, &machine);
    assert_int_equal(machine.spindles, 0);
    assert_non_null(strstr(machine.spindles_from, "vda"));

    make_disk(arena, sysfs, "nvme0n1", "0\n");
    machine_detect(arena, sysfs, &machine);
    assert_int_equal(machine.spindles, 0);
    assert_non_null(strstr(machine.spindles_from, "nvme0n1"));

    make_disk(arena, sysfs, "sda", "1\n");
    make_disk(arena, sysfs, "sdb", "1\n");
    machine_detect(arena, sysfs, &machine);
    assert_int_equal(machine.spindles, 2);
    assert_non_null(strstr(machine.spindles_from, "sda, sdb"));

    Error err = {0};
    assert_true(directory_remove(sysfs, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guide_examples),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_extremes_do_not_overflow),
        cmocka_unit_test(test_machine_counts_turning_disks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
