/* The tour of `vaxdb demo`. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/config.h"
#include "state/state.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t rows;         /* stock snapshots to load */
    FILE *out;            /* where the tour is told; NULL under --json */
    const char *program;  /* path of this binary, for what to try next */
    const Config *config; /* only where its databases are private, or without a file */
} DemoOptions;

/* Takes the tour. *report is the caller's: {"steps": [...], "claims": [...]}; on failure it holds
 * what was done so far. */
bool demo_run(Arena *arena, Log *log, State *state, const DemoOptions *options, json_t **report,
              Error *err) MUST_CHECK;
