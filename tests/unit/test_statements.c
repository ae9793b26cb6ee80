#include "unit.h"

#include "base/siphash.h"
#include "pool/statements.h"

#include <pthread.h>

static uint64_t random_below(uint64_t *state, uint64_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % bound;
}

/* The vectors of the paper, appendix A, and of its authors' program. */
static void siphash_is_the_known_one(UNUSED void **state)
{
    uint8_t key[SIPHASH_KEY_BYTES];
    uint8_t data[15];
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        data[i] = i;
    assert_int_equal(siphash(key, data, 15), 0xa129ca6149be45e5);
    assert_int_equal(siphash(key, data, 0), 0x726fdb47dd0e0e31);
    assert_int_equal(siphash(key, data, 8), 0x93f5f5799a932462);
}

/* ---- The table ---- */

static const Statement *acquire(StatementTable *table, const char *query)
{
    return statement_acquire(table, query, strlen(query) + 1);
}

static void one_statement_for_one_text(UNUSED void **state)
{
    StatementTable *table = statement_table_create(1 << 20);
    static const char int4[] = "select $1\0\0\1\0\0\0\x17";
    static const char int8[] = "select $1\0\0\1\0\0\0\x14";
    const Statement *one = statement_acquire(table, int4, sizeof(int4) - 1);
    const Statement *two = statement_acquire(table, int8, sizeof(int8) - 1);
    const Statement *again = statement_acquire(table, int4, sizeof(int4) - 1);
    assert_ptr_equal(one, again);
    assert_ptr_not_equal(one, two);
    assert_int_not_equal(one->id, two->id);
    assert_string_equal(one->name, "PGBOUNCER_1");
    assert_string_equal(two->name, "PGBOUNCER_2");
    assert_int_equal(one->key_length, sizeof(int4) - 1);
    assert_memory_equal(one->key, int4, sizeof(int4) - 1);
    assert_int_equal(statement_table_count(table), 2);
    assert_ptr_equal(statement_retain(table, one), one);
    for (int i = 0; i < 3; i++)
        statement_release(table, one);
    statement_release(table, two);
    assert_int_equal(statement_table_count(table), 2); /* there is room */
    assert_ptr_equal(statement_acquire(table, int4, sizeof(int4) - 1), one);
    statement_release(table, one);
    statement_table_destroy(table);
}

static void memory_has_a_limit(UNUSED void **state)
{
    const Statement *held[1000] = {0};
    const size_t max = 100000;
    size_t count = 0;
    char query[50];
    StatementTable *table = statement_table_create(max);
    const Statement *third = acquire(table, "select 3");
    const uint64_t gone = third->id;
    for (;; count++) {
        assert_true(count < 1000);
        (void)snprintf(query, sizeof(query), "select %zu", count);
        held[count] = acquire(table, query);
        assert_true(statement_table_bytes(table) <= max);
        if (!held[count])
            break;
    }
    assert_true(count > 100);
    assert_null(acquire(table, "one more"));
    assert_int_equal(statement_table_count(table), count);
    assert_ptr_equal(acquire(table, "select 7"), held[7]); /* what is there is there */
    statement_release(table, held[7]);

    /* One that nobody uses goes, from whatever shard, and its id does not come back. */
    assert_ptr_equal(held[3], third);
    statement_release(table, held[3]);
    statement_release(table, third);
    const Statement *more = acquire(table, "one more");
    assert_non_null(more);
    assert_int_equal(statement_table_count(table), count);
    assert_null(acquire(table, "select 3"));
    statement_release(table, more);
    third = acquire(table, "select 3");
    assert_non_null(third);
    assert_true(third->id > gone);
    held[3] = third;
    for (size_t i = 0; i < count; i++)
        statement_release(table, held[i]);
    assert_int_equal(statement_table_count(table), count);

    /* Nothing is thrown away for what can never fit. */
    _cleanup_free_ char *large = calloc(1, max);
    assert_null(statement_acquire(table, large, max));
    assert_int_equal(statement_table_count(table), count);
    statement_table_destroy(table);
}

static void the_longest_unused_goes_first(UNUSED void **state)
{
    const size_t max = 60000;
    char query[50];
    StatementTable *table = statement_table_create(max);
    const Statement *favourite = acquire(table, "favourite");
    uint64_t id = favourite->id;
    statement_release(table, favourite);
    for (int i = 0; i < 5000; i++) { /* used all the time, and in between by nobody */
        (void)snprintf(query, sizeof(query), "select %d", i);
        statement_release(table, acquire(table, query));
        if (i % 2 == 0)
            statement_release(table, acquire(table, "favourite"));
    }
    favourite = acquire(table, "favourite");
    assert_int_equal(favourite->id, id);
    statement_release(table, favourite);
    assert_true(statement_table_bytes(table) <= max);
    statement_table_destroy(table);
}

