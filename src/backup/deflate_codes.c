#include "backup/deflate_codes.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define MAX_BITS   15
#define MAX_DEPTHS 64 /* of a tree whose counts are sums below 2^31: fewer than 46 */

typedef struct {
    uint32_t count;
    uint16_t symbol;
} Leaf;

/* The symbols that occur, rarest first; two at least. */
static size_t sort_leaves(Leaf *leaves, const uint32_t *counts, size_t symbols)
{
    size_t used = 0;
    for (size_t i = 0; i < symbols; i++)
        if (counts[i])
            leaves[used++] = (Leaf){counts[i], (uint16_t)i};
    for (size_t i = 0; used < 2; i++)
        if (!counts[i])
            leaves[used++] = (Leaf){1, (uint16_t)i};
    for (size_t i = 1; i < used; i++) {
        Leaf leaf = leaves[i];
        size_t at = i;
        for (; at > 0 && leaves[at - 1].count > leaf.count; at--)
            leaves[at] = leaves[at - 1];
        leaves[at] = leaf;
    }
    return used;
}

/* Huffman's tree over sorted leaves: the nodes it makes are sorted too, so the rarest two are at
 * the head of either row. How many leaves are at each depth goes to depths. */
static void count_depths(const Leaf *leaves, size_t used, unsigned *depths)
{
    uint32_t weights[2 * CODES_MAX_SYMBOLS] = {0};
    uint16_t parents[2 * CODES_MAX_SYMBOLS] = {0};
    uint8_t depth[2 * CODES_MAX_SYMBOLS] = {0};
    size_t leaf = 0, node = used, root = 2 * used - 2;
    for (size_t i = 0; i < used; i++)
        weights[i] = leaves[i].count;
    for (size_t made = used; made <= root; made++) {
        weights[made] = 0;
        for (int child = 0; child < 2; child++) {
            bool is_leaf = leaf < used && (node == made || weights[leaf] <= weights[node]);
            size_t taken = is_leaf ? leaf++ : node++;
            weights[made] += weights[taken];
            parents[taken] = (uint16_t)made;
        }
    }
    for (size_t i = root; i-- > 0;) {
        depth[i] = (uint8_t)(depth[parents[i]] + 1);
        if (i < used)
            depths[depth[i]]++;
    }
}

/* Takes the leaves that are too deep to max_bits, and then deepens others until the code fits: a
 * leaf one step down makes room beside it for one from the bottom. */
static void limit_depths(unsigned *depths, unsigned max_bits)
{
    uint32_t taken = 0;
    for (unsigned i = max_bits + 1; i < MAX_DEPTHS; i++) {
        depths[max_bits] += depths[i];
        depths[i] = 0;
    }
    for (unsigned i = 1; i <= max_bits; i++)
        taken += (uint32_t)depths[i] << (max_bits - i);
    for (; taken > 1U << max_bits; taken--) {
        unsigned above = max_bits - 1;
        while (!depths[above])
            above--;
        depths[above]--;
        depths[above + 1] += 2;
        depths[max_bits]--;
    }
    assert(taken == 1U << max_bits);
}

static uint16_t reverse(uint32_t code, unsigned bits)
{
    uint32_t reversed = 0;
    for (unsigned i = 0; i < bits; i++)
        reversed |= (code >> i & 1U) << (bits - 1 - i);
    return (uint16_t)reversed;
}

void codes_assign(Codes *codes, size_t symbols)
{
    uint32_t next[MAX_BITS + 2] = {0};
    for (size_t i = 0; i < symbols; i++)
        if (codes->lengths[i])
            next[codes->lengths[i] + 1]++;
    for (unsigned i = 1; i <= MAX_BITS; i++)
        next[i] = (next[i] + next[i - 1]) << 1;
    for (size_t i = 0; i < symbols; i++) {
        unsigned bits = codes->lengths[i];
        codes->codes[i] = bits ? reverse(next[bits]++, bits) : 0;
    }
}

void codes_build(Codes *codes, const uint32_t *counts, size_t symbols, unsigned max_bits)
{
    Leaf leaves[CODES_MAX_SYMBOLS] = {0};
    unsigned depths[MAX_DEPTHS] = {0};
    size_t next = 0;
    assert(symbols >= 2 && symbols <= CODES_MAX_SYMBOLS && max_bits <= MAX_BITS);
    size_t used = sort_leaves(leaves, counts, symbols);
    count_depths(leaves, used, depths);
    limit_depths(depths, max_bits);
    memset(codes->lengths, 0, sizeof(codes->lengths));
    for (unsigned bits = max_bits; bits > 0; bits--)
        for (unsigned i = 0; i < depths[bits]; i++)
            codes->lengths[leaves[next++].symbol] = (uint8_t)bits;
    codes_assign(codes, symbols);
}
