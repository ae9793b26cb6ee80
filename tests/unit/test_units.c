#include "unit.h"

#include "backup/units.h"

#include <string.h>

static CopyPlan plan_of(Arena *arena, const CopyTable *tables, size_t count)
{
    CopyPlan plan = {.table_count = count};
    plan.tables = arena_array(arena, count, sizeof(*plan.tables));
    memcpy(plan.tables, tables, count * sizeof(*plan.tables));
    copy_plan_cut(arena, &plan);
    return plan;
}

static const CopyTable LARGE = {.source = "public.t",
                                .target = "public.t",
                                .columns = "a, \"B\"",
                                .blocks = 2 * UNIT_BLOCKS + 1,
                                .ranges = true};

static void test_ranges_leave_no_block_out(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (int64_t blocks = 0; blocks <= 3 * UNIT_BLOCKS + 1; blocks++) {
        CopyTable table = LARGE;
        table.blocks = blocks;
        CopyPlan plan = plan_of(arena, &table, 1);
        int64_t next = 0;
        for (size_t i = 0; i < plan.unit_count; i++) {
            const CopyUnit *unit = &plan.units[i];
            assert_int_equal(unit->part, i);
            assert_int_equal(unit->first_block, next);
            assert_int_equal(unit->last, i == plan.unit_count - 1);
            assert_int_equal(unit->end_block, unit->last ? -1 : next + UNIT_BLOCKS);
            next += UNIT_BLOCKS;
        }
        assert_true(plan.unit_count >= 1 && next >= blocks);
        assert_int_equal(plan.blocks, blocks);
    }
}

static void test_what_has_no_ranges_is_one_unit(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    CopyTable tables[] = {LARGE, LARGE, LARGE};
    tables[1].ranges = false;
    CopyPlan plan = plan_of(arena, tables, 3);
    assert_int_equal(plan.unit_count, 3 + 1 + 3);
    assert_ptr_equal(plan.units[3].table, &plan.tables[1]);
    assert_int_equal(plan.units[3].end_block, -1);
}

static void test_queries(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    CopyTable table = LARGE;
    CopyUnit unit = {.table = &table, .end_block = 512};
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY (SELECT a, \"B\" FROM ONLY public.t WHERE ctid >= '(0,0)' AND "
                        "ctid < '(512,0)') TO STDOUT");
    unit.first_block = 512;
    unit.end_block = -1;
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY (SELECT a, \"B\" FROM ONLY public.t WHERE ctid >= '(512,0)') "
                        "TO STDOUT");
    table.width = "octet_length(a)";
    assert_string_equal(copy_unit_width_query(arena, &unit),
                        "SELECT coalesce(max(octet_length(a)), 0) FROM ONLY public.t WHERE "
                        "ctid >= '(512,0)'");
    unit.first_block = 0;
    assert_string_equal(copy_unit_query(arena, &unit), "COPY public.t (a, \"B\") TO STDOUT");
    table.kinds = (const ValueKind[]){VALUE_INT4, VALUE_TEXT};
    table.values = table.columns;
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY public.t (a, \"B\") TO STDOUT (FORMAT binary)");
    table.values = "a, text(\"B\")";
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY (SELECT a, text(\"B\") FROM ONLY public.t ) TO STDOUT "
                        "(FORMAT binary)");
    unit.first_block = 512;
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY (SELECT a, text(\"B\") FROM ONLY public.t WHERE "
                        "ctid >= '(512,0)') TO STDOUT (FORMAT binary)");
    unit.first_block = 0;
    table.kinds = NULL;
    table.condition = "WHERE a > 1";
    assert_string_equal(copy_unit_query(arena, &unit),
                        "COPY (SELECT a, \"B\" FROM ONLY public.t WHERE a > 1) TO STDOUT");
    table.target = "public.root";
    assert_string_equal(copy_table_header(arena, &table),
                        "COPY public.root (a, \"B\") FROM stdin;\n");
    table.columns = "";
    assert_string_equal(copy_table_header(arena, &table), "COPY public.root  FROM stdin;\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_leave_no_block_out),
        cmocka_unit_test(test_what_has_no_ranges_is_one_unit),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
