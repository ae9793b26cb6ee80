#include "unit.h"

#include "backup/load_schedule.h"

#include <string.h>

#define MIB ((int64_t)1 << 20)

/* A restore of some tables, without a server. */
typedef struct {
    Arena *arena;
    LoadRelation relations[4];
    LoadTable tables[4];
    LoadStep steps[8];
    LoadRelations list;
    LoadPlan plan;
} Case;

static void set_up(Case *load)
{
    memset(load, 0, sizeof(*load));
    load->arena = arena_create();
    load->list.items = load->relations;
    load->plan.tables = load->tables;
    load->plan.steps = load->steps;
}

/* Of so many members. Relations must come in the order of their names. */
static LoadRelation *add_table(Case *load, const char *name, int64_t bytes, size_t members)
{
    LoadRelation *relation = &load->relations[load->list.count++];
    *relation =
        (LoadRelation){.schema = "s", .name = name, .wanted = true, .kept = true, .root = relation};
    LoadTable *table = &load->tables[load->plan.table_count++];
    *table = (LoadTable){.schema = "s", .name = name, .raw_bytes = bytes, .member_count = members};
    table->members = arena_array(load->arena, members, sizeof(*table->members));
    for (size_t i = 0; i < members; i++)
        table->members[i] = i;
    return relation;
}

static LoadStep *add_step(Case *load, LoadKind kind, const char *name, const char *index_sql)
{
    LoadStep *step = &load->steps[load->plan.step_count++];
    *step = (LoadStep){.what = {.kind = kind, .schema = "s", .name = name, .index_sql = index_sql}};
    return step;
}

static LoadTask take(LoadSchedule *schedule)
{
    LoadTask task;
    assert_int_equal(load_schedule_take(schedule, &task), LOAD_TAKEN);
    return task;
}

static void assert_taking(LoadSchedule *schedule, LoadTaking taking)
{
    LoadTask task;
    assert_int_equal(load_schedule_take(schedule, &task), taking);
}

static void take_all(LoadRows *rows)
{
    size_t member = 0;
    while (load_schedule_next_member(rows, &member))
        continue;
}

static void finish_rows(LoadSchedule *schedule, const LoadTask *task)
{
    assert_int_equal(task->kind, LOAD_TASK_ROWS);
    take_all(task->rows);
    load_schedule_finish(schedule, task);
}

static void test_indexes_follow_their_rows(UNUSED void **state)
{
    Case load;
    set_up(&load);
    (void)add_table(&load, "a", 100 * MIB, 2);
    (void)add_table(&load, "b", 101 * MIB, 2);
    LoadStep *index = add_step(&load, LOAD_INDEX, "b", NULL);
    LoadStep *key = add_step(&load, LOAD_KEY, "b", "CREATE UNIQUE INDEX ...");
    (void)add_step(&load, LOAD_EXCLUSION, "b", NULL);
    LoadSchedule *schedule = load_schedule_create(load.arena, &load.plan, &load.list, 2);
    LoadTask b = take(schedule);
    LoadTask a = take(schedule);
    assert_string_equal(b.rows->table->name, "b");
    assert_string_equal(a.rows->table->name, "a");
    assert_true(a.rows->frozen && b.rows->frozen && !a.rows->shared);
    assert_taking(schedule, LOAD_LATER);
    finish_rows(schedule, &b);
    LoadTask first = take(schedule);
    LoadTask second = take(schedule);
    assert_int_equal(first.kind, LOAD_TASK_BUILD);
    assert_int_equal(second.kind, LOAD_TASK_BUILD);
    assert_true((first.step == index && second.step == key) ||
                (first.step == key && second.step == index));
    assert_taking(schedule, LOAD_LATER);
    load_schedule_finish(schedule, &first);
    assert_taking(schedule, LOAD_LATER); /* a constraint would wait for the other index */
    load_schedule_finish(schedule, &second);
    LoadTask last = take(schedule);
    assert_int_equal(last.kind, LOAD_TASK_FINISH);
    assert_false(last.alone);
    finish_rows(schedule, &a);
    load_schedule_finish(schedule, &last);
    assert_taking(schedule, LOAD_NOTHING_LEFT);
    arena_destroy(load.arena);
}

