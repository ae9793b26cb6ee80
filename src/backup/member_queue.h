/* Members that workers make at the same time, taken in the order of their units.
 *
 * What is kept is bounded: a worker that is ahead waits once the queue is full. The one whose unit
 * is being taken never waits for the others, so that nobody waits for ever. */
#pragma once

#include "backup/member.h"
#include "base/cleanup.h"

typedef struct MemberQueue MemberQueue;

/* Of units 0 to units - 1. Never fails. */
MemberQueue *member_queue_create(size_t units, size_t max_bytes);
void member_queue_destroy(MemberQueue *queue); /* NULL is allowed; nobody may use it any more */

/* For workers. The next member of a unit: copied, or when it is large taken out of packed, which is
 * then empty. False once the queue was stopped. */
bool member_queue_put(MemberQueue *queue, size_t unit, const MemberLabel *label,
                      Buffer *packed) MUST_CHECK;
void member_queue_end_unit(MemberQueue *queue, size_t unit);
/* Waits until all units before this one were taken, and all that was put of it. False once the
 * queue was stopped. */
bool member_queue_wait_turn(MemberQueue *queue, size_t unit) MUST_CHECK;

typedef enum {
    QUEUE_MEMBER,
    QUEUE_UNIT_END, /* unit tells which */
    QUEUE_NOTHING,  /* none came within wait_ms */
    QUEUE_END,      /* all units were taken */
    QUEUE_STOPPED,
} QueueOutcome;

typedef struct {
    MemberLabel label;
    char *packed; /* the taker frees it */
    size_t length;
    size_t unit;
} QueueItem;

/* For one taker. */
QueueOutcome member_queue_take(MemberQueue *queue, int wait_ms, QueueItem *item);
/* Everybody's waiting ends. */
void member_queue_stop(MemberQueue *queue);
