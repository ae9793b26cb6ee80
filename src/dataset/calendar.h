/* The calendar, in integers: no time zone, no C library state. */
#pragma once

#include <stdint.h>

typedef struct {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;
} CivilDate;

/* Days since 1970-01-01 to and from the Gregorian calendar (Hinnant, "chrono-compatible low-level
 * date algorithms"). */
static inline CivilDate civil_from_days(int32_t days)
{
    int32_t z = days + 719468;
    int32_t era = (z >= 0 ? z : z - 146096) / 146097;
    uint32_t doe = (uint32_t)(z - era * 146097);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153;
    uint32_t month = mp < 10 ? mp + 3 : mp - 9;
    return (CivilDate){
        .year = (int32_t)yoe + era * 400 + (month <= 2),
        .month = (uint8_t)month,
        .day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1),
    };
}

static inline int32_t days_from_civil(int32_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    int32_t era = (year >= 0 ? year : year - 399) / 400;
    uint32_t yoe = (uint32_t)(year - era * 400);
    uint32_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int32_t)doe - 719468;
}

/* 0 is Monday. */
static inline uint32_t weekday_of(int32_t days)
{
    return (uint32_t)(((days + 3) % 7 + 7) % 7);
}

/* Months are numbered from year 0, so that shelf lives are sums. */
static inline uint16_t month_index(int32_t days)
{
    CivilDate date = civil_from_days(days);
    return (uint16_t)(date.year * 12 + date.month - 1);
}

static inline int32_t month_first_day(uint32_t index)
{
    return days_from_civil((int32_t)(index / 12), index % 12 + 1, 1);
}
