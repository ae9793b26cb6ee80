/* Randomness without a state: every value is a hash of (seed, draw, a, b), so any table can be
 * generated alone, in any order, by any thread, and gets the values that every other table sees.
 *
 * The hash chains the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014). Integers only: floating point could differ by machine. */
#pragma once

#include <stdint.h>

/* What a value is for; two uses of one entity never share a draw. Values are part of the digest:
 * append, do not renumber. */
typedef enum {
    DRAW_ID = 1,
    DRAW_LGA,
    DRAW_FACILITY,
    DRAW_PAIR,
    DRAW_OPENING,
    DRAW_LOT,
    DRAW_DEMAND,
    DRAW_CYCLE,
    DRAW_SHORTAGE,
    DRAW_ADJUST,
    DRAW_POWER,
    DRAW_TEMPERATURE,
    DRAW_ALERT,
    DRAW_AUDIT,
    DRAW_USER,
    DRAW_BATCH,
    DRAW_SYNC,
    DRAW_FILL,
} Draw;

static inline uint64_t random_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t random_u64(uint64_t seed, Draw draw, uint64_t a, uint64_t b)
{
    uint64_t x = random_mix(seed + (uint64_t)draw * 0x9e3779b97f4a7c15u);
    x = random_mix(x ^ (a * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u));
    return random_mix(x + b * 0x9e3779b97f4a7c15u);
}

/* A value below bound from 32 bits of hash: shift picks which, so that one hash gives two. */
static inline uint32_t random_below(uint64_t hash, unsigned shift, uint32_t bound)
{
    return (uint32_t)(((hash >> shift & 0xffffffffu) * bound) >> 32);
}
