/* One block of a deflate stream (RFC 1951): literals and matches are collected, then written with
 * codes made for them, with the fixed codes, or as they are, whichever is shortest. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_MAX_MATCHES  16384
#define BLOCK_MAX_BYTES    ((size_t)1 << 20) /* and what one match more takes */
#define BLOCK_MIN_LENGTH   4                 /* of a match; deflate could do with 3 */
#define BLOCK_MAX_LENGTH   258
#define BLOCK_MAX_DISTANCE 32767 /* deflate could do with one more */

typedef struct {
    uint32_t literals; /* before it */
    uint16_t length, distance;
} BlockMatch;

typedef struct {
    const uint8_t *raw; /* its first byte */
    size_t count;
    uint32_t literal_counts[288]; /* literals, end, lengths of matches */
    uint32_t distance_counts[30];
    BlockMatch matches[BLOCK_MAX_MATCHES];
} DeflateBlock;

/* The bits of a stream that fill no byte yet. */
typedef struct {
    uint64_t bits;
    unsigned count; /* 0 to 7 between two blocks */
} DeflateBits;

static inline unsigned block_log2(size_t value)
{
    return 63U - (unsigned)__builtin_clzll(value);
}

/* The symbol of a length is 257 and this. */
static inline unsigned block_length_slot(unsigned length)
{
    unsigned above = length - 3;
    unsigned extra = block_log2(above | 4) - 2;
    return length == BLOCK_MAX_LENGTH ? 28 : 4 * extra + (above >> extra);
}

static inline unsigned block_distance_slot(unsigned distance)
{
    unsigned above = distance - 1;
    unsigned extra = block_log2(above | 2) - 1;
    return 2 * extra + (above >> extra);
}

void block_begin(DeflateBlock *block, const uint8_t *raw);

/* Not into a full block. The match must be one: the caller has compared. */
static inline void block_add(DeflateBlock *block, size_t literals, unsigned length,
                             unsigned distance)
{
    block->matches[block->count++] =
        (BlockMatch){(uint32_t)literals, (uint16_t)length, (uint16_t)distance};
    block->literal_counts[257 + block_length_slot(length)]++;
    block->distance_counts[block_distance_slot(distance)]++;
}

/* Appends the block of raw[0..raw_bytes), whose matches and, after the last, literals it holds, and
 * begins the next one behind it. False where out would be too long. After the last block the
 * stream ends with a whole byte. */
bool block_write(DeflateBlock *block, size_t raw_bytes, bool is_last, DeflateBits *bits,
                 Buffer *out);
