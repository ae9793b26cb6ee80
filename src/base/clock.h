/* Time: the monotonic clock for durations, the wall clock for names and records. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_unix_s(void);
/* "20261123-020000", UTC: the time in a backup's name. */
char *clock_name_utc(Arena *arena, int64_t unix_s);
/* "2026-11-23T02:00:00Z" */
char *clock_iso_utc(Arena *arena, int64_t unix_s);
/* Reads "2026-11-23T02:00:00Z" and "20261123-020000". */
bool clock_parse_utc(const char *text, int64_t *unix_s) MUST_CHECK;
/* Days since 1970-01-01 of "2026-11-23" (a real calendar date), and back. */
bool clock_parse_date(const char *text, int32_t *days) MUST_CHECK;
char *clock_date(Arena *arena, int32_t days);
/* Sleeps; returns early, false, when the program is interrupted (interrupt.h). */
bool clock_sleep_ms(int64_t ms);
/* Between half and all of ms, so that many who wait the same time do not come back at once. */
int64_t clock_jittered_ms(int64_t ms);
