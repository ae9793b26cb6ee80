/* The refrigerator of a facility: its temperature at every hour follows from the power cuts of the
 * day. Telemetry, snapshots, vial monitors and alerts all read it here, so they agree. */
#pragma once

#include "dataset/world.h"

/* A refrigerator holds its temperature so long without power. */
#define HOLDOVER_HOURS 5

typedef struct {
    uint64_t noise;
    int16_t base_decideg; /* of the fresh-food compartment */
    uint8_t cut_start;    /* hour of the day at which the power went */
    uint8_t cut_hours;    /* 0: it stayed */
    uint8_t freeze_hour;  /* a cold spell of two hours starts; 24: none */
    uint8_t excursions;   /* hours out of range */
} ColdDay;

ColdDay coldchain_day(const World *world, uint32_t facility, uint32_t day);
/* Tenths of a degree at an hour of the day, 0 to 23. In range is 20 to 80. */
int32_t coldchain_decideg(const ColdDay *day, uint32_t hour);
bool coldchain_out_of_range(int32_t decideg);
bool coldchain_power_on(const ColdDay *day, uint32_t hour);
