/* [databases], [users] and [peers] of the pooler's configuration.
 *
 * A number that is POOL_UNSET, a text that is NULL and a time that is 0 leave it to the user, the
 * database or the global setting, as PgBouncer's manual orders them. An entry that is repeated
 * replaces the earlier one wholly. */
#pragma once

#include "pool/problems.h"
#include "pool/settings.h"

typedef enum { BALANCE_ROUND_ROBIN, BALANCE_DISABLE } LoadBalance;

/* As libpq has them; not PgBouncer's. */
typedef enum {
    TARGET_ANY,
    TARGET_READ_WRITE,
    TARGET_READ_ONLY,
    TARGET_PRIMARY,
    TARGET_STANDBY,
    TARGET_PREFER_STANDBY,
} TargetAttributes;

/* What all entries begin with. */
typedef struct {
    const char *name;
    size_t order; /* of the file */
    const char *path;
    int line;
} Entry;

typedef struct {
    Entry entry;
    const char *dbname; /* NULL: the name that the client asked for */
    const char *host;   /* as written; NULL: the Unix socket */
    const char **hosts; /* the same taken apart at its commas */
    size_t host_count;
    int port;
    const char *user; /* all connections are this user's; NULL: the client's */
    const char *password;
    const char *auth_user;
    const char *auth_query;
    const char *auth_dbname;
    const char *connect_query;
    const char *client_encoding;
    const char *datestyle;
    const char *timezone;
    const char *application_name;
    int pool_size;
    int min_pool_size;
    int reserve_pool_size;
    int max_db_connections;
    int max_db_client_connections;
    int64_t server_lifetime_us;
    PoolMode pool_mode;
    LoadBalance load_balance_hosts;
    TargetAttributes target_session_attrs;
} PoolDatabase;

typedef struct {
    Entry entry;
    PoolMode pool_mode;
    int pool_size;
    int reserve_pool_size;
    int max_user_connections;
    int max_user_client_connections;
    int64_t query_timeout_us;
    int64_t idle_transaction_timeout_us;
    int64_t transaction_timeout_us;
    int64_t client_idle_timeout_us;
} PoolUser;

typedef struct {
    Entry entry;
    int id;
    const char *host;
    int port;
    int pool_size;
} PoolPeer;

/* What a value of the section says into *entry, with defaults for what it does not. False when
 * something was wrong, which is in problems. All is copied into the arena. */
bool pool_database_parse(Arena *arena, const Entry *entry, const char *value,
                         PoolDatabase *database, PoolProblems *problems) MUST_CHECK;
bool pool_user_parse(Arena *arena, const Entry *entry, const char *value, PoolUser *user,
                     PoolProblems *problems) MUST_CHECK;
bool pool_peer_parse(Arena *arena, const Entry *entry, const char *value, PoolPeer *peer,
                     PoolProblems *problems) MUST_CHECK;

/* Sorts an array whose elements, of size bytes, begin with an Entry, by name, and leaves the last
 * of each name. Returns how many are left. */
size_t entries_settle(void *items, size_t count, size_t size_bytes);
/* In a settled array; NULL when there is none. */
const void *entries_find(const void *items, size_t count, size_t size_bytes, const char *name);
