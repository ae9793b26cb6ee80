/* The twelve vaccines of Nigeria's routine programme, with what the generator needs of each. */
#pragma once

#include <stdint.h>

#define VACCINE_COUNT 12

typedef struct {
    const char *code;
    const char *name;
    const char *category;
    const char *batch_prefix; /* of batch numbers */
    uint8_t doses_per_vial;
    int8_t storage_min_c; /* as the manufacturers and WHO's cold-chain manual give it */
    int8_t storage_max_c;
    uint8_t shelf_life_months;
    uint16_t doses_per_100_births; /* schedule and usual wastage together */
    uint8_t heat_to_stage_2;       /* hours out of range until the vial monitor moves on */
} Vaccine;

extern const Vaccine dataset_vaccines[VACCINE_COUNT];
