/* Everything that is wrong in a pooler's files, not only the first of it.
 *
 * An error refuses the configuration; a warning is for whoever checks it. Texts are
 * "FILE:LINE: what and why", and never hold a password. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define POOL_PROBLEMS_MAX 1000 /* more are only counted */

typedef struct {
    bool warning;
    const char *text;
    const char *hint; /* "" when there is none */
} PoolProblem;

typedef struct {
    Arena *arena; /* the caller's: problems outlive what they are about */
    PoolProblem *items;
    size_t count, capacity;
    size_t errors; /* also those that were not kept */
} PoolProblems;

void problems_init(PoolProblems *problems, Arena *arena);
/* line 0: of the file as a whole. Returns false. */
bool problems_error(PoolProblems *problems, const char *path, int line, const char *format, ...)
    PRINTF_LIKE(4, 5);
void problems_warn(PoolProblems *problems, const char *path, int line, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Of the problem just added; "" leaves it alone. Returns false. */
bool problems_hint(PoolProblems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
/* err's message has its place in it already. Returns false. */
bool problems_take(PoolProblems *problems, const Error *err);
/* False with the first error, ERR_USAGE, and how many there are besides. */
bool problems_check(const PoolProblems *problems, Error *err) MUST_CHECK;
