/* Attributes and automatic cleanup of local variables.
 *
 * `_cleanup_free_ char *text = NULL;` frees at scope exit, on every path. A variable so marked is
 * always initialised in its declaration. To hand the value to a caller use TAKE(text), which leaves
 * NULL behind. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED            __attribute__((unused))
#define COUNT_OF(array)   (sizeof(array) / sizeof((array)[0]))

#define _cleanup_(function) __attribute__((cleanup(function)))

#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close(const int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static inline void cleanup_fclose(FILE **stream)
{
    if (*stream)
        (void)fclose(*stream);
}

#define _cleanup_free_   _cleanup_(cleanup_free)
#define _cleanup_close_  _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
