/* The world of one data set: its size, its places and its vaccines, everything that does not change
 * from day to day. Computed from the arguments alone; read-only afterwards, so threads may share
 * it.
 *
 * From the number of rows follow the length of the series and the number of facilities:
 * rows = facilities x 12 vaccines x days. The surplus of that product is left out on the first day,
 * as facilities that began to report on the second, so exactly the rows asked for are made and the
 * last day is complete. Facilities stop at 40,000; from there on the series grows longer.
 *
 * All locations are numbered in the order in which they are loaded: zones, states, LGAs,
 * facilities. */
#pragma once

#include "base/arena.h"
#include "dataset/geography.h"
#include "dataset/random.h"
#include "dataset/vaccines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACILITY_MAX   40000u
#define UUID_BYTES     16
#define FIRST_STATE    ZONE_COUNT
#define FIRST_LGA      (FIRST_STATE + STATE_COUNT)
#define FIRST_FACILITY (FIRST_LGA + LGA_COUNT)

/* The order is that of loading; part of the digest through the ids. */
typedef enum {
    TABLE_LOCATIONS,
    TABLE_VACCINES,
    TABLE_USERS,
    TABLE_PRODUCT_BATCHES,
    TABLE_STOCK_SNAPSHOTS,
    TABLE_STOCK_LEDGER,
    TABLE_ALERTS,
    TABLE_REQUISITIONS,
    TABLE_REQUISITION_LINE_ITEMS,
    TABLE_TRANSFERS,
    TABLE_DELIVERIES,
    TABLE_LOGISTICS_METRICS,
    TABLE_CCE_TELEMETRY,
    TABLE_AUDIT_LOGS,
    TABLE_SYNC_LOGS,
    TABLE_COUNT,
} TableIndex;

typedef struct {
    uint8_t bytes[UUID_BYTES];
} Uuid;

typedef struct {
    Uuid id;
    uint32_t catchment;   /* people served */
    uint16_t lga;         /* 0 to 773 */
    uint16_t ordinal;     /* within the LGA, from 1 */
    uint8_t state;        /* 0 to 36 */
    uint8_t phase;        /* day in its ordering cycle on which the series begins */
    uint8_t session_days; /* weekdays on which it vaccinates, bit 0 is Monday */
    uint8_t sessions;     /* how many of them */
    bool solar;           /* no power cuts */
} Facility;

typedef struct {
    const char *name;
    size_t name_length;
    uint32_t weight; /* its share of the people */
    uint8_t state;
    uint8_t ordinal; /* within the state, from 1 */
} Lga;

typedef struct {
    uint64_t seed;
    int64_t rows;
    int32_t first_day; /* days since 1970-01-01 */
    uint32_t day_count;
    uint32_t facility_count;
    uint32_t first_pair; /* pairs below it begin on the second day */
    int64_t audit_rows;
    Facility *facilities;
    Lga lgas[LGA_COUNT];
    Uuid vaccine_ids[VACCINE_COUNT];
} World;

/* rows at least 1; until is the last day. Everything is in the arena. */
World *world_create(Arena *arena, int64_t rows, uint64_t seed, int32_t until);

/* The id of row number index of a table: a version 4 UUID made of two hashes. */
Uuid world_id(const World *world, TableIndex table, uint64_t index);

static inline int32_t world_last_day(const World *world)
{
    return world->first_day + (int32_t)world->day_count - 1;
}

/* Ordering cycles: a facility orders every CYCLE_DAYS days, and what it ordered comes after
 * arrival days, or never. */
#define CYCLE_DAYS 60

typedef struct {
    uint8_t lead;    /* days from order to the promised delivery */
    uint8_t arrival; /* days from order to delivery, below CYCLE_DAYS */
    bool rejected;   /* never delivered */
} Cycle;

/* Days since the last order, and the number of the cycle, of a facility on a day of the series. */
static inline uint32_t world_cycle_day(const Facility *facility, uint32_t day)
{
    return (day + facility->phase) % CYCLE_DAYS;
}
Cycle world_cycle(const World *world, uint32_t facility, uint32_t day);

/* Users are numbered: directors, administrators, an officer for each state and each LGA, and the
 * one in charge of each facility. */
#define DIRECTOR_COUNT      3u
#define ADMIN_COUNT         5u
#define FIRST_STATE_USER    (DIRECTOR_COUNT + ADMIN_COUNT)
#define FIRST_LGA_USER      (FIRST_STATE_USER + STATE_COUNT)
#define FIRST_FACILITY_USER (FIRST_LGA_USER + LGA_COUNT)
