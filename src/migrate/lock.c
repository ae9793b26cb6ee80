#include "migrate/lock.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "pg/pooler.h"
#include "sql_texts.h"

#define POLL_FIRST_MS ((int64_t)20)
#define POLL_LAST_MS  ((int64_t)300)

MigrateLock migrate_lock(LockClass class, const char *ledger_table)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(ledger_table, strlen(ledger_table), hex);
    hex[7] = '\0'; /* 28 bits: a positive key is the same number in pg_locks */
    return (MigrateLock){class, (int32_t)strtol(hex, NULL, 16)};
}

typedef struct {
    char class[16], key[16];
    const char *values[2];
} LockParams;

static void fill_params(LockParams *params, MigrateLock lock)
{
    (void)snprintf(params->class, sizeof(params->class), "%d", (int)lock.class);
    (void)snprintf(params->key, sizeof(params->key), "%d", (int)lock.key);
    params->values[0] = params->class;
    params->values[1] = params->key;
}

/* Is it still ours? */
static bool check_lock(Session *session, MigrateLock lock, Error *err)
{
    LockParams params = {0};
    fill_params(&params, lock);
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_migrate_lock_ours, 2, params.values, &rows, err))
        return error_context(err, "cannot check the migration lock");
    return result_bool(rows, 0, "ours") || session_pooled(MIGRATE_PURPOSE, err);
}

static bool try_lock(Session *session, MigrateLock lock, bool *taken, Error *err)
{
    LockParams params = {0};
    fill_params(&params, lock);
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_migrate_lock_take, 2, params.values, &rows, err))
        return error_context(err, "cannot take the migration lock");
    *taken = result_bool(rows, 0, "taken");
    return !result_bool(rows, 0, "held") || session_pooled(MIGRATE_PURPOSE, err);
}

bool migrate_lock_describe(Arena *arena, Session *session, MigrateLock lock, const char **holder,
                           Error *err)
{
    LockParams params = {0};
    fill_params(&params, lock);
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql_migrate_lock_holder, 2, params.values, &rows, err))
        return error_context(err, "cannot see who holds the migration lock");
    *holder = NULL;
    if (result_rows(rows) == 0)
        return true;
    const char *user = result_text(rows, 0, "user"), *host = result_text(rows, 0, "host");
    const char *query = result_text(rows, 0, "query");
    bool busy = lock.class == LOCK_WORK && str_equal(result_text(rows, 0, "state"), "active");
    *holder = arena_printf(arena, "server process %s (%s from %s, connected %s ago)%s%s",
                           result_text(rows, 0, "pid"), user ? user : "?", host ? host : "?",
                           str_duration(arena, 1000.0 * (double)result_int64(rows, 0, "age_s")),
                           busy ? ", which still runs: " : "", busy && query ? query : "");
    return true;
}

static const char *what_holds(MigrateLock lock)
{
    return lock.class == LOCK_RUN ? "another migration run" : "a statement of an interrupted run";
}

static bool give_up(Session *session, MigrateLock lock, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *holder = NULL;
    if (!migrate_lock_describe(arena, session, lock, &holder, err))
        return false;
    (void)error_set(err, ERR_REFUSED, "%s is in progress: %s", what_holds(lock),
                    holder ? holder : "it has just ended");
    return error_hint(err, "nothing was changed; wait for it to end and run the command again, or "
                           "wait longer with --wait 1h");
}

bool migrate_lock_take(Session *session, MigrateLock lock, int64_t wait_ms, Log *log, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t until_ms = clock_monotonic_ms() + wait_ms, pause_ms = POLL_FIRST_MS;
    const char *told = NULL;
    for (;;) {
        bool taken = false;
        if (!try_lock(session, lock, &taken, err))
            return false;
        if (taken)
            return check_lock(session, lock, err);
        if (clock_monotonic_ms() >= until_ms)
            return give_up(session, lock, err);
        if (!told && log) {
            if (!migrate_lock_describe(arena, session, lock, &told, err))
                return false;
            if (told)
                log_info(log, "Waiting for %s: %s", what_holds(lock), told);
        }
        if (!clock_sleep_ms(pause_ms))
            return interrupt_check(err);
        pause_ms = pause_ms * 2 < POLL_LAST_MS ? pause_ms * 2 : POLL_LAST_MS;
    }
}
