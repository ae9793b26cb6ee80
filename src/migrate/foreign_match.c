/* Which files another tool's entries speak of. Both may be thousands: each entry is looked up. */
#include "base/str.h"
#include "migrate/foreign.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

/* ---- versions ---------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the first number off a version such as "1.2_10", without its leading zeros. */
static const char *take_number(const char **version, size_t *length)
{
    const char *number = *version + strspn(*version, "0");
    *length = strspn(number, DIGITS);
    const char *end = number + *length;
    *version = *end && is_digit(end[1]) ? end + 1 : end;
    return number;
}

/* Number by number, of any length; one that is not there is 0, so that 1 and 1.0 are equal. */
static int compare_versions(const char *a, const char *b)
{
    while (*a || *b) {
        size_t one = 0, two = 0;
        const char *left = take_number(&a, &one), *right = take_number(&b, &two);
        int order = one == two ? strncmp(left, right, one) : (one > two) - (one < two);
        if (order)
            return order;
    }
    return 0;
}

static bool is_version(const char *text)
{
    return text && is_digit(*text) && strspn(text, DIGITS "._") == strlen(text);
}

/* The number in front; of Flyway's V1.2_10__name.sql all of it. NULL where there is none. */
static const char *version_of(Arena *arena, ForeignTool tool, const char *name)
{
    bool whole = tool == FOREIGN_FLYWAY && *name == 'V' && is_digit(name[1]);
    name += whole;
    size_t length = strspn(name, DIGITS);
    while (whole && name[length] && strchr("._", name[length]) && is_digit(name[length + 1]))
        length += 1 + strspn(name + length + 1, DIGITS);
    return length ? arena_strndup(arena, name, length) : NULL;
}

/* ---- the index --------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const ForeignKey *one = a, *two = b;
    int order = strcmp(one->text, two->text);
    return order ? order : (one->file > two->file) - (one->file < two->file);
}

static int compare_keys(const void *a, const void *b)
{
    const ForeignKey *one = a, *two = b;
    int order = compare_versions(one->text, two->text);
    return order ? order : (one->file > two->file) - (one->file < two->file);
}

/* Sqitch's change "users" is users.sql, and 001_users.sql, and before it was reworked at the tag v1
 * users@v1.sql. */
static void add_change(Arena *arena, ForeignIndex *index, const char *file, size_t at)
{
    size_t length = strlen(file) - strlen(".sql");
    const char *tag = memchr(file, '@', length);
    const char *stem = arena_strndup(arena, file, tag ? (size_t)(tag - file) : length);
    size_t digits = strspn(stem, DIGITS);
    index->names[index->name_count++] = (ForeignKey){stem, at};
    if (digits && stem[digits] && strchr("_-", stem[digits]))
        index->names[index->name_count++] = (ForeignKey){stem + digits + 1, at};
}

void foreign_index(Arena *arena, ForeignTool tool, const MigrationFiles *files, ForeignIndex *index)
{
    *index = (ForeignIndex){.tool = tool,
                            .names = arena_array(arena, 2 * files->count, sizeof(ForeignKey)),
                            .versions = arena_array(arena, files->count, sizeof(ForeignKey))};
    for (size_t i = 0; i < files->count; i++) {
        const char *name = files->items[i].name;
        const char *version = tool == FOREIGN_SQITCH ? NULL : version_of(arena, tool, name);
        if (tool == FOREIGN_SQITCH)
            add_change(arena, index, name, i);
        else if (tool == FOREIGN_FLYWAY)
            index->names[index->name_count++] = (ForeignKey){name, i};
        if (version)
            index->versions[index->version_count++] = (ForeignKey){version, i};
    }
    if (index->name_count > 1)
        qsort(index->names, index->name_count, sizeof(*index->names), compare_names);
    if (index->version_count > 1)
        qsort(index->versions, index->version_count, sizeof(*index->versions), compare_keys);
}

/* How many keys come before text; with those that are equal to it, if asked. */
static size_t count_before(const ForeignKey *keys, size_t count, const char *text, bool with_equal,
                           int (*compare)(const char *, const char *))
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = compare(keys[middle].text, text);
        if (order < 0 || (order == 0 && with_equal))
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static ForeignMatch find(const ForeignKey *keys, size_t count, const char *text, bool and_before,
                         int (*compare)(const char *, const char *))
{
    size_t first = count_before(keys, count, text, false, compare);
    size_t end = count_before(keys, count, text, true, compare);
    size_t from = and_before ? 0 : first;
    return (ForeignMatch){keys + from, end - from, end > first};
}

ForeignMatch foreign_match(const ForeignIndex *index, const ForeignEntry *entry)
{
    const char *slash = index->tool == FOREIGN_FLYWAY ? strrchr(entry->name, '/') : NULL;
    ForeignMatch by_name =
        find(index->names, index->name_count, slash ? slash + 1 : entry->name, false, strcmp);
    if ((by_name.named && !entry->and_before) || !is_version(entry->version))
        return by_name;
    ForeignMatch match = find(index->versions, index->version_count, entry->version,
                              entry->and_before, compare_versions);
    match.named = match.named || by_name.named;
    return match;
}
