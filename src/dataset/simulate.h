/* Vaccine stock, day by day: sessions use it, cycles order it, deliveries (late, short or never)
 * bring it, heat and age spoil it, neighbours help out. Everything else about stock follows from
 * these movements: the balance of a snapshot is the sum of the ledger.
 *
 * The simulation holds a few bytes for each facility and vaccine whatever the length of the series.
 * It is run once for each table that it feeds; each run tells an observer what happens, in the
 * order of time, and gives the same answers. */
#pragma once

#include "dataset/coldchain.h"
#include "dataset/world.h"

typedef enum { MOVE_RECEIPT, MOVE_ISSUE, MOVE_ADJUSTMENT, MOVE_LOSS } Movement;

typedef enum { STATUS_OPTIMAL, STATUS_UNDERSTOCKED, STATUS_STOCKOUT, STATUS_OVERSTOCKED } Status;

/* In the order of the enum in the database. */
typedef enum {
    EVENT_STOCKOUT,
    EVENT_NEAR_EXPIRY,
    EVENT_TEMPERATURE_EXCURSION,
    EVENT_VVM_STAGE_3,
    EVENT_VVM_STAGE_4,
    EVENT_POWER_OUTAGE,
    EVENT_DELIVERY_DELAY,
    EVENT_RECONCILIATION_MISMATCH,
} EventKind;

#define NO_VACCINE UINT8_MAX
#define NO_DAY     UINT32_MAX

typedef struct {
    int32_t balance;     /* doses */
    int32_t consumption; /* average of a month, as the snapshot shows it; at least 1 */
    int32_t typical;     /* demand of a month when nothing is missing */
    int32_t issued;      /* this month so far */
    int32_t issued_before[2];
    int32_t ordered;  /* approved by the running requisition */
    int32_t incoming; /* by transfer, to be booked tomorrow */
    int32_t outgoing;
    int32_t lot_expiry;      /* days since 1970-01-01 */
    uint32_t stockout_since; /* day of the series, NO_DAY: none */
    uint16_t lot_month;      /* of manufacture, see calendar.h */
    uint16_t incoming_month;
    uint16_t heat;         /* hours out of range that this lot has seen */
    uint8_t target_tenths; /* months of stock that an order fills up to */
    uint8_t vvm_stage;
} Pair;

typedef struct {
    EventKind kind;
    uint8_t vaccine; /* NO_VACCINE: of the whole facility */
    uint32_t facility;
    uint32_t began;    /* days of the series */
    uint32_t resolved; /* NO_DAY: still open at the end */
    int32_t detail;    /* doses, hours or days: what the kind suggests */
} Event;

typedef struct Observer Observer;
typedef struct {
    const World *world;
    const Observer *observer;
    Pair *pairs;  /* facility x vaccine */
    uint32_t day; /* of the series, from 0 */
    int32_t date; /* days since 1970-01-01 */
    uint32_t facility;
    ColdDay cold; /* of facility on day */
    Cycle cycle;  /* running at facility */
    uint32_t cycle_day;
    uint64_t requisitions; /* written so far: number of the next one */
    bool opening;          /* stock is carried in from before the series */
    bool stopped;
} Simulation;

/* What to be told; members may be NULL. Return false to stop. */
struct Observer {
    void *data;
    bool (*snapshot)(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair);
    bool (*movement)(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair,
                     Movement movement, int32_t quantity);
    bool (*event)(void *data, const Simulation *simulation, const Event *event);
    /* A line of the requisition of the day; pair->ordered of it was approved. */
    bool (*line)(void *data, const Simulation *simulation, uint8_t vaccine, const Pair *pair,
                 int32_t requested);
    bool (*transfer)(void *data, const Simulation *simulation, uint8_t vaccine, uint32_t from,
                     int32_t quantity, uint16_t lot_month);
};

/* Runs the whole series; false when the observer stopped it. */
bool simulate(const World *world, const Observer *observer);

/* Hundredths of a month; 0 only without stock. */
int32_t pair_stock_centimonths(const Pair *pair);
Status pair_status(const Pair *pair);
/* Months of stock below and above which a facility is under- or overstocked. */
#define MIN_CENTIMONTHS 300
#define MAX_CENTIMONTHS 600
