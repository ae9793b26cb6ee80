#include "base/clock.h"

#include "base/interrupt.h"

#include <ctype.h>

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_unix_s(void)
{
    return time(NULL);
}

static struct tm utc_parts(int64_t unix_s)
{
    time_t seconds = unix_s;
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    return parts;
}

char *clock_name_utc(Arena *arena, int64_t unix_s)
{
    struct tm t = utc_parts(unix_s);
    return arena_printf(arena, "%04d%02d%02d-%02d%02d%02d", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

char *clock_iso_utc(Arena *arena, int64_t unix_s)
{
    struct tm t = utc_parts(unix_s);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

/* strptime takes fewer digits and spaces for digits: the text must look like shape, where a 0
 * stands for any digit. Normalisation by timegm would accept February 31st: the parts must come
 * back unchanged. */
static bool parse_exact(const char *text, const char *shape, const char *format, int64_t *unix_s)
{
    if (strlen(text) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    }
    struct tm parts = {0};
    const char *end = strptime(text, format, &parts);
    if (!end || *end)
        return false;
    struct tm given = parts;
    time_t seconds = timegm(&parts);
    if (given.tm_mday != parts.tm_mday || given.tm_mon != parts.tm_mon ||
        given.tm_hour != parts.tm_hour || given.tm_sec != parts.tm_sec)
        return false;
    *unix_s = seconds;
    return true;
}

bool clock_parse_utc(const char *text, int64_t *unix_s)
{
    return parse_exact(text, "0000-00-00T00:00:00Z", "%Y-%m-%dT%H:%M:%SZ", unix_s) ||
           parse_exact(text, "00000000-000000", "%Y%m%d-%H%M%S", unix_s);
}

bool clock_parse_date(const char *text, int32_t *days)
{
    int64_t seconds = 0;
    if (!parse_exact(text, "0000-00-00", "%Y-%m-%d", &seconds))
        return false;
    *days = (int32_t)(seconds / 86400);
    return true;
}

char *clock_date(Arena *arena, int32_t days)
{
    struct tm t = utc_parts((int64_t)days * 86400);
    return arena_printf(arena, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

bool clock_sleep_ms(int64_t ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    for (;;) {
        if (interrupt_pending())
            return false;
        int64_t left = until - clock_monotonic_ms();
        if (left <= 0)
            return true;
        if (left > 100)
            left = 100;
        struct timespec nap = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        (void)nanosleep(&nap, NULL);
    }
}

int64_t clock_jittered_ms(int64_t ms)
{
    uint32_t noise = (uint32_t)((uint64_t)clock_monotonic_us() * 2654435761U) >> 16;
    return ms / 2 + (int64_t)noise % (ms / 2 + 1);
}
