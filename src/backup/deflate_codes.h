/* Huffman codes of deflate (RFC 1951, 3.2.2): lengths no longer than it allows, and the codes that
 * follow from them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CODES_MAX_SYMBOLS 288

typedef struct {
    uint8_t lengths[CODES_MAX_SYMBOLS]; /* 0: the symbol has none */
    uint16_t codes[CODES_MAX_SYMBOLS];  /* first bit lowest, as deflate writes them */
} Codes;

/* The lengths for symbols that occur counts[0..symbols) times, none above max_bits. Every symbol
 * that occurs gets a code; the code is complete, for which one that does not occur may get one too.
 * The sum of counts is below 2^31, and 2 <= symbols <= CODES_MAX_SYMBOLS and 2^max_bits. */
void codes_build(Codes *codes, const uint32_t *counts, size_t symbols, unsigned max_bits);
/* The codes for lengths that are there. */
void codes_assign(Codes *codes, size_t symbols);
