#include "unit.h"

#include "backup/member_queue.h"

#include <pthread.h>
#include <string.h>

#define UNITS 40
#define EACH  5

/* Puts EACH members of the units that no other worker has; a member says its unit and number. */
typedef struct {
    MemberQueue *queue;
    int next;
    pthread_mutex_t lock;
    int refused;
} Work;

static int next_unit(Work *work)
{
    (void)pthread_mutex_lock(&work->lock);
    int unit = work->next++;
    (void)pthread_mutex_unlock(&work->lock);
    return unit;
}

static void *put_units(void *data)
{
    Work *work = data;
    _cleanup_buffer_ Buffer packed;
    buffer_init(&packed, 100);
    for (int unit; (unit = next_unit(work)) < UNITS;) {
        for (uint32_t part = 0; part < EACH; part++) {
            const MemberLabel label = {.table = (uint32_t)unit, .part = part};
            buffer_clear(&packed);
            (void)buffer_printf(&packed, "%d/%u", unit, part);
            if (!member_queue_put(work->queue, (size_t)unit, &label, &packed)) {
                (void)__atomic_add_fetch(&work->refused, 1, __ATOMIC_SEQ_CST);
                return NULL;
            }
        }
        member_queue_end_unit(work->queue, (size_t)unit);
    }
    return NULL;
}

static void take_one(MemberQueue *queue, int unit, uint32_t part)
{
    QueueItem item;
    QueueOutcome outcome;
    while ((outcome = member_queue_take(queue, 1000, &item)) == QUEUE_NOTHING) {
    }
    assert_int_equal(outcome, QUEUE_MEMBER);
    char wanted[32];
    (void)snprintf(wanted, sizeof(wanted), "%d/%u", unit, part);
    assert_int_equal(item.length, strlen(wanted));
    assert_memory_equal(item.packed, wanted, item.length);
    assert_int_equal(item.label.part, part);
    assert_int_equal(item.unit, unit);
    free(item.packed);
}

static void run(size_t max_bytes)
{
    Work work = {.queue = member_queue_create(UNITS, max_bytes), .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_units, &work), 0);
    QueueItem item;
    for (int unit = 0; unit < UNITS; unit++) {
        for (uint32_t part = 0; part < EACH; part++)
            take_one(work.queue, unit, part);
        QueueOutcome outcome;
        while ((outcome = member_queue_take(work.queue, 1000, &item)) == QUEUE_NOTHING) {
        }
        assert_int_equal(outcome, QUEUE_UNIT_END);
    }
    assert_int_equal(member_queue_take(work.queue, 1000, &item), QUEUE_END);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(work.refused, 0);
    member_queue_destroy(work.queue);
}

static void test_members_come_in_order(UNUSED void **state)
{
    run(1 << 20);
}

/* Every worker that is ahead waits; the one whose turn it is never does. */
static void test_a_full_queue_goes_on(UNUSED void **state)
{
    run(0);
    run(7);
}

static void test_a_stop_ends_the_waiting(UNUSED void **state)
{
    Work work = {.queue = member_queue_create(UNITS, 0), .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[3];
    QueueItem item;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_units, &work), 0);
    take_one(work.queue, 0, 0);
    member_queue_stop(work.queue);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(work.refused, 3);
    assert_int_equal(member_queue_take(work.queue, 0, &item), QUEUE_STOPPED);
    assert_false(member_queue_wait_turn(work.queue, 1));
    member_queue_destroy(work.queue);
}

static void test_what_is_large_is_not_copied(UNUSED void **state)
{
    MemberQueue *queue = member_queue_create(1, 0);
    const MemberLabel label = {.part = 7};
    _cleanup_buffer_ Buffer packed;
    QueueItem item;
    buffer_init(&packed, (size_t)64 << 20);
    char *bytes = buffer_reserve(&packed, (size_t)20 << 20);
    memset(bytes, 'x', (size_t)20 << 20);
    buffer_commit(&packed, (size_t)20 << 20);
    assert_true(member_queue_put(queue, 0, &label, &packed));
    assert_int_equal(packed.length, 0);
    assert_int_equal(packed.capacity, 0);
    assert_true(buffer_append_str(&packed, "more"));
    assert_int_equal(member_queue_take(queue, 0, &item), QUEUE_MEMBER);
    assert_ptr_equal(item.packed, bytes);
    assert_int_equal(item.length, 20 << 20);
    assert_int_equal(item.label.part, 7);
    free(item.packed);
    assert_true(member_queue_wait_turn(queue, 0)); /* nothing of it waits any more */
    member_queue_destroy(queue);
}

static void test_turns(UNUSED void **state)
{
    MemberQueue *queue = member_queue_create(2, 0);
    QueueItem item;
    assert_true(member_queue_wait_turn(queue, 0));
    assert_int_equal(member_queue_take(queue, 0, &item), QUEUE_NOTHING);
    member_queue_end_unit(queue, 0);
    assert_int_equal(member_queue_take(queue, 0, &item), QUEUE_UNIT_END);
    assert_true(member_queue_wait_turn(queue, 1));
    member_queue_destroy(queue);
    queue = member_queue_create(0, 0);
    assert_int_equal(member_queue_take(queue, 0, &item), QUEUE_END);
    member_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_in_order),
        cmocka_unit_test(test_a_full_queue_goes_on),
        cmocka_unit_test(test_a_stop_ends_the_waiting),
        cmocka_unit_test(test_what_is_large_is_not_copied),
        cmocka_unit_test(test_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
