/* damage FILE COUNT SEED: spoils a backup in COUNT random ways, one at a time, and asks level 2 of
 * verify about each. FILE must be a copy: it is written to, and whole again at the end.
 *
 * A way is one flipped bit or a cut at any byte: of the backup with its manifest beside it, of the
 * backup alone, of the manifest, of the checksum, of the roles beside it. Prints how many were
 * found; one that was missed is told with the place where it was, and the status is 1. */
#include "backup/backup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *path;
    char *bytes;
    size_t length;
    int descriptor;
} Victim;

typedef struct {
    Log quiet;
    const char *backup;
    uint64_t random; /* xorshift64*: the same ways on every machine */
    long flips, cuts, missed;
} Sweep;

static uint64_t next_random(Sweep *sweep, uint64_t below)
{
    sweep->random ^= sweep->random >> 12;
    sweep->random ^= sweep->random << 25;
    sweep->random ^= sweep->random >> 27;
    return (sweep->random * 0x2545F4914F6CDD1DULL >> 11) % below;
}

static _Noreturn void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "damage: %s: %s\n", what, why);
    exit(2);
}

static Victim open_victim(Arena *arena, const char *path)
{
    Error err = {0};
    Victim victim = {.path = path, .descriptor = open(path, O_RDWR | O_CLOEXEC)};
    if (victim.descriptor < 0)
        give_up(path, strerror(errno));
    if (!file_read(arena, path, BUFFER_MAX_FILE, &victim.bytes, &victim.length, &err))
        give_up(path, err.message);
    return victim;
}

static bool is_found_good(Sweep *sweep)
{
    _cleanup_arena_ Arena *arena = arena_create();
    VerifyReport report;
    Error err = {0};
    if (!backup_verify(arena, &sweep->quiet, NULL, sweep->backup, VERIFY_CONTENT, &report, &err))
        give_up(sweep->backup, err.message);
    return report.ok;
}

static void write_back(const Victim *victim, size_t from, const char *bytes, size_t length)
{
    if (pwrite(victim->descriptor, bytes, length, (off_t)from) != (ssize_t)length)
        give_up(victim->path, strerror(errno));
}

static void flip(Sweep *sweep, const Victim *victim)
{
    size_t at = next_random(sweep, victim->length);
    unsigned bit = (unsigned)next_random(sweep, 8);
    char flipped = (char)(victim->bytes[at] ^ (1 << bit));
    write_back(victim, at, &flipped, 1);
    if (is_found_good(sweep)) {
        (void)printf("missed: bit %u of byte %zu of %s\n", bit, at, victim->path);
        sweep->missed++;
    }
    write_back(victim, at, &victim->bytes[at], 1);
    sweep->flips++;
}

static void cut(Sweep *sweep, const Victim *victim)
{
    size_t length = next_random(sweep, victim->length);
    if (ftruncate(victim->descriptor, (off_t)length) != 0)
        give_up(victim->path, strerror(errno));
    if (is_found_good(sweep)) {
        (void)printf("missed: the first %zu bytes of %s\n", length, victim->path);
        sweep->missed++;
    }
    write_back(victim, length, victim->bytes + length, victim->length - length);
    sweep->cuts++;
}

static void spoil(Sweep *sweep, const Victim *victim, long count)
{
    if (!is_found_good(sweep))
        give_up(sweep->backup, "it is bad already");
    for (long i = 0; i < count; i++) {
        if (i % 4 == 3)
            cut(sweep, victim);
        else
            flip(sweep, victim);
    }
    if (!is_found_good(sweep))
        give_up(sweep->backup, "it could not be made whole again");
}

static void rename_file(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        give_up(from, strerror(errno));
}

/* The newline at the end of a file of text adds nothing to it. */
static Victim without_newline(Victim victim)
{
    victim.length--;
    if (ftruncate(victim.descriptor, (off_t)victim.length) != 0)
        give_up(victim.path, strerror(errno));
    return victim;
}

int main(int argc, char **argv)
{
    long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (count < 1)
        give_up("usage", "damage FILE COUNT SEED");
    _cleanup_arena_ Arena *arena = arena_create();
    Sweep sweep = {.backup = argv[1], .random = strtoull(argv[3], NULL, 10) * 2 + 1};
    log_init(&sweep.quiet, stderr, true);
    sweep.quiet.quiet = true;
    const char *manifest_path = arena_printf(arena, "%s" MANIFEST_SUFFIX, sweep.backup);
    const char *away = arena_printf(arena, "%s.away", manifest_path);
    Victim backup = open_victim(arena, sweep.backup);
    Victim manifest = without_newline(open_victim(arena, manifest_path));
    Victim checksum = without_newline(
        open_victim(arena, arena_printf(arena, "%s" CHECKSUM_SUFFIX, sweep.backup)));
    Victim globals = open_victim(arena, backup_globals_path(arena, sweep.backup));
    long beside = count / 10; /* of each of the small files */
    spoil(&sweep, &manifest, beside);
    spoil(&sweep, &checksum, beside);
    spoil(&sweep, &globals, beside);
    spoil(&sweep, &backup, count / 4);
    rename_file(manifest_path, away);
    rename_file(checksum.path, arena_printf(arena, "%s.away", checksum.path));
    spoil(&sweep, &backup, count - count / 4 - 3 * beside);
    rename_file(away, manifest_path);
    rename_file(arena_printf(arena, "%s.away", checksum.path), checksum.path);
    write_back(&manifest, manifest.length, "\n", 1);
    write_back(&checksum, checksum.length, "\n", 1);
    (void)printf("%ld flipped bits and %ld cuts, %ld missed\n", sweep.flips, sweep.cuts,
                 sweep.missed);
    return sweep.missed != 0;
}
