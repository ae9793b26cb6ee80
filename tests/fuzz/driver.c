/* fuzz_NAME CORPUS...: every seed as it is, then mutations of them for VAXDB_FUZZ_RUNS inputs
 * (20,000) or VAXDB_FUZZ_MS milliseconds (3,000), whichever comes first. The numbers are not
 * random: the same seeds give the same inputs. The input at work is kept in VAXDB_FUZZ_LAST when
 * that is set. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/file.h"

#define SEED_MAX_BYTES ((size_t)1 << 16)
#define DEFAULT_RUNS   20000
#define DEFAULT_MS     3000

typedef struct {
    char *bytes;
    size_t length;
} Seed;

typedef struct {
    Seed *items;
    size_t count, capacity;
} Seeds;

static uint64_t random_state = 0x9E3779B97F4A7C15U;

/* xorshift64*: any good mixer will do */
static size_t random_below(size_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (size_t)((random_state * 0x2545F4914F6CDD1DU) >> 33) % bound;
}

static bool read_seeds(Arena *arena, const char *folder, Seeds *seeds, Error *err)
{
    StrList names;
    if (!directory_list(arena, folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        Seed seed = {0};
        const char *path = path_join(arena, folder, names.items[i]);
        if (!file_read(arena, path, SEED_MAX_BYTES, &seed.bytes, &seed.length, err))
            return false;
        ARENA_PUSH(arena, seeds->items, seeds->count, seeds->capacity, seed);
    }
    return true;
}

/* Bytes that parsers treat apart. */
static const char special[] = "\0\n\r\t ;=#[]'\"\\$()-/*,:.{}0919az_AZ\x7f\x80\xC3\xE2\xEF\xFF";

static void replace_range(Buffer *input, size_t start, size_t end, const char *with, size_t length)
{
    _cleanup_buffer_ Buffer tail;
    buffer_init(&tail, SEED_MAX_BYTES * 2);
    (void)buffer_append(&tail, input->data + end, input->length - end);
    input->length = start;
    (void)buffer_append(input, with, length);
    (void)buffer_append(input, tail.data, tail.length);
}

static void mutate(Buffer *input, const Seeds *seeds)
{
    size_t length = input->length;
    size_t at = random_below(length + 1);
    const Seed *other = &seeds->items[random_below(seeds->count)];
    size_t from = random_below(other->length + 1);
    size_t some = random_below(32);
    switch (random_below(6)) {
    case 0: /* another byte */
        if (at < length)
            input->data[at] = (char)random_below(256);
        break;
    case 1: /* a byte more */
        replace_range(input, at, at, &special[random_below(sizeof(special))], 1);
        break;
    case 2: /* some bytes less */
        replace_range(input, at, at + some < length ? at + some : length, "", 0);
        break;
    case 3: /* cut short */
        replace_range(input, at, length, "", 0);
        break;
    case 4: /* the rest of another seed */
        replace_range(input, at, length, other->bytes + from, other->length - from);
        break;
    default: /* a piece of another seed put in */
        if (some > other->length - from)
            some = other->length - from;
        replace_range(input, at, at, other->bytes + from, some);
        break;
    }
}

static int64_t setting(const char *name, int64_t fallback)
{
    int64_t value = fallback;
    const char *text = getenv(name);
    return text && str_to_int64(text, 0, INT64_MAX, &value) ? value : fallback;
}

/* The target gets its bytes in a block of their exact size: a read past them is then seen. */
static void try_one(const char *bytes, size_t length)
{
    const char *keep = getenv("VAXDB_FUZZ_LAST");
    Error err = {0};
    if (keep && !file_write_atomic(keep, bytes, length, 0600, &err))
        abort();
    _cleanup_free_ uint8_t *copy = malloc(length ? length : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, length);
    (void)LLVMFuzzerTestOneInput(copy, length);
}

int main(int argc, char **argv)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Seeds seeds = {0};
    Error err = {0};
    for (int i = 1; i < argc; i++) {
        if (!read_seeds(arena, argv[i], &seeds, &err)) {
            (void)fprintf(stderr, "%s\n", err.message);
            return 2;
        }
    }
    if (seeds.count == 0) {
        (void)fputs("no seeds: give a corpus folder\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < seeds.count; i++)
        try_one(seeds.items[i].bytes, seeds.items[i].length);
    int64_t runs = setting("VAXDB_FUZZ_RUNS", DEFAULT_RUNS);
    int64_t until = clock_monotonic_ms() + setting("VAXDB_FUZZ_MS", DEFAULT_MS);
    int64_t done = 0;
    _cleanup_buffer_ Buffer input;
    buffer_init(&input, SEED_MAX_BYTES * 2);
    while (done < runs && clock_monotonic_ms() < until) {
        const Seed *seed = &seeds.items[random_below(seeds.count)];
        buffer_clear(&input);
        (void)buffer_append(&input, seed->bytes, seed->length);
        for (size_t count = random_below(8) + 1; count > 0; count--)
            mutate(&input, &seeds);
        try_one(input.data, input.length);
        done++;
    }
    (void)printf("%zu seeds, %lld mutations\n", seeds.count, (long long)done);
    return 0;
}
