#include "backup/deflate_block.h"

#include "backup/bytes.h"
#include "backup/deflate_codes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define END_OF_BLOCK      256
#define LITERAL_SYMBOLS   286
#define DISTANCE_SYMBOLS  30
#define LENGTH_SYMBOLS    19 /* of the code for the lengths of the codes */
#define LITERAL_MAX_BITS  14 /* four of them and 7 bits are within 64 */
#define DISTANCE_MAX_BITS 15
#define LENGTH_MAX_BITS   7
#define STORED_MAX_BYTES  65535
#define STORED_OVERHEAD   5  /* bytes before each piece */
#define SLACK_BYTES       16 /* a flush writes 8 bytes, whatever of them counts */

/* ---- bits -------------------------------------------------------------------------------- */

typedef struct {
    uint64_t bits;
    unsigned count;
    uint8_t *to;
} Writer;

/* After a flush there is room for 56 bits. */
static inline void put(Writer *writer, uint64_t value, unsigned bits)
{
    writer->bits |= value << writer->count;
    writer->count += bits;
}

static inline void flush(Writer *writer)
{
    uint64_t ordered = htole64(writer->bits);
    memcpy(writer->to, &ordered, sizeof(ordered));
    writer->to += writer->count >> 3;
    writer->bits >>= writer->count & ~7U;
    writer->count &= 7;
}

/* ---- what a block would take ------------------------------------------------------------- */