#define QUERIES 300

typedef struct {
    StatementTable *table;
    uint64_t seed;
    size_t wrong;
    size_t refused;
} Worker;

static void *work(void *argument)
{
    Worker *worker = argument;
    const Statement *held[40] = {0};
    uint64_t numbers[40] = {0};
    char query[50];
    for (int i = 0; i < 30000; i++) {
        size_t at = random_below(&worker->seed, COUNT_OF(held));
        if (held[at]) {
            (void)snprintf(query, sizeof(query), "select %d", (int)numbers[at]);
            worker->wrong += strcmp((const char *)held[at]->key, query) != 0;
            statement_release(worker->table, held[at]);
            held[at] = NULL;
            continue;
        }
        numbers[at] = random_below(&worker->seed, QUERIES);
        (void)snprintf(query, sizeof(query), "select %d", (int)numbers[at]);
        held[at] = statement_acquire(worker->table, query, strlen(query) + 1);
        worker->refused += held[at] == NULL;
        if (held[at] && i % 7 == 0)
            statement_release(worker->table, statement_retain(worker->table, held[at]));
    }
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        if (held[i])
            statement_release(worker->table, held[i]);
    }
    return NULL;
}

/* Room for fewer than there are queries, and for fewer than all threads may hold. */
static void threads_share_it(UNUSED void **state)
{
    pthread_t threads[4];
    Worker workers[4];
    const size_t max = (size_t)120 * 170;
    StatementTable *table = statement_table_create(max);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        workers[i] = (Worker){.table = table, .seed = 88172645463325252U + i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_true(statement_table_bytes(table) <= max);
    assert_true(statement_table_count(table) > 0);
    statement_table_destroy(table); /* asserts that the counts come to nothing */
}

/* ---- Names ---- */

static const NameLimits no_limits = {.count_max = UINT32_MAX, .bytes_max = SIZE_MAX};

static void names_are_a_client_s_own(UNUSED void **state)
{
    StatementTable *table = statement_table_create(1 << 20);
    StatementNames names = {0};
    const Statement *one = acquire(table, "select 1");
    const Statement *two = acquire(table, "select 2");
    assert_null(statement_names_find(table, &names, "a", 1));
    assert_false(statement_names_remove(table, &names, "a", 1));
    assert_int_equal(statement_names_add(table, &names, &no_limits, "a", 1, one), NAME_ADDED);
    assert_int_equal(statement_names_add(table, &names, &no_limits, "a", 1, two), NAME_TAKEN);
    assert_int_equal(statement_names_add(table, &names, &no_limits, "aa", 2, two), NAME_ADDED);
    assert_ptr_equal(statement_names_find(table, &names, "a", 1), one);
    assert_ptr_equal(statement_names_find(table, &names, "aa", 2), two);
    assert_null(statement_names_find(table, &names, "aaa", 3));
    assert_true(statement_names_remove(table, &names, "a", 1));
    assert_null(statement_names_find(table, &names, "a", 1));
    assert_int_equal(names.bytes, 2);
    statement_names_clear(table, &names);
    assert_null(names.slots);
    assert_int_equal(names.count, 0);
    statement_table_destroy(table); /* no reference is left */
}

static void names_have_limits(UNUSED void **state)
{
    StatementTable *table = statement_table_create(1 << 20);
    StatementNames names = {0};
    const NameLimits few = {.count_max = 2, .bytes_max = 5};
    const Statement *one = acquire(table, "select 1");
    assert_int_equal(statement_names_add(table, &names, &few, "123456", 6, one), NAME_FULL);
    assert_int_equal(statement_names_add(table, &names, &few, "123", 3, one), NAME_ADDED);
    (void)statement_retain(table, one);
    assert_int_equal(statement_names_add(table, &names, &few, "456", 3, one), NAME_FULL);
    assert_int_equal(statement_names_add(table, &names, &few, "45", 2, one), NAME_ADDED);
    (void)statement_retain(table, one);
    assert_int_equal(statement_names_add(table, &names, &few, "", 0, one), NAME_FULL);
    assert_int_equal(statement_names_add(table, &names, &few, "45", 2, one), NAME_TAKEN);
    assert_true(statement_names_remove(table, &names, "45", 2));
    assert_int_equal(statement_names_add(table, &names, &few, "", 0, one), NAME_ADDED);
    assert_ptr_equal(statement_names_find(table, &names, "", 0), one);
    statement_names_clear(table, &names);
    statement_table_destroy(table);
}

/* Whatever is added and removed, it is what an array of all names says. */
static void names_agree_with_a_simple_model(UNUSED void **state)
{
    StatementTable *table = statement_table_create(1 << 20);
    StatementNames names = {0};
    const Statement *model[200] = {0};
    uint64_t seed = 7;
    uint32_t count = 0;
    char name[20];
    char query[40];
    for (int i = 0; i < 30000; i++) {
        size_t at = random_below(&seed, COUNT_OF(model));
        size_t length = (size_t)snprintf(name, sizeof(name), "s%zu", at);
        assert_ptr_equal(statement_names_find(table, &names, name, length), model[at]);
        if (model[at] && i % 3 != 0) {
            assert_true(statement_names_remove(table, &names, name, length));
            model[at] = NULL;
            count--;
        } else if (!model[at]) {
            (void)snprintf(query, sizeof(query), "select %zu", at % 50);
            model[at] = acquire(table, query);
            assert_int_equal(
                statement_names_add(table, &names, &no_limits, name, length, model[at]),
                NAME_ADDED);
            count++;
        }
        assert_int_equal(names.count, count);
    }
    statement_names_clear(table, &names);
    statement_table_destroy(table);
}

/* ---- Sets ---- */

static void a_set_evicts_the_longest_unused(UNUSED void **state)
{
    PreparedSet set;
    uint64_t evicted = 99;
    prepared_set_init(&set, 3);
    assert_false(prepared_set_use(&set, 1));
    assert_false(prepared_set_remove(&set, 1));
    for (uint64_t id = 1; id <= 3; id++) {
        assert_true(prepared_set_add(&set, id, &evicted));
        assert_int_equal(evicted, 0);
    }
    assert_true(prepared_set_use(&set, 1));
    assert_true(prepared_set_add(&set, 4, &evicted));
    assert_int_equal(evicted, 2);
    assert_false(prepared_set_use(&set, 2));
    prepared_set_limit(&set, 1);
    assert_int_equal(prepared_set_trim(&set), 3);
    assert_int_equal(prepared_set_trim(&set), 1);
    assert_int_equal(prepared_set_trim(&set), 0);
    assert_true(prepared_set_use(&set, 4));
    prepared_set_clear(&set);
    assert_int_equal(set.count, 0);
    assert_null(set.nodes);
    assert_false(prepared_set_use(&set, 4));
    assert_true(prepared_set_add(&set, 4, &evicted));
    assert_int_equal(evicted, 0);
    prepared_set_free(&set);
}

/* Oldest first. */
typedef struct {
    uint64_t ids[40];
    size_t count;
} Model;

static bool model_remove(Model *model, uint64_t id)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->ids[i] != id)
            continue;
        model->count--;
        memmove(&model->ids[i], &model->ids[i + 1], (model->count - i) * sizeof(uint64_t));
        return true;
    }
    return false;
}

