/* "host=10.0.0.1 port=5432 password='it''s'": the connection strings of [databases] and [peers],
 * and the settings of [users].
 *
 * Blanks may stand around '='. A value runs to the next blank; one in single quotes may hold
 * anything, with '' for a quote. There are no empty values. */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"

typedef struct {
    const char *at;
} PairReader;

typedef enum { PAIR_READ, PAIR_END, PAIR_WRONG } PairStep;

typedef struct {
    const char *key;
    const char *value;
} Pair;

/* After PAIR_WRONG *reason says why, in words that hold nothing of the text: it may be a password.
 * Key and value are in the arena. */
PairStep pairs_next(PairReader *reader, Arena *arena, Pair *pair, const char **reason) MUST_CHECK;
