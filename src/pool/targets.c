#include "pool/targets.h"

#include "base/str.h"
#include "pool/pairs.h"

#include <limits.h>

#define PEER_PORT   "6432"
#define PEER_ID_MAX 65535

static const SettingWord balance_words[] = {
    {"round-robin", BALANCE_ROUND_ROBIN}, {"disable", BALANCE_DISABLE}, {NULL}};

static const SettingWord target_words[] = {
    {"any", TARGET_ANY},
    {"read-write", TARGET_READ_WRITE},
    {"read-only", TARGET_READ_ONLY},
    {"primary", TARGET_PRIMARY},
    {"standby", TARGET_STANDBY},
    {"prefer-standby", TARGET_PREFER_STANDBY},
    {NULL},
};

static const char *check_auth_database(Arena *arena, const char *value)
{
    (void)arena;
    return str_equal(value, POOL_ADMIN_DATABASE) ? "that is the console's own database" : NULL;
}

#define TEXT(type, key)                                                                            \
    {                                                                                              \
        .name = #key, .kind = SETTING_TEXT, .offset = offsetof(type, key)                          \
    }
/* A number that may be left to others. */
#define COUNT(type, key)                                                                           \
    {                                                                                              \
        .name = #key, .fallback = "-1", .kind = SETTING_INT, .decimal = true,                      \
        .offset = offsetof(type, key), .min = POOL_UNSET, .max = INT_MAX                           \
    }
#define SECONDS(type, key)                                                                         \
    {                                                                                              \
        .name = #key, .fallback = "0", .kind = SETTING_SECONDS, .offset = offsetof(type, key##_us) \
    }
#define PORT(type, value)                                                                          \
    {                                                                                              \
        .name = "port", .fallback = (value), .kind = SETTING_INT, .decimal = true,                 \
        .offset = offsetof(type, port), .min = 1, .max = 65535                                     \
    }
#define WORD(type, key, value, list)                                                               \
    {                                                                                              \
        .name = #key, .fallback = (value), .kind = SETTING_WORD, .offset = offsetof(type, key),    \
        .words = (list)                                                                            \
    }

static const SettingSpec database_specs[] = {
    TEXT(PoolDatabase, application_name),
    {.name = "auth_dbname",
     .kind = SETTING_TEXT,
     .offset = offsetof(PoolDatabase, auth_dbname),
     .check = check_auth_database},
    TEXT(PoolDatabase, auth_query),
    TEXT(PoolDatabase, auth_user),
    TEXT(PoolDatabase, client_encoding),
    TEXT(PoolDatabase, connect_query),
    TEXT(PoolDatabase, datestyle),
    TEXT(PoolDatabase, dbname),
    TEXT(PoolDatabase, host),
    WORD(PoolDatabase, load_balance_hosts, "round-robin", balance_words),
    COUNT(PoolDatabase, max_db_client_connections),
    COUNT(PoolDatabase, max_db_connections),
    COUNT(PoolDatabase, min_pool_size),
    {.name = "password",
     .kind = SETTING_TEXT,
     .offset = offsetof(PoolDatabase, password),
     .secret = true},
    WORD(PoolDatabase, pool_mode, NULL, pool_mode_words),
    COUNT(PoolDatabase, pool_size),
    PORT(PoolDatabase, "5432"),
    {.name = "reserve_pool_size",
     .alias = "reserve_pool",
     .fallback = "-1",
     .kind = SETTING_INT,
     .decimal = true,
     .offset = offsetof(PoolDatabase, reserve_pool_size),
     .min = POOL_UNSET,
     .max = INT_MAX},
    SECONDS(PoolDatabase, server_lifetime),
    WORD(PoolDatabase, target_session_attrs, "any", target_words),
    TEXT(PoolDatabase, timezone),
    TEXT(PoolDatabase, user),
    {NULL},
};

static const SettingSpec user_specs[] = {
    SECONDS(PoolUser, client_idle_timeout),
    SECONDS(PoolUser, idle_transaction_timeout),
    COUNT(PoolUser, max_user_client_connections),
    COUNT(PoolUser, max_user_connections),
    WORD(PoolUser, pool_mode, NULL, pool_mode_words),
    COUNT(PoolUser, pool_size),
    SECONDS(PoolUser, query_timeout),
    COUNT(PoolUser, reserve_pool_size),
    SECONDS(PoolUser, transaction_timeout),
    {NULL},
};

static const SettingSpec peer_specs[] = {
    TEXT(PoolPeer, host),
    COUNT(PoolPeer, pool_size),
    PORT(PoolPeer, PEER_PORT),
    {NULL},
};

