/* The history of drills. */
#pragma once

#include "state/state.h"

typedef struct {
    int64_t id; /* given by state_drill_add: 1, 2, ... */
    int64_t started_at;
    const char *env;
    const char *path;   /* of the backup */
    const char *sha256; /* "" when it was not known */
    bool passed;
    double seconds;
    const char *report; /* JSON: checks and phases */
} StateDrill;

/* drill->id is not read. */
bool state_drill_add(State *state, const StateDrill *drill, Error *err) MUST_CHECK;
/* Newest first, at most limit of them. env NULL: of every environment. */
bool state_drill_list(State *state, Arena *arena, const char *env, size_t limit,
                      StateDrill **drills, size_t *count, Error *err) MUST_CHECK;
/* One of them; *found false when there is none. */
bool state_drill_get(State *state, Arena *arena, int64_t id, StateDrill *drill, bool *found,
                     Error *err) MUST_CHECK;
