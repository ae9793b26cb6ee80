#include "pool/size.h"

#include "base/file.h"
#include "base/str.h"

#include <unistd.h>

#define FLAG_FILE_MAX 64 /* queue/rotational holds "0\n" or "1\n" */

/* Block devices that are no disk of their own: they sit on others, in memory, or take media. */
static bool is_not_a_disk(const char *name)
{
    static const char *const prefixes[] = {"loop", "ram", "zram", "dm-", "md",
                                           "sr",   "fd",  "nbd",  "rbd"};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (str_starts(name, prefixes[i]))
            return true;
    }
    return false;
}

/* Virtual disks call themselves rotational whatever is behind them. */
static bool is_virtual_disk(const char *name)
{
    return str_starts(name, "vd") || str_starts(name, "xvd");
}

static bool is_rotational(Arena *arena, const char *block, const char *name)
{
    char *text = NULL;
    Error ignored = {0};
    const char *path = arena_printf(arena, "%s/%s/queue/rotational", block, name);
    if (!file_read(arena, path, FLAG_FILE_MAX, &text, NULL, &ignored))
        return false;
    return str_equal(str_trim(text), "1");
}

static void detect_spindles(Arena *arena, const char *sysfs, Machine *machine)
{
    const char *block = path_join(arena, sysfs, "block");
    StrList names, turning, still, virtual_disks;
    str_list_init(&names, arena);
    str_list_init(&turning, arena);
    str_list_init(&still, arena);
    str_list_init(&virtual_disks, arena);
    Error ignored = {0};
    if (!directory_list(arena, block, &names, &ignored))
        names.count = 0;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (is_not_a_disk(name))
            continue;
        if (is_virtual_disk(name))
            str_list_add(&virtual_disks, name);
        else if (is_rotational(arena, block, name))
            str_list_add(&turning, name);
        else
            str_list_add(&still, name);
    }
    machine->spindles = (int64_t)turning.count;
    if (turning.count)
        machine->spindles_from =
            arena_printf(arena, "turning disks found: %s", str_list_join(&turning, arena, ", "));
    else if (still.count)
        machine->spindles_from = arena_printf(arena, "only SSDs found (%s), which have no spindle",
                                              str_list_join(&still, arena, ", "));
    else if (virtual_disks.count)
        machine->spindles_from =
            arena_printf(arena, "virtual disk (%s), taken for an SSD: no spindle",
                         str_list_join(&virtual_disks, arena, ", "));
    else
        machine->spindles_from = "no disk found, taken for an SSD: no spindle";
}

void machine_detect(Arena *arena, const char *sysfs, Machine *machine)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool known = cores >= 1;
    machine->cores = known ? cores : 1;
    if (machine->cores > POOL_CORES_MAX)
        machine->cores = POOL_CORES_MAX;
    machine->cores_from = known
                              ? arena_printf(arena, "%lld found on this machine", (long long)cores)
                              : "unknown on this machine, taken for 1";
    detect_spindles(arena, sysfs, machine);
}
