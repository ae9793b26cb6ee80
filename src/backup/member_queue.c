#include "backup/member_queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* From here on a copy costs more memory than it saves: buffers are larger than what is in them. */
#define LARGE_BYTES ((size_t)16 << 20)

typedef struct Entry {
    struct Entry *next;
    MemberLabel label;
    char *packed;
    size_t length;
} Entry;

typedef struct {
    Entry *first;
    Entry *last;
    bool ended;
} Unit;

struct MemberQueue {
    pthread_mutex_t lock;
    pthread_cond_t room;   /* for workers: something was taken */
    pthread_cond_t filled; /* for the taker: something came */
    Unit *units;
    size_t unit_count;
    size_t turn; /* the unit that is being taken */
    size_t bytes;
    size_t max_bytes;
    bool stopped;
};

static void *allocate(size_t count, size_t size_bytes)
{
    void *memory = calloc(count ? count : 1, size_bytes);
    if (!memory) {
        (void)fputs("vaxdb: out of memory\n", stderr);
        abort();
    }
    return memory;
}

MemberQueue *member_queue_create(size_t units, size_t max_bytes)
{
    MemberQueue *queue = allocate(1, sizeof(*queue));
    queue->units = allocate(units, sizeof(*queue->units));
    queue->unit_count = units;
    queue->max_bytes = max_bytes;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->room, &attributes);
    (void)pthread_cond_init(&queue->filled, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return queue;
}

void member_queue_destroy(MemberQueue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->unit_count; i++) {
        for (Entry *entry = queue->units[i].first; entry;) {
            Entry *next = entry->next;
            free(entry->packed);
            free(entry);
            entry = next;
        }
    }
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_cond_destroy(&queue->room);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue->units);
    free(queue);
}

/* The unit whose turn it is has room while nothing of it waits: the taker needs it to go on. */
static bool has_room(const MemberQueue *queue, size_t unit)
{
    return queue->bytes < queue->max_bytes || (unit == queue->turn && !queue->units[unit].first);
}

static Entry *make_entry(const MemberLabel *label, Buffer *packed)
{
    Entry *entry = allocate(1, sizeof(*entry));
    entry->label = *label;
    entry->length = packed->length;
    if (packed->length < LARGE_BYTES) {
        entry->packed = allocate(packed->length, 1);
        memcpy(entry->packed, packed->data, packed->length);
        return entry;
    }
    entry->packed = packed->data;
    buffer_init(packed, packed->max);
    return entry;
}

bool member_queue_put(MemberQueue *queue, size_t unit, const MemberLabel *label, Buffer *packed)
{
    Entry *entry = make_entry(label, packed);
    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->stopped && !has_room(queue, unit))
        (void)pthread_cond_wait(&queue->room, &queue->lock);
    bool taken = !queue->stopped;
    if (taken) {
        Unit *into = &queue->units[unit];
        if (into->last)
            into->last->next = entry;
        else
            into->first = entry;
        into->last = entry;
        queue->bytes += entry->length;
        if (unit == queue->turn)
            (void)pthread_cond_signal(&queue->filled);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    if (!taken) {
        free(entry->packed);
        free(entry);
    }
    return taken;
}

void member_queue_end_unit(MemberQueue *queue, size_t unit)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->units[unit].ended = true;
    (void)pthread_cond_signal(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
}

bool member_queue_wait_turn(MemberQueue *queue, size_t unit)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->stopped && (queue->turn != unit || queue->units[unit].first))
        (void)pthread_cond_wait(&queue->room, &queue->lock);
    bool turn = !queue->stopped;
    (void)pthread_mutex_unlock(&queue->lock);
    return turn;
}

static QueueOutcome take_locked(MemberQueue *queue, QueueItem *item)
{
    if (queue->stopped)
        return QUEUE_STOPPED;
    if (queue->turn == queue->unit_count)
        return QUEUE_END;
    Unit *unit = &queue->units[queue->turn];
    item->unit = queue->turn;
    Entry *entry = unit->first;
    if (entry) {
        unit->first = entry->next;
        if (!unit->first)
            unit->last = NULL;
        queue->bytes -= entry->length;
        item->label = entry->label;
        item->packed = entry->packed;
        item->length = entry->length;
        free(entry);
        return QUEUE_MEMBER;
    }
    if (!unit->ended)
        return QUEUE_NOTHING;
    queue->turn++;
    return QUEUE_UNIT_END;
}

static struct timespec moment_in(int wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + (int64_t)wait_ms * 1000000;
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    return until;
}

QueueOutcome member_queue_take(MemberQueue *queue, int wait_ms, QueueItem *item)
{
    const struct timespec until = moment_in(wait_ms);
    *item = (QueueItem){0};
    (void)pthread_mutex_lock(&queue->lock);
    QueueOutcome outcome;
    while ((outcome = take_locked(queue, item)) == QUEUE_NOTHING) {
        if (pthread_cond_timedwait(&queue->filled, &queue->lock, &until) == ETIMEDOUT)
            break;
    }
    if (outcome == QUEUE_MEMBER || outcome == QUEUE_UNIT_END)
        (void)pthread_cond_broadcast(&queue->room);
    (void)pthread_mutex_unlock(&queue->lock);
    return outcome;
}

void member_queue_stop(MemberQueue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    (void)pthread_cond_broadcast(&queue->room);
    (void)pthread_cond_broadcast(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
}
