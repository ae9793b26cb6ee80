/* Nigeria as the generator knows it: 6 geopolitical zones, 36 states and the Federal Capital
 * Territory with their ISO 3166-2 codes, and the 774 local government areas by name.
 *
 * Populations are the projections for 2022 of the National Bureau of Statistics, rounded; they
 * only serve to spread facilities as people live. Coordinates are those of the capital. */
#pragma once

#include <stdint.h>

#define ZONE_COUNT  6
#define STATE_COUNT 37
#define LGA_COUNT   774

enum { ZONE_NC, ZONE_NE, ZONE_NW, ZONE_SE, ZONE_SS, ZONE_SW };

typedef struct {
    const char *code;
    const char *name;
    int16_t latitude_centideg;
    int16_t longitude_centideg;
} Zone;

typedef struct {
    const char *code; /* ISO 3166-2 */
    const char *name;
    uint8_t zone;
    uint8_t lga_count;
    uint16_t population_thousands;
    int16_t latitude_centideg;
    int16_t longitude_centideg;
    const char *lgas; /* names, separated by '|' */
} StateRecord;

extern const Zone dataset_zones[ZONE_COUNT];
extern const StateRecord dataset_states[STATE_COUNT];
