#include "base/siphash.h"

#include <endian.h>

typedef struct {
    uint64_t v0, v1, v2, v3;
} State;

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t load(const uint8_t *at, size_t count)
{
    uint64_t value = 0;
    if (count == 8) {
        memcpy(&value, at, 8);
        return le64toh(value);
    }
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void round_twice(State *s)
{
    for (int i = 0; i < 2; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32) + s->v3;
        s->v2 += s->v1;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

static void absorb(State *s, uint64_t word)
{
    s->v3 ^= word;
    round_twice(s);
    s->v0 ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t length)
{
    const uint8_t *at = data;
    uint64_t k0 = load(key, 8);
    uint64_t k1 = load(key + 8, 8);
    State s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
               k1 ^ 0x7465646279746573};
    size_t left = length;
    for (; left >= 8; left -= 8, at += 8)
        absorb(&s, load(at, 8));
    absorb(&s, (uint64_t)length << 56 | load(at, left));
    s.v2 ^= 0xFF;
    round_twice(&s);
    round_twice(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