static bool assign_pair(Arena *arena, const SettingSpec *specs, const Entry *entry,
                        const Pair *pair, void *object, PoolProblems *problems)
{
    const SettingSpec *spec = setting_find(specs, pair->key);
    if (!spec) {
        /* what looks like no key may be a piece of a password that was not quoted */
        bool word = !pair->key[strspn(pair->key, "abcdefghijklmnopqrstuvwxyz_")];
        (void)problems_error(problems, entry->path, entry->line, "%s: there is no key %s",
                             entry->name, word ? pair->key : "like one of these");
        return problems_hint(problems, "%s", setting_suggestion(arena, specs, pair->key));
    }
    const char *reason = setting_assign(spec, arena, pair->value, object);
    if (!reason)
        return true;
    return problems_error(problems, entry->path, entry->line, "%s: %s = %s: %s", entry->name,
                          pair->key, spec->secret ? "..." : pair->value, reason);
}

static bool assign_pairs(Arena *arena, const SettingSpec *specs, const Entry *entry,
                         const char *value, void *object, PoolProblems *problems)
{
    settings_set_defaults(specs, arena, object);
    PairReader reader = {value};
    Pair pair = {0};
    const char *reason = NULL;
    bool good = true;
    PairStep step;
    while ((step = pairs_next(&reader, arena, &pair, &reason)) == PAIR_READ)
        good = assign_pair(arena, specs, entry, &pair, object, problems) && good;
    if (step == PAIR_END)
        return good;
    (void)problems_error(problems, entry->path, entry->line, "%s: %s", entry->name, reason);
    return problems_hint(problems, "a value is written key=value key='other value'");
}

/* An empty host would be the Unix socket, so that a comma too many sends a part of the connections
 * elsewhere. */
static bool split_hosts(Arena *arena, PoolDatabase *database, PoolProblems *problems)
{
    if (!database->host)
        return true;
    const Entry *entry = &database->entry;
    size_t capacity = 0;
    for (const char *at = database->host;; at++) {
        size_t length = strcspn(at, ",");
        const char *host = str_trim(arena_strndup(arena, at, length));
        if (!*host)
            return problems_error(problems, entry->path, entry->line,
                                  "%s: host: an empty name in the list", entry->name);
        ARENA_PUSH(arena, database->hosts, database->host_count, capacity, host);
        at += length;
        if (!*at)
            return true;
    }
}

bool pool_database_parse(Arena *arena, const Entry *entry, const char *value,
                         PoolDatabase *database, PoolProblems *problems)
{
    *database = (PoolDatabase){.entry = *entry, .pool_mode = POOL_MODE_UNSET};
    if (str_equal(entry->name, POOL_ADMIN_DATABASE))
        return problems_error(problems, entry->path, entry->line,
                              "%s is the console's own database", POOL_ADMIN_DATABASE);
    return assign_pairs(arena, database_specs, entry, value, database, problems) &&
           split_hosts(arena, database, problems);
}

bool pool_user_parse(Arena *arena, const Entry *entry, const char *value, PoolUser *user,
                     PoolProblems *problems)
{
    *user = (PoolUser){.entry = *entry, .pool_mode = POOL_MODE_UNSET};
    return assign_pairs(arena, user_specs, entry, value, user, problems);
}

bool pool_peer_parse(Arena *arena, const Entry *entry, const char *value, PoolPeer *peer,
                     PoolProblems *problems)
{
    *peer = (PoolPeer){.entry = *entry};
    int64_t id = 0;
    if (!str_to_int64(entry->name, 1, PEER_ID_MAX, &id))
        return problems_error(problems, entry->path, entry->line,
                              "%s: a peer's number must be between 1 and %d", entry->name,
                              PEER_ID_MAX);
    peer->id = (int)id;
    if (!assign_pairs(arena, peer_specs, entry, value, peer, problems))
        return false;
    return peer->host || problems_error(problems, entry->path, entry->line,
                                        "%s: a peer needs a host", entry->name);
}

static int compare(const void *a, const void *b)
{
    const Entry *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    if (order)
        return order;
    return (left->order > right->order) - (left->order < right->order);
}

size_t entries_settle(void *items, size_t count, size_t size_bytes)
{
    if (!count)
        return 0;
    qsort(items, count, size_bytes, compare);
    char *base = items;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const Entry *entry = (const Entry *)(const void *)(base + i * size_bytes);
        const Entry *next = (const Entry *)(const void *)(base + (i + 1) * size_bytes);
        if (i + 1 < count && str_equal(entry->name, next->name))
            continue;
        if (kept != i)
            memcpy(base + kept * size_bytes, base + i * size_bytes, size_bytes);
        kept++;
    }
    return kept;
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, ((const Entry *)entry)->name);
}

const void *entries_find(const void *items, size_t count, size_t size_bytes, const char *name)
{
    return count ? bsearch(name, items, count, size_bytes, compare_name) : NULL;
}