/* How the lengths of the codes are told: runs of them are items of their own. */
typedef struct {
    uint16_t literals, distances, lengths; /* so many of each kind are told */
    size_t count;
    uint8_t symbols[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
    uint8_t extras[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
    Codes codes;
} Description;

typedef struct {
    Codes literals;
    Codes distances;
    Description described;
} Plan;

static const uint8_t length_order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15};

static unsigned length_extra(unsigned slot)
{
    return slot < 8 || slot == 28 ? 0 : slot / 4 - 1;
}

static unsigned distance_extra(unsigned slot)
{
    return slot < 4 ? 0 : slot / 2 - 1;
}

static unsigned item_extra(unsigned symbol)
{
    return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

/* Two rows of counters: the same byte twice in a row need not wait for itself. */
static void count_literals(DeflateBlock *block, size_t raw_bytes)
{
    uint32_t more[256] = {0};
    uint32_t *counts = block->literal_counts;
    const uint8_t *at = block->raw, *end = at + raw_bytes;
    for (size_t i = 0; i <= block->count; i++) {
        const BlockMatch *match = i < block->count ? &block->matches[i] : NULL;
        const uint8_t *stop = match ? at + match->literals : end;
        for (; stop - at >= 2; at += 2) {
            counts[at[0]]++;
            more[at[1]]++;
        }
        if (at < stop)
            counts[*at++]++;
        at += match ? match->length : 0;
    }
    assert(at == end);
    for (size_t i = 0; i < 256; i++)
        counts[i] += more[i];
    counts[END_OF_BLOCK] = 1;
}

static size_t told(const Codes *codes, size_t symbols, size_t least)
{
    while (symbols > least && !codes->lengths[symbols - 1])
        symbols--;
    return symbols;
}

/* Adds the item for the first of a run of `run` equal lengths; returns how many it tells. */
static size_t describe_run(Description *described, uint8_t length, size_t run, bool is_first)
{
    uint8_t symbol = length, extra = 0;
    size_t taken = 1;
    if (!length && run >= 11) {
        taken = run < 138 ? run : 138;
        symbol = 18;
        extra = (uint8_t)(taken - 11);
    } else if (run >= 3 && (!length || !is_first)) {
        size_t most = length ? 6 : 10;
        taken = run < most ? run : most;
        symbol = length ? 16 : 17;
        extra = (uint8_t)(taken - 3);
    }
    described->symbols[described->count] = symbol;
    described->extras[described->count++] = extra;
    return taken;
}

static void describe(Plan *plan)
{
    uint8_t lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
    uint32_t counts[LENGTH_SYMBOLS] = {0};
    Description *described = &plan->described;
    size_t literals = told(&plan->literals, LITERAL_SYMBOLS, 257);
    size_t distances = told(&plan->distances, DISTANCE_SYMBOLS, 1);
    size_t total = literals + distances;
    memcpy(lengths, plan->literals.lengths, literals);
    memcpy(lengths + literals, plan->distances.lengths, distances);
    described->count = 0;
    for (size_t i = 0, run = 0; i < total;) {
        for (run = 1; i + run < total && lengths[i + run] == lengths[i]; run++)
            ;
        bool is_first = !i || lengths[i - 1] != lengths[i];
        i += describe_run(described, lengths[i], run, is_first);
        counts[described->symbols[described->count - 1]]++;
    }
    codes_build(&described->codes, counts, LENGTH_SYMBOLS, LENGTH_MAX_BITS);
    described->literals = (uint16_t)literals;
    described->distances = (uint16_t)distances;
    for (described->lengths = LENGTH_SYMBOLS; described->lengths > 4; described->lengths--)
        if (described->codes.lengths[length_order[described->lengths - 1]])
            break;
}

static size_t description_bits(const Description *described)
{
    size_t bits = 5 + 5 + 4 + 3 * (size_t)described->lengths;
    for (size_t i = 0; i < described->count; i++) {
        unsigned symbol = described->symbols[i];
        bits += described->codes.lengths[symbol] + item_extra(symbol);
    }
    return bits;
}

/* With the three bits before it. */
static size_t coded_bits(const DeflateBlock *block, const Codes *literals, const Codes *distances)
{
    size_t bits = 3;
    for (unsigned i = 0; i < LITERAL_SYMBOLS; i++) {
        size_t each = literals->lengths[i] + (i > 256 ? length_extra(i - 257) : 0);
        bits += block->literal_counts[i] * each;
    }
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++) {
        size_t each = (size_t)distances->lengths[i] + distance_extra(i);
        bits += block->distance_counts[i] * each;
    }
    return bits;
}

static void fixed_codes(Codes *literals, Codes *distances)
{
    for (size_t i = 0; i < 288; i++)
        literals->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(distances->lengths, 5, 32);
    codes_assign(literals, 288);
    codes_assign(distances, 32);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* A code and its length in one word. */
static uint32_t packed_code(const Codes *codes, unsigned symbol)
{
    return codes->codes[symbol] | (uint32_t)codes->lengths[symbol] << 24;
}

static inline void put_packed(Writer *writer, uint32_t code)
{
    put(writer, code & 0xFFFFFF, code >> 24);
}

static void write_description(Writer *writer, const Description *described)
{
    put(writer, described->literals - 257U, 5);
    put(writer, described->distances - 1U, 5);
    put(writer, described->lengths - 4U, 4);
    flush(writer);
    for (size_t i = 0; i < described->lengths; i++) {
        put(writer, described->codes.lengths[length_order[i]], 3);
        flush(writer);
    }
    for (size_t i = 0; i < described->count; i++) {
        unsigned symbol = described->symbols[i];
        put(writer, described->codes.codes[symbol], described->codes.lengths[symbol]);
        put(writer, described->extras[i], item_extra(symbol));
        flush(writer);
    }
}

static const uint8_t *write_literals(Writer *writer, const uint32_t *codes, const uint8_t *at,
                                     size_t count)
{
    Writer local = *writer;
    for (; count >= 4; count -= 4, at += 4) {
        put_packed(&local, codes[at[0]]);
        put_packed(&local, codes[at[1]]);
        put_packed(&local, codes[at[2]]);
        put_packed(&local, codes[at[3]]);
        flush(&local);
    }
    for (; count > 0; count--)
        put_packed(&local, codes[*at++]);
    flush(&local);
    *writer = local;
    return at;
}

/* The code of each length with its extra bits: at most 14 and 5. */
static void length_codes(uint32_t *codes, const Codes *literals)
{
    for (unsigned length = BLOCK_MIN_LENGTH; length <= BLOCK_MAX_LENGTH; length++) {
        unsigned slot = block_length_slot(length), extra = length_extra(slot);
        unsigned bits = literals->lengths[257 + slot];
        uint32_t rest = (length - 3) & ((1U << extra) - 1);
        codes[length] = literals->codes[257 + slot] | rest << bits | (bits + extra) << 24;
    }
}

static void write_coded(Writer *to, const DeflateBlock *block, size_t raw_bytes,
                        const Codes *literals, const Codes *distances)
{
    uint32_t literal_code[257], length_code[BLOCK_MAX_LENGTH + 1], distance_code[DISTANCE_SYMBOLS];
    const uint8_t *at = block->raw, *end = at + raw_bytes;
    Writer writer = *to;
    for (unsigned i = 0; i <= END_OF_BLOCK; i++)
        literal_code[i] = packed_code(literals, i);
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++)
        distance_code[i] = packed_code(distances, i);
    length_codes(length_code, literals);
    for (size_t i = 0; i < block->count; i++) {
        const BlockMatch *match = &block->matches[i];
        unsigned slot = block_distance_slot(match->distance), extra = distance_extra(slot);
        at = write_literals(&writer, literal_code, at, match->literals) + match->length;
        put_packed(&writer, length_code[match->length]);
        put_packed(&writer, distance_code[slot]);
        put(&writer, (match->distance - 1U) & ((1U << extra) - 1), extra);
        flush(&writer);
    }
    (void)write_literals(&writer, literal_code, at, (size_t)(end - at));
    put_packed(&writer, literal_code[END_OF_BLOCK]);
    flush(&writer);
    *to = writer;
}

static void write_stored(Writer *writer, const uint8_t *raw, size_t raw_bytes, bool is_last)
{
    size_t left = raw_bytes;
    do {
        size_t piece = left < STORED_MAX_BYTES ? left : STORED_MAX_BYTES;
        left -= piece;
        put(writer, is_last && !left, 3);
        writer->count = (writer->count + 7) & ~7U;
        flush(writer);
        bytes_put(writer->to, piece, 2);
        bytes_put(writer->to + 2, ~piece, 2);
        memcpy(writer->to + 4, raw, piece);
        writer->to += 4 + piece;
        raw += piece;
    } while (left);
}

/* Writes the shortest of the three. */
static void write_shortest(Writer *writer, const DeflateBlock *block, size_t raw_bytes,
                           bool is_last, const Plan *plan, size_t *most_bits)
{
    Codes literals, distances;
    fixed_codes(&literals, &distances);
    size_t fixed = coded_bits(block, &literals, &distances);
    size_t own =
        coded_bits(block, &plan->literals, &plan->distances) + description_bits(&plan->described);
    size_t coded = own < fixed ? own : fixed;
    if (*most_bits <= coded) {
        write_stored(writer, block->raw, raw_bytes, is_last);
        return;
    }
    *most_bits = coded;
    put(writer, is_last | (own < fixed ? 2 : 1) << 1, 3);
    if (own < fixed) {
        write_description(writer, &plan->described);
        write_coded(writer, block, raw_bytes, &plan->literals, &plan->distances);
    } else {
        write_coded(writer, block, raw_bytes, &literals, &distances);
    }
}

void block_begin(DeflateBlock *block, const uint8_t *raw)
{
    block->raw = raw;
    block->count = 0;
    memset(block->literal_counts, 0, sizeof(block->literal_counts));
    memset(block->distance_counts, 0, sizeof(block->distance_counts));
}

bool block_write(DeflateBlock *block, size_t raw_bytes, bool is_last, DeflateBits *bits,
                 Buffer *out)
{
    Plan plan;
    size_t most_bits = 8 * (raw_bytes + (raw_bytes / STORED_MAX_BYTES + 1) * STORED_OVERHEAD);
    size_t room = most_bits / 8 + SLACK_BYTES;
    char *start = buffer_reserve(out, room);
    if (!start)
        return false;
    count_literals(block, raw_bytes);
    codes_build(&plan.literals, block->literal_counts, LITERAL_SYMBOLS, LITERAL_MAX_BITS);
    codes_build(&plan.distances, block->distance_counts, DISTANCE_SYMBOLS, DISTANCE_MAX_BITS);
    describe(&plan);
    Writer writer = {bits->bits, bits->count, (uint8_t *)start};
    write_shortest(&writer, block, raw_bytes, is_last, &plan, &most_bits);
    if (is_last && writer.count) {
        writer.count = 8;
        flush(&writer);
    }
    size_t made = (size_t)(writer.to - (uint8_t *)start);
    assert(made <= (most_bits + bits->count) / 8 + 1 && made <= room);
    buffer_commit(out, made);
    *bits = (DeflateBits){writer.bits, writer.count};
    block_begin(block, block->raw + raw_bytes);
    return true;
}
