#include "pool/statements.h"

#include <assert.h>
#include <string.h>

#define FIRST_CAPACITY 8

/* Links are places in nodes plus one; 0 is none. */
struct PreparedNode {
    uint64_t id;
    uint32_t next;         /* in its bucket, or among the unused */
    uint32_t older, newer; /* in the order of use */
};

void prepared_set_init(PreparedSet *set, uint32_t max)
{
    assert(max >= 1);
    *set = (PreparedSet){.max = max};
}

void prepared_set_free(PreparedSet *set)
{
    free(set->nodes);
    free(set->buckets);
    prepared_set_init(set, set->max);
}

void prepared_set_clear(PreparedSet *set)
{
    prepared_set_free(set); /* one that is used again grows again, to what it then needs */
}

static uint32_t *bucket_of(const PreparedSet *set, uint64_t id)
{
    /* Ids are given one after another: they spread by themselves. */
    return &set->buckets[id & (set->capacity - 1)];
}

static PreparedNode *node_at(const PreparedSet *set, uint32_t place)
{
    assert(place >= 1 && place <= set->capacity);
    return &set->nodes[place - 1];
}

static uint32_t find(const PreparedSet *set, uint64_t id)
{
    uint32_t place = set->capacity ? *bucket_of(set, id) : 0;
    while (place && node_at(set, place)->id != id)
        place = node_at(set, place)->next;
    return place;
}

static void unlink_use(PreparedSet *set, PreparedNode *node)
{
    *(node->older ? &node_at(set, node->older)->newer : &set->oldest) = node->newer;
    *(node->newer ? &node_at(set, node->newer)->older : &set->newest) = node->older;
}

static void link_newest(PreparedSet *set, uint32_t place)
{
    PreparedNode *node = node_at(set, place);
    node->older = set->newest;
    node->newer = 0;
    *(set->newest ? &node_at(set, set->newest)->newer : &set->oldest) = place;
    set->newest = place;
}

bool prepared_set_use(PreparedSet *set, uint64_t id)
{
    uint32_t place = find(set, id);
    if (place && place != set->newest) {
        unlink_use(set, node_at(set, place));
        link_newest(set, place);
    }
    return place != 0;
}

static void link_bucket(PreparedSet *set, uint32_t place)
{
    PreparedNode *node = node_at(set, place);
    uint32_t *bucket = bucket_of(set, node->id);
    node->next = *bucket;
    *bucket = place;
}

/* All nodes are in use: twice as many, in buckets twice as many. */
static bool grow(PreparedSet *set)
{
    uint32_t grown = set->capacity ? set->capacity * 2 : FIRST_CAPACITY;
    uint32_t *buckets = grown ? calloc(grown, sizeof(*buckets)) : NULL;
    PreparedNode *nodes = buckets ? realloc(set->nodes, grown * sizeof(*nodes)) : NULL;
    if (!nodes) {
        free(buckets);
        return false;
    }
    uint32_t had = set->capacity;
    free(set->buckets);
    set->buckets = buckets;
    set->nodes = nodes;
    set->capacity = grown;
    for (uint32_t place = 1; place <= had; place++)
        link_bucket(set, place);
    for (uint32_t place = grown; place > had; place--) {
        *node_at(set, place) = (PreparedNode){.next = set->unused};
        set->unused = place;
    }
    return true;
}

static void take_out(PreparedSet *set, uint32_t place)
{
    PreparedNode *node = node_at(set, place);
    uint32_t *at = bucket_of(set, node->id);
    while (*at != place)
        at = &node_at(set, *at)->next;
    *at = node->next;
    unlink_use(set, node);
    *node = (PreparedNode){.next = set->unused};
    set->unused = place;
    set->count--;
}

uint64_t prepared_set_trim(PreparedSet *set)
{
    if (set->count <= set->max)
        return 0;
    uint64_t id = node_at(set, set->oldest)->id;
    take_out(set, set->oldest);
    return id;
}

bool prepared_set_add(PreparedSet *set, uint64_t id, uint64_t *evicted)
{
    assert(id != 0 && !find(set, id));
    if (!set->unused && !grow(set))
        return false;
    uint32_t place = set->unused;
    set->unused = node_at(set, place)->next;
    node_at(set, place)->id = id;
    link_bucket(set, place);
    link_newest(set, place);
    set->count++;
    *evicted = prepared_set_trim(set);
    return true;
}

bool prepared_set_remove(PreparedSet *set, uint64_t id)
{
    uint32_t place = find(set, id);
    if (place)
        take_out(set, place);
    return place != 0;
}

void prepared_set_limit(PreparedSet *set, uint32_t max)
{
    assert(max >= 1);
    set->max = max;
}
