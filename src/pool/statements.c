#include "base/secret.h"
#include "base/siphash.h"
#include "pool/statements_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#define SHARDS        64 /* a power of two; more than threads that could meet */
#define FIRST_BUCKETS 16
#define NONE_UNUSED   UINT64_MAX

typedef struct Entry Entry;

struct Entry {
    Statement statement; /* first: a Statement is an Entry */
    uint64_t hash;
    Entry *next;           /* in its bucket */
    Entry *older, *newer;  /* among those without a reference */
    uint64_t unused_since; /* by the table's clock */
    size_t references;     /* under the shard's lock, as all links */
    uint8_t bytes[];       /* the key */
};

typedef struct {
    _Alignas(64) pthread_mutex_t lock;
    Entry **buckets;
    size_t bucket_count; /* 0 or a power of two */
    size_t count;
    Entry *oldest, *newest;        /* without a reference */
    _Atomic uint64_t oldest_since; /* the oldest's unused_since, to be read without the lock */
} Shard;

struct StatementTable {
    size_t max_bytes;
    uint8_t hash_key[SIPHASH_KEY_BYTES];
    _Atomic size_t bytes; /* of entries, and of those about to be made */
    _Atomic size_t count;
    _Atomic uint64_t last_id;
    _Atomic uint64_t clock; /* how often a statement lost its last reference */
    Shard shards[SHARDS];
};

StatementTable *statement_table_create(size_t max_bytes)
{
    StatementTable *table = aligned_alloc(_Alignof(StatementTable), sizeof(StatementTable));
    if (!table)
        abort();
    memset(table, 0, sizeof(*table));
    table->max_bytes = max_bytes;
    secret_random(table->hash_key, sizeof(table->hash_key));
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&table->shards[i].lock, NULL);
        atomic_init(&table->shards[i].oldest_since, NONE_UNUSED);
    }
    return table;
}

uint64_t statement_hash(const StatementTable *table, const void *bytes, size_t length)
{
    return siphash(table->hash_key, bytes, length);
}

size_t statement_table_count(const StatementTable *table)
{
    return atomic_load(&table->count);
}

size_t statement_table_bytes(const StatementTable *table)
{
    return atomic_load(&table->bytes);
}

void statement_name(uint64_t id, char name[STATEMENT_NAME_SIZE])
{
    (void)snprintf(name, STATEMENT_NAME_SIZE, "PGBOUNCER_%" PRIu64, id);
}

/* The upper bits: the lower ones choose the bucket. */
static Shard *shard_of(StatementTable *table, uint64_t hash)
{
    return &table->shards[hash >> 58];
}

/* What an entry counts for: itself, its key, and its share of the buckets. */
static size_t weight(size_t key_length)
{
    return sizeof(Entry) + key_length + 2 * sizeof(Entry *);
}

/* ---- Under the shard's lock ---- */

static Entry *find(const Shard *shard, uint64_t hash, const void *key, size_t key_length)
{
    if (shard->bucket_count == 0)
        return NULL;
    Entry *entry = shard->buckets[hash & (shard->bucket_count - 1)];
    while (entry && (entry->hash != hash || entry->statement.key_length != key_length ||
                     memcmp(entry->bytes, key, key_length) != 0))
        entry = entry->next;
    return entry;
}

