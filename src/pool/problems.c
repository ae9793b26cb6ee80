#include "pool/problems.h"

void problems_init(PoolProblems *problems, Arena *arena)
{
    *problems = (PoolProblems){.arena = arena};
}

static void add(PoolProblems *problems, bool warning, const char *text)
{
    problems->errors += !warning;
    if (problems->count == POOL_PROBLEMS_MAX)
        return;
    PoolProblem problem = {warning, text, ""};
    ARENA_PUSH(problems->arena, problems->items, problems->count, problems->capacity, problem);
}

static const char *placed(const PoolProblems *problems, const char *path, int line,
                          const char *format, va_list arguments) PRINTF_LIKE(4, 0);
static const char *placed(const PoolProblems *problems, const char *path, int line,
                          const char *format, va_list arguments)
{
    const char *what = arena_vprintf(problems->arena, format, arguments);
    return line ? arena_printf(problems->arena, "%s:%d: %s", path, line, what)
                : arena_printf(problems->arena, "%s: %s", path, what);
}

bool problems_error(PoolProblems *problems, const char *path, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, false, placed(problems, path, line, format, arguments));
    va_end(arguments);
    return false;
}

void problems_warn(PoolProblems *problems, const char *path, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, true, placed(problems, path, line, format, arguments));
    va_end(arguments);
}

bool problems_hint(PoolProblems *problems, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *hint = arena_vprintf(problems->arena, format, arguments);
    va_end(arguments);
    if (*hint && problems->count && problems->count < POOL_PROBLEMS_MAX)
        problems->items[problems->count - 1].hint = hint;
    return false;
}

bool problems_take(PoolProblems *problems, const Error *err)
{
    add(problems, false, arena_strdup(problems->arena, err->message));
    return problems_hint(problems, "%s", err->hint);
}

bool problems_check(const PoolProblems *problems, Error *err)
{
    if (!problems->errors)
        return true;
    for (size_t i = 0; i < problems->count; i++) {
        const PoolProblem *problem = &problems->items[i];
        if (problem->warning)
            continue;
        if (problems->errors > 1)
            (void)error_set(err, ERR_USAGE, "%s (and %zu more)", problem->text,
                            problems->errors - 1);
        else
            (void)error_set(err, ERR_USAGE, "%s", problem->text);
        return error_hint(err, "%s", problem->hint);
    }
    return error_set(err, ERR_USAGE, "%zu errors in the configuration", problems->errors);
}
