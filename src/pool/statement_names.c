#include "pool/statements_internal.h"

#define FIRST_CAPACITY 8

/* Open addressing: a name stands at its hash's place or after it, with no free slot between. */
struct NameSlot {
    char *name; /* NULL: a free slot */
    size_t length;
    uint64_t hash;
    const Statement *statement;
};

/* Where name is, or the free slot where it would stand. */
static uint32_t place(const StatementNames *names, uint64_t hash, const char *name, size_t length)
{
    uint32_t mask = names->capacity - 1;
    uint32_t at = (uint32_t)hash & mask;
    for (;; at = (at + 1) & mask) {
        const NameSlot *slot = &names->slots[at];
        if (!slot->name ||
            (slot->hash == hash && slot->length == length && memcmp(slot->name, name, length) == 0))
            return at;
    }
}

/* At most three quarters are in use. */
static bool make_room(StatementNames *names)
{
    if (names->capacity && names->count + 1 <= names->capacity / 4 * 3)
        return true;
    StatementNames grown = *names;
    grown.capacity = names->capacity ? names->capacity * 2 : FIRST_CAPACITY;
    grown.slots = grown.capacity ? calloc(grown.capacity, sizeof(NameSlot)) : NULL;
    if (!grown.slots)
        return false;
    for (uint32_t i = 0; i < names->capacity; i++) {
        const NameSlot *slot = &names->slots[i];
        if (slot->name)
            grown.slots[place(&grown, slot->hash, slot->name, slot->length)] = *slot;
    }
    free(names->slots);
    *names = grown;
    return true;
}

NameStatus statement_names_add(StatementTable *table, StatementNames *names,
                               const NameLimits *limits, const char *name, size_t length,
                               const Statement *statement)
{
    uint64_t hash = statement_hash(table, name, length);
    if (names->count && names->slots[place(names, hash, name, length)].name)
        return NAME_TAKEN;
    if (names->count >= limits->count_max || length > limits->bytes_max ||
        names->bytes > limits->bytes_max - length || !make_room(names))
        return NAME_FULL;
    NameSlot slot = {.length = length, .hash = hash, .statement = statement};
    slot.name = malloc(length ? length : 1);
    if (!slot.name)
        return NAME_FULL;
    memcpy(slot.name, name, length);
    names->slots[place(names, hash, name, length)] = slot;
    names->count++;
    names->bytes += length;
    return NAME_ADDED;
}

const Statement *statement_names_find(const StatementTable *table, const StatementNames *names,
                                      const char *name, size_t length)
{
    if (names->count == 0)
        return NULL;
    return names->slots[place(names, statement_hash(table, name, length), name, length)].statement;
}

/* Closes the gap at `gap`: what comes after it, and belongs before it, moves there. */
static void close_gap(StatementNames *names, uint32_t gap)
{
    uint32_t mask = names->capacity - 1;
    for (uint32_t at = (gap + 1) & mask; names->slots[at].name; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)names->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            names->slots[gap] = names->slots[at];
            gap = at;
        }
    }
    names->slots[gap] = (NameSlot){0};
}

bool statement_names_remove(StatementTable *table, StatementNames *names, const char *name,
                            size_t length)
{
    if (names->count == 0)
        return false;
    uint32_t at = place(names, statement_hash(table, name, length), name, length);
    const NameSlot slot = names->slots[at];
    if (!slot.name)
        return false;
    close_gap(names, at);
    names->count--;
    names->bytes -= slot.length;
    statement_release(table, slot.statement);
    free(slot.name);
    return true;
}

void statement_names_clear(StatementTable *table, StatementNames *names)
{
    for (uint32_t i = 0; i < names->capacity; i++) {
        if (!names->slots[i].name)
            continue;
        statement_release(table, names->slots[i].statement);
        free(names->slots[i].name);
    }
    free(names->slots);
    *names = (StatementNames){0};
}