static bool grow(Shard *shard)
{
    size_t grown = shard->bucket_count ? shard->bucket_count * 2 : FIRST_BUCKETS;
    Entry **buckets = calloc(grown, sizeof(Entry *));
    if (!buckets)
        return shard->bucket_count > 0; /* longer chains, then */
    for (size_t i = 0; i < shard->bucket_count; i++) {
        Entry *next = NULL;
        for (Entry *entry = shard->buckets[i]; entry; entry = next) {
            Entry **bucket = &buckets[entry->hash & (grown - 1)];
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = grown;
    return true;
}

static void note_oldest(Shard *shard)
{
    atomic_store(&shard->oldest_since, shard->oldest ? shard->oldest->unused_since : NONE_UNUSED);
}

static void unlink_idle(Shard *shard, Entry *entry)
{
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
    entry->older = entry->newer = NULL;
    note_oldest(shard);
}

static void link_idle(StatementTable *table, Shard *shard, Entry *entry)
{
    entry->unused_since = atomic_fetch_add(&table->clock, 1);
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
    note_oldest(shard);
}

static void refer(Shard *shard, Entry *entry)
{
    if (entry->references++ == 0)
        unlink_idle(shard, entry);
}

static void forget(StatementTable *table, Shard *shard, Entry *entry)
{
    Entry **at = &shard->buckets[entry->hash & (shard->bucket_count - 1)];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    unlink_idle(shard, entry);
    shard->count--;
    atomic_fetch_sub(&table->count, 1);
    atomic_fetch_sub(&table->bytes, weight(entry->statement.key_length));
    free(entry);
}

/* ---- Room ---- */

static bool too_much(StatementTable *table)
{
    return atomic_load(&table->bytes) > table->max_bytes;
}

/* The shard of the statement that has been unused the longest; NULL where all are in use. */
static Shard *longest_unused(StatementTable *table)
{
    uint64_t since = NONE_UNUSED;
    Shard *found = NULL;
    for (size_t i = 0; i < SHARDS; i++) {
        uint64_t its = atomic_load(&table->shards[i].oldest_since);
        if (its < since) {
            since = its;
            found = &table->shards[i];
        }
    }
    return found;
}

/* Counts bytes before they are there, so that the maximum holds at every instant; then forgets what
 * nobody refers to until all fits. No two locks are ever held. */
static bool reserve(StatementTable *table, size_t bytes)
{
    Shard *shard = NULL;
    if (bytes > table->max_bytes)
        return false;
    atomic_fetch_add(&table->bytes, bytes);
    while (too_much(table) && (shard = longest_unused(table))) {
        (void)pthread_mutex_lock(&shard->lock);
        if (shard->oldest) /* another thread may have been faster */
            forget(table, shard, shard->oldest);
        (void)pthread_mutex_unlock(&shard->lock);
    }
    if (!too_much(table))
        return true;
    atomic_fetch_sub(&table->bytes, bytes);
    return false;
}

/* ---- From outside ---- */

static Entry *make(StatementTable *table, uint64_t hash, const void *key, size_t key_length)
{
    Entry *entry = malloc(sizeof(Entry) + key_length);
    if (!entry)
        return NULL;
    *entry = (Entry){.hash = hash, .references = 1};
    memcpy(entry->bytes, key, key_length);
    entry->statement.key = entry->bytes;
    entry->statement.key_length = key_length;
    entry->statement.id = atomic_fetch_add(&table->last_id, 1) + 1;
    statement_name(entry->statement.id, entry->statement.name);
    return entry;
}

static Entry *find_and_refer(Shard *shard, uint64_t hash, const void *key, size_t key_length)
{
    (void)pthread_mutex_lock(&shard->lock);
    Entry *found = find(shard, hash, key, key_length);
    if (found)
        refer(shard, found);
    (void)pthread_mutex_unlock(&shard->lock);
    return found;
}

/* Puts made in, unless another thread was faster: then that one's, with a reference. */
static Entry *insert(StatementTable *table, Shard *shard, Entry *made)
{
    (void)pthread_mutex_lock(&shard->lock);
    Entry *entry = find(shard, made->hash, made->bytes, made->statement.key_length);
    if (entry) {
        refer(shard, entry);
    } else if (shard->count < shard->bucket_count || grow(shard)) {
        Entry **bucket = &shard->buckets[made->hash & (shard->bucket_count - 1)];
        made->next = *bucket;
        *bucket = made;
        shard->count++;
        atomic_fetch_add(&table->count, 1);
        entry = made;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return entry;
}

const Statement *statement_acquire(StatementTable *table, const void *key, size_t key_length)
{
    uint64_t hash = statement_hash(table, key, key_length);
    Shard *shard = shard_of(table, hash);
    Entry *entry = find_and_refer(shard, hash, key, key_length);
    if (entry)
        return &entry->statement;
    if (!reserve(table, weight(key_length)))
        return NULL;
    Entry *made = make(table, hash, key, key_length);
    entry = made ? insert(table, shard, made) : NULL;
    if (entry != made || !made) {
        atomic_fetch_sub(&table->bytes, weight(key_length));
        free(made);
    }
    return entry ? &entry->statement : NULL;
}

static Entry *entry_of(const Statement *statement)
{
    union {
        const Statement *outside;
        Entry *inside;
    } both = {.outside = statement};
    return both.inside;
}

const Statement *statement_retain(StatementTable *table, const Statement *statement)
{
    Entry *entry = entry_of(statement);
    Shard *shard = shard_of(table, entry->hash);
    (void)pthread_mutex_lock(&shard->lock);
    assert(entry->references > 0);
    entry->references++;
    (void)pthread_mutex_unlock(&shard->lock);
    return statement;
}

void statement_release(StatementTable *table, const Statement *statement)
{
    Entry *entry = entry_of(statement);
    Shard *shard = shard_of(table, entry->hash);
    (void)pthread_mutex_lock(&shard->lock);
    assert(entry->references > 0);
    if (--entry->references == 0)
        link_idle(table, shard, entry);
    (void)pthread_mutex_unlock(&shard->lock);
}

void statement_table_destroy(StatementTable *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        Shard *shard = &table->shards[i];
        while (shard->oldest)
            forget(table, shard, shard->oldest);
        assert(shard->count == 0);
        free(shard->buckets);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    assert(atomic_load(&table->bytes) == 0);
    free(table);
}
