#include "backup/deflate.h"

#include "backup/deflate_block.h"

#include <assert.h>
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_BITS 15
#define UUID_BITS  14
#define UUID_BYTES ((size_t)36)
#define UUID_LEAST 12 /* bytes of another UUID that are worth a match */
/* Within the last bytes no search begins: it reads 8, and the one after it too. */
#define TAIL_BYTES ((size_t)16)

/* Where some bytes stood last, modulo 65,536, by their hash. An entry is a guess: every match is
 * compared before it is one, and then its distance is below 32,768. */
typedef struct {
    uint16_t recent[1 << TABLE_BITS]; /* by the first long_bytes */
    uint16_t older[1 << TABLE_BITS];  /* what was in recent before, where the level looks there */
    uint16_t short_recent[1 << TABLE_BITS]; /* by the first 4 bytes, where the level has it */
    uint16_t uuids[1 << UUID_BITS];
} Tables;

struct Deflater {
    DeflateBlock block;
    Tables tables;
};

/* What a level spends. Constant where it is used, so that each level is compiled by itself. */
typedef struct {
    unsigned long_bytes; /* that recent hashes */
    unsigned step;       /* of the positions within a match that are entered */
    unsigned lazy;       /* so often the next position may turn out better */
    bool has_short, has_older;
} Effort;

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t load64(const uint8_t *at)
{
    uint64_t value = 0;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

INLINE size_t hash_of(uint64_t value, unsigned bytes, unsigned bits)
{
    return (size_t)((value << (64 - 8 * bytes)) * 0x9E3779B185EBCA87U >> (64 - bits));
}

/* ---- UUIDs ------------------------------------------------------------------------------- */

/* A random UUID repeats as a whole or not at all, so nothing is searched within one. They are found
 * by their dashes, 64 bytes at a time. */
typedef struct {
    const uint8_t *raw;
    size_t length;
    size_t word;                       /* of 64 bytes */
    uint64_t starts;                   /* in word, from next on */
    uint64_t dashes, following_dashes; /* in word and in the next one */
    size_t next;                       /* where a UUID begins; length when there is none */
} UuidFinder;

/* Bit i is set where byte i is a dash. */
INLINE uint64_t dashes_of_8(uint64_t bytes)
{
    const uint64_t low = 0x7F7F7F7F7F7F7F7FU;
    uint64_t other = bytes ^ 0x2D2D2D2D2D2D2D2DU;
    uint64_t zero = ~(((other & low) + low) | other | low);
    return (zero >> 7) * 0x0102040810204080U >> 56;
}

static uint64_t dashes_at(const uint8_t *raw, size_t length, size_t word)
{
    uint64_t dashes = 0;
    size_t at = word * 64;
    if (length >= at + 64) {
        for (unsigned i = 0; i < 8; i++)
            dashes |= dashes_of_8(load64(raw + at + 8 * (size_t)i)) << (8 * i);
        return dashes;
    }
    for (unsigned i = 0; at + i < length; i++)
        dashes |= (uint64_t)(raw[at + i] == '-') << i;
    return dashes;
}

INLINE uint64_t shifted(const UuidFinder *finder, unsigned by)
{
    return finder->dashes >> by | finder->following_dashes << (64 - by);
}

static void finder_enter(UuidFinder *finder)
{
    finder->following_dashes = dashes_at(finder->raw, finder->length, finder->word + 1);
    finder->starts =
        shifted(finder, 8) & shifted(finder, 13) & shifted(finder, 18) & shifted(finder, 23);
}

/* Moves on to the first UUID that begins at `from` or later; from never goes back. */
static void finder_seek(UuidFinder *finder, size_t from)
{
    assert(from / 64 >= finder->word);
    if (from / 64 > finder->word) {
        bool is_next = from / 64 == finder->word + 1;
        finder->word = from / 64;
        finder->dashes = is_next ? finder->following_dashes
                                 : dashes_at(finder->raw, finder->length, finder->word);
        finder_enter(finder);
    }
    finder->starts &= UINT64_MAX << (from % 64);
    while (!finder->starts && (finder->word + 1) * 64 < finder->length) {
        finder->word++;
        finder->dashes = finder->following_dashes;
        finder_enter(finder);
    }
    finder->next = finder->length;
    if (finder->starts) {
        size_t start = finder->word * 64 + (size_t)__builtin_ctzll(finder->starts);
        if (start + UUID_BYTES <= finder->length)
            finder->next = start;
    }
}

static UuidFinder finder_create(const uint8_t *raw, size_t length)
{
    UuidFinder finder = {.raw = raw, .length = length};
    finder.dashes = dashes_at(raw, length, 0);
    finder_enter(&finder);
    finder_seek(&finder, 0);
    return finder;
}

/* ---- matches ----------------------------------------------------------------------------- */

typedef struct {
    int gain; /* half bits that it saves; 0: no match */
    unsigned length, distance;
} Match;

/* One stream on its way. */
typedef struct {
    const uint8_t *raw;
    size_t length;
    size_t limit;   /* no search from here on */
    size_t at;      /* looked at next */
    size_t pending; /* the first byte that no match has taken */
    UuidFinder uuids;
    Tables *tables;
} Scan;

/* How many bytes at `at` are those at `at - distance`, of which `known` have been compared. */
INLINE unsigned extend(const Scan *scan, size_t at, unsigned distance, unsigned known)
{
    const uint8_t *here = scan->raw + at, *there = here - distance;
    size_t left = scan->length - at;
    unsigned most = left < BLOCK_MAX_LENGTH ? (unsigned)left : BLOCK_MAX_LENGTH;
    unsigned length = known;
    for (; length + 8 <= most; length += 8) {
        uint64_t differ = load64(here + length) ^ load64(there + length);
        if (differ)
            return length + ((unsigned)__builtin_ctzll(differ) >> 3);
    }
    while (length < most && here[length] == there[length])
        length++;
    return length;
}

/* A literal takes about 4 1/2 bits, a match 9 and the bits of its distance. */
INLINE int gain(unsigned length, unsigned distance)
{
    return 9 * (int)length - 2 * (9 + (int)block_log2(distance));
}

/* The distance to an entry: 0 where there can be no match. */
INLINE unsigned distance_to(uint16_t entry, size_t at)
{
    unsigned distance = (uint16_t)(at - entry);
    return distance <= BLOCK_MAX_DISTANCE && distance <= at ? distance : 0;
}

INLINE void consider(const Scan *scan, uint64_t bytes, uint16_t entry, Match *best)
{
    unsigned distance = distance_to(entry, scan->at);
    if (!distance || (uint32_t)load64(scan->raw + scan->at - distance) != (uint32_t)bytes)
        return;
    unsigned length = extend(scan, scan->at, distance, 4);
    int gained = gain(length, distance);
    if (gained > best->gain)
        *best = (Match){gained, length, distance};
}

INLINE void enter(Tables *tables, const Effort effort, uint64_t bytes, size_t at)
{
    size_t slot = hash_of(bytes, effort.long_bytes, TABLE_BITS);
    if (effort.has_older)
        tables->older[slot] = tables->recent[slot];
    tables->recent[slot] = (uint16_t)at;
    if (effort.has_short)
        tables->short_recent[hash_of(bytes, 4, TABLE_BITS)] = (uint16_t)at;
}

/* The best match at scan->at, which is entered. */
INLINE Match search(Scan *scan, const Effort effort)
{
    Match best = {0};
    Tables *tables = scan->tables;
    uint64_t bytes = load64(scan->raw + scan->at);
    size_t slot = hash_of(bytes, effort.long_bytes, TABLE_BITS);
    uint16_t recent = tables->recent[slot], older = 0, short_recent = recent;
    if (effort.has_older)
        older = tables->older[slot];
    if (effort.has_short)
        short_recent = tables->short_recent[hash_of(bytes, 4, TABLE_BITS)];
    enter(tables, effort, bytes, scan->at);
    if (effort.has_short)
        consider(scan, bytes, short_recent, &best);
    if (!effort.has_short || recent != short_recent)
        consider(scan, bytes, recent, &best);
    if (effort.has_older)
        consider(scan, bytes, older, &best);
    return best;
}

/* The best match at scan->at or, where that saves more, after it. */
INLINE Match search_on(Scan *scan, const Effort effort)
{
    Match match = search(scan, effort);
    for (unsigned i = 0; i < effort.lazy && match.gain; i++) {
        if (scan->at + 1 >= scan->uuids.next || scan->at + 1 >= scan->limit)
            break;
        scan->at++;
        Match next = search(scan, effort);
        if (next.gain <= match.gain) {
            scan->at--;
            break;
        }
        match = next;
    }
    return match;
}

INLINE uint16_t *uuid_entry(const Scan *scan, size_t at)
{
    return &scan->tables->uuids[hash_of(load64(scan->raw + at), 8, UUID_BITS)];
}

/* The distance to where the UUID at `at` stood last; 0: nowhere near. */
INLINE unsigned uuid_distance(const Scan *scan, size_t at)
{
    unsigned distance = distance_to(*uuid_entry(scan, at), at);
    bool is_same = distance && load64(scan->raw + at) == load64(scan->raw + at - distance);
    return is_same ? distance : 0;
}

/* At the next UUID or, after a match that ended there, within it: a match, or none and behind. */
INLINE Match search_uuid(Scan *scan)
{
    Match match = {0};
    size_t uuid = scan->uuids.next;
    unsigned distance = scan->at == uuid ? uuid_distance(scan, uuid) : 0;
    *uuid_entry(scan, uuid) = (uint16_t)uuid;
    finder_seek(&scan->uuids, uuid + UUID_BYTES);
    if (distance) {
        unsigned length = extend(scan, uuid, distance, 8);
        if (length >= UUID_LEAST)
            return (Match){gain(length, distance), length, distance};
    }
    scan->at = uuid + UUID_BYTES;
    return match;
}

/* Enters what the match to `end` covers from `from` on. It ends before a UUID that it takes only a
 * part of, where that stood elsewhere as a whole. Returns where it ends. */
INLINE size_t enter_covered(Scan *scan, const Effort effort, size_t start, size_t from, size_t end)
{
    UuidFinder *uuids = &scan->uuids;
    for (;;) {
        size_t stop = uuids->next < end ? uuids->next : end;
        stop = stop < scan->limit ? stop : scan->limit;
        for (; from < stop; from += effort.step)
            enter(scan->tables, effort, load64(scan->raw + from), from);
        if (uuids->next >= end)
            return end;
        if (end < uuids->next + UUID_BYTES)
            return uuids->next - start >= BLOCK_MIN_LENGTH && uuid_distance(scan, uuids->next)
                       ? uuids->next
                       : end;
        *uuid_entry(scan, uuids->next) = (uint16_t)uuids->next;
        from = uuids->next + UUID_BYTES;
        finder_seek(uuids, from);
    }
}

/* Takes a match at scan->at, with the literals before it that are the same there too. */
INLINE void take(Scan *scan, const Effort effort, DeflateBlock *block, Match match)
{
    const uint8_t *raw = scan->raw;
    size_t start = scan->at;
    while (start > scan->pending && start > match.distance && match.length < BLOCK_MAX_LENGTH &&
           raw[start - 1] == raw[start - 1 - match.distance]) {
        start--;
        match.length++;
    }
    size_t end = enter_covered(scan, effort, start, scan->at + 1, start + match.length);
    block_add(block, start - scan->pending, (unsigned)(end - start), match.distance);
    scan->at = scan->pending = end;
}

/* Fills one block, from begin on. */
INLINE void scan_block(Scan *scan, const Effort effort, DeflateBlock *block, size_t begin)
{
    size_t left = scan->limit - begin;
    size_t stop = left > BLOCK_MAX_BYTES ? begin + BLOCK_MAX_BYTES : scan->limit;
    while (scan->at < stop && block->count < BLOCK_MAX_MATCHES) {
        bool is_uuid = scan->at >= scan->uuids.next;
        Match match = is_uuid ? search_uuid(scan) : search_on(scan, effort);
        if (match.length)
            take(scan, effort, block, match);
        else if (!is_uuid)
            scan->at++;
    }
}

INLINE bool scan_all(Deflater *deflater, const Effort effort, const uint8_t *raw, size_t length,
                     Buffer *out)
{
    DeflateBits bits = {0};
    Scan scan = {
        .raw = raw,
        .length = length,
        .limit = length > TAIL_BYTES ? length - TAIL_BYTES : 0,
        .uuids = finder_create(raw, length),
        .tables = &deflater->tables,
    };
    for (size_t begin = 0;;) {
        scan_block(&scan, effort, &deflater->block, begin);
        bool is_last = scan.at >= scan.limit;
        size_t end = is_last ? length : scan.at;
        if (!block_write(&deflater->block, end - begin, is_last, &bits, out))
            return false;
        if (is_last)
            return true;
        scan.pending = begin = end;
    }
}

/* ---- levels ------------------------------------------------------------------------------ */

static bool scan_fast(Deflater *deflater, const uint8_t *raw, size_t length, Buffer *out)
{
    return scan_all(deflater, (Effort){.long_bytes = 5, .step = 2, .lazy = 1}, raw, length, out);
}

static bool scan_balanced(Deflater *deflater, const uint8_t *raw, size_t length, Buffer *out)
{
    const Effort effort = {
        .long_bytes = 8, .step = 1, .lazy = 3, .has_short = true, .has_older = true};
    return scan_all(deflater, effort, raw, length, out);
}

Deflater *deflater_create(void)
{
    Deflater *deflater = malloc(sizeof(*deflater));
    if (!deflater) {
        (void)fputs("vaxdb: out of memory\n", stderr);
        abort();
    }
    return deflater;
}

void deflater_destroy(Deflater *deflater)
{
    free(deflater);
}

bool deflate_rows(Deflater *deflater, DeflateLevel level, const void *raw, size_t length,
                  Buffer *out)
{
    const uint8_t *bytes = length ? raw : (const uint8_t *)"";
    memset(&deflater->tables, 0, sizeof(deflater->tables));
    block_begin(&deflater->block, bytes);
    if (level == DEFLATE_FAST)
        return scan_fast(deflater, bytes, length, out);
    return scan_balanced(deflater, bytes, length, out);
}
