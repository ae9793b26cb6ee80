/* An arena: memory that is released all at once, at the end of a command, request or job.
 *
 * Allocation never returns NULL: a process that has run out of memory ends with a message, because
 * no caller could do better. Nothing allocated here is freed singly. */
#pragma once

#include "base/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

typedef struct Arena Arena;

/* The caller owns the arena: `_cleanup_arena_ Arena *arena = arena_create();` */
Arena *arena_create(void);
void arena_destroy(Arena *arena); /* NULL is allowed */
/* The same for one that held secrets: every byte of it is overwritten first. */
void arena_destroy_wiped(Arena *arena);

/* Zeroed, aligned for any type. size_bytes of 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size_bytes) __attribute__((malloc, returns_nonnull));
/* An array of count zeroed elements; ends the process when count * size_bytes overflows. */
void *arena_array(Arena *arena, size_t count, size_t size_bytes)
    __attribute__((malloc, returns_nonnull));
char *arena_strdup(Arena *arena, const char *text) __attribute__((returns_nonnull));
/* Copies length bytes and adds the terminating NUL. */
char *arena_strndup(Arena *arena, const char *text, size_t length) __attribute__((returns_nonnull));
char *arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3)
    __attribute__((returns_nonnull));
char *arena_vprintf(Arena *arena, const char *format, va_list arguments)
    __attribute__((returns_nonnull));

/* Total bytes handed out, for tests and statistics. */
size_t arena_used_bytes(const Arena *arena);

static inline void cleanup_arena(Arena **arena)
{
    arena_destroy(*arena);
}
#define _cleanup_arena_ _cleanup_(cleanup_arena)

static inline void cleanup_arena_wiped(Arena **arena)
{
    arena_destroy_wiped(*arena);
}
#define _cleanup_arena_wiped_ _cleanup_(cleanup_arena_wiped)

/* Appends value to a growing arena array: items is a pointer, count and capacity are size_t. */
#define ARENA_PUSH(arena, items, count, capacity, value)                                           \
    do {                                                                                           \
        if ((count) == (capacity)) {                                                               \
            size_t grown_ = (capacity) ? (capacity)*2 : 16;                                        \
            void *moved_ = arena_array((arena), grown_, sizeof(*(items)));                         \
            if (count)                                                                             \
                memcpy(moved_, (items), (count) * sizeof(*(items)));                               \
            (items) = moved_;                                                                      \
            (capacity) = grown_;                                                                   \
        }                                                                                          \
        (items)[(count)++] = (value);                                                              \
    } while (0)