static void a_set_agrees_with_a_simple_model(UNUSED void **state)
{
    PreparedSet set;
    Model model = {0};
    uint64_t seed = 11;
    prepared_set_init(&set, 33);
    for (int i = 0; i < 30000; i++) {
        uint64_t id = random_below(&seed, 60) * 1000 + 1;
        uint64_t evicted = 0;
        uint64_t expected = 0;
        if (random_below(&seed, 4) == 0) {
            assert_int_equal(prepared_set_remove(&set, id), model_remove(&model, id));
        } else if (prepared_set_use(&set, id)) {
            assert_true(model_remove(&model, id));
            model.ids[model.count++] = id;
        } else {
            assert_true(prepared_set_add(&set, id, &evicted));
            assert_false(model_remove(&model, id));
            model.ids[model.count++] = id;
            if (model.count > 33)
                expected = model.ids[0];
            if (expected)
                assert_true(model_remove(&model, expected));
            assert_int_equal(evicted, expected);
        }
        assert_int_equal(set.count, model.count);
    }
    prepared_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_is_the_known_one),
        cmocka_unit_test(one_statement_for_one_text),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(the_longest_unused_goes_first),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(names_are_a_client_s_own),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(names_agree_with_a_simple_model),
        cmocka_unit_test(a_set_evicts_the_longest_unused),
        cmocka_unit_test(a_set_agrees_with_a_simple_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
