#include "dataset/coldchain.h"

ColdDay coldchain_day(const World *world, uint32_t facility, uint32_t day)
{
    uint64_t power = random_u64(world->seed, DRAW_POWER, facility, day);
    uint64_t noise = random_u64(world->seed, DRAW_TEMPERATURE, facility, day);
    ColdDay cold = {
        .noise = noise,
        .base_decideg = (int16_t)(40 + facility % 13),
        .freeze_hour = 24,
    };
    uint32_t fate = random_below(power, 0, 1000);
    if (!world->facilities[facility].solar && fate < 280) {
        /* Most cuts are short; one in twenty lasts longer than a refrigerator holds. */
        uint32_t hours = 1 + random_below(power, 32, 4);
        if (fate < 14)
            hours += 4 + (uint32_t)(noise >> 60) / 2;
        cold.cut_hours = (uint8_t)hours;
        cold.cut_start = (uint8_t)((noise >> 52 & 0xff) % (24 - hours));
    }
    if (fate >= 997)
        cold.freeze_hour = (uint8_t)((noise >> 48 & 0x0f) + 4);
    if (cold.cut_hours > HOLDOVER_HOURS || cold.freeze_hour < 24)
        for (uint32_t hour = 0; hour < 24; hour++)
            cold.excursions += coldchain_out_of_range(coldchain_decideg(&cold, hour));
    return cold;
}

bool coldchain_power_on(const ColdDay *day, uint32_t hour)
{
    return hour < day->cut_start || hour >= day->cut_start + (uint32_t)day->cut_hours;
}

int32_t coldchain_decideg(const ColdDay *day, uint32_t hour)
{
    int32_t decideg = day->base_decideg + (int32_t)(day->noise >> (2 * hour) & 3);
    if (hour >= day->freeze_hour && hour < day->freeze_hour + 2u)
        return decideg - 45;
    if (hour < day->cut_start)
        return decideg;
    uint32_t since = hour - day->cut_start;
    if (since < day->cut_hours)
        return since <= HOLDOVER_HOURS ? decideg + (int32_t)since * 2
                                       : decideg + 10 + (int32_t)(since - HOLDOVER_HOURS) * 22;
    return decideg;
}

bool coldchain_out_of_range(int32_t decideg)
{
    return decideg < 20 || decideg > 80;
}
