/* The numbers by which the labels of members name tables. */
#include "backup/manifest.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_DIGITS 8 /* of the hash */

static uint32_t number_of_name(const ManifestTable *table)
{
    char hex[HASH_HEX_SIZE];
    _cleanup_hash_ HashStream *hash = hash_create();
    hash_update(hash, table->schema, strlen(table->schema) + 1);
    hash_update(hash, table->name, strlen(table->name));
    hash_finish(hash, hex);
    hex[NUMBER_DIGITS] = '\0';
    return (uint32_t)strtoul(hex, NULL, 16) >> 1; /* so that there is room behind each */
}

static int by_number(const void *a, const void *b)
{
    const ManifestTable *first = *(ManifestTable *const *)a;
    const ManifestTable *second = *(ManifestTable *const *)b;
    if (first->number != second->number)
        return first->number < second->number ? -1 : 1;
    int order = strcmp(first->schema, second->schema);
    return order ? order : strcmp(first->name, second->name);
}

void manifest_number_tables(Manifest *manifest)
{
    size_t count = manifest->table_count;
    _cleanup_arena_ Arena *arena = arena_create();
    ManifestTable **sorted = arena_array(arena, count, sizeof(ManifestTable *));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &manifest->tables[i];
        sorted[i]->number = number_of_name(sorted[i]);
    }
    qsort(sorted, count, sizeof(ManifestTable *), by_number);
    /* Two of the same number are rare: the second gets the next one. */
    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->number <= sorted[i - 1]->number)
            sorted[i]->number = sorted[i - 1]->number + 1;
    }
}

const ManifestTable *manifest_find_number(const Manifest *manifest, uint32_t number)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (manifest->tables[i].number == number)
            return &manifest->tables[i];
    }
    return NULL;
}
