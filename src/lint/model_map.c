#include "lint/model_internal.h"

static size_t hash_of(const char *schema, const char *name)
{
    size_t hash = 14695981039346656037ULL; /* FNV-1a */
    for (const char *at = schema; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
    hash = (hash ^ 0xff) * 1099511628211ULL;
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
    return hash ^ (hash >> 32);
}

/* The entry, or the free one where it belongs. There is always a free one. */
static NameEntry *slot_of(const NameMap *map, const char *schema, const char *name)
{
    size_t mask = map->capacity - 1;
    for (size_t at = hash_of(schema, name) & mask;; at = (at + 1) & mask) {
        NameEntry *entry = &map->entries[at];
        if (!entry->name || (strcmp(entry->name, name) == 0 && strcmp(entry->schema, schema) == 0))
            return entry;
    }
}

void *name_map_get(const NameMap *map, const char *schema, const char *name)
{
    return map->capacity && schema && name ? slot_of(map, schema, name)->value : NULL;
}

bool name_map_has(const NameMap *map, const char *schema, const char *name)
{
    return map->capacity && schema && name && slot_of(map, schema, name)->name;
}

void name_map_put(Arena *arena, NameMap *map, const char *schema, const char *name, void *value)
{
    if (map->count * 2 >= map->capacity) {
        NameMap grown = {.capacity = map->capacity ? map->capacity * 2 : 64};
        grown.entries = arena_array(arena, grown.capacity, sizeof(*grown.entries));
        for (size_t i = 0; i < map->capacity; i++)
            if (map->entries[i].name)
                *slot_of(&grown, map->entries[i].schema, map->entries[i].name) = map->entries[i];
        grown.count = map->count;
        *map = grown;
    }
    NameEntry *entry = slot_of(map, schema, name);
    if (!entry->name)
        map->count++;
    *entry = (NameEntry){.schema = schema, .name = name, .value = value};
}