static void test_one_large_table_is_shared(UNUSED void **state)
{
    Case load;
    size_t member = 0;
    set_up(&load);
    (void)add_table(&load, "a", 400 * MIB, 3);
    (void)add_table(&load, "b", MIB, 1);
    (void)add_step(&load, LOAD_INDEX, "a", NULL);
    LoadSchedule *schedule = load_schedule_create(load.arena, &load.plan, &load.list, 2);
    LoadTask first = take(schedule);
    LoadTask second = take(schedule);
    assert_ptr_equal(first.rows, second.rows);
    assert_true(first.rows->shared && !first.rows->frozen);
    for (size_t i = 0; i < 3; i++) {
        assert_true(load_schedule_next_member(first.rows, &member));
        assert_int_equal(member, i);
    }
    assert_false(load_schedule_next_member(second.rows, &member));
    load_schedule_finish(schedule, &first);
    LoadTask b = take(schedule);
    assert_string_equal(b.rows->table->name, "b"); /* a's index waits for the second session */
    load_schedule_finish(schedule, &second);
    LoadTask index = take(schedule);
    assert_int_equal(index.kind, LOAD_TASK_SERIES);
    assert_false(index.alone);
    finish_rows(schedule, &b);
    load_schedule_finish(schedule, &index);
    assert_taking(schedule, LOAD_NOTHING_LEFT);
    arena_destroy(load.arena);
}

static void test_rows_through_the_root_hold_up_partitions(UNUSED void **state)
{
    Case load;
    set_up(&load);
    LoadRelation *part = add_table(&load, "part", MIB, 1);
    LoadRelation *root = add_table(&load, "root", 2 * MIB, 1);
    root->partitioned = true;
    part->root = root;
    (void)add_step(&load, LOAD_INDEX, "part", NULL);
    (void)add_step(&load, LOAD_INDEX, "root", NULL);
    LoadSchedule *schedule = load_schedule_create(load.arena, &load.plan, &load.list, 4);
    LoadTask through = take(schedule);
    LoadTask direct = take(schedule);
    assert_false(through.rows->frozen || direct.rows->frozen);
    finish_rows(schedule, &direct);
    assert_taking(schedule, LOAD_LATER);
    finish_rows(schedule, &through);
    LoadTask index = take(schedule);
    assert_ptr_equal(index.relation, part);
    assert_true(index.alone);
    load_schedule_finish(schedule, &index);
    assert_taking(schedule, LOAD_NOTHING_LEFT); /* the root's is left to its place in the dump */
    arena_destroy(load.arena);
}

static void test_what_has_no_rows_is_indexed_at_once(UNUSED void **state)
{
    Case load;
    set_up(&load);
    (void)add_table(&load, "a", 10, 1);
    load.plan.table_count = 0;
    load.plan.has_data = true;
    (void)add_step(&load, LOAD_INDEX, "a", NULL);
    (void)add_step(&load, LOAD_INDEX, "unknown", NULL);
    LoadSchedule *schedule = load_schedule_create(load.arena, &load.plan, &load.list, 2);
    LoadTask data = take(schedule);
    LoadTask index = take(schedule);
    assert_int_equal(data.kind, LOAD_TASK_DATA);
    assert_int_equal(index.kind, LOAD_TASK_SERIES);
    load_schedule_finish(schedule, &data);
    load_schedule_finish(schedule, &index);
    assert_taking(schedule, LOAD_NOTHING_LEFT);
    arena_destroy(load.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_indexes_follow_their_rows),
        cmocka_unit_test(test_one_large_table_is_shared),
        cmocka_unit_test(test_rows_through_the_root_hold_up_partitions),
        cmocka_unit_test(test_what_has_no_rows_is_indexed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
