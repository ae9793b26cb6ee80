/* From "-e production" or "--url ..." to a session with the right database, with its guards.
 *
 * Never silently the wrong database: without a configuration, development and test are databases of
 * the private cluster, started when needed; staging and production without a URL are ERR_USAGE with
 * the command to type. PG* variables complete a conninfo, they never select an environment.
 *
 * Guards follow the database, not the label: the identity (system identifier and name) of every
 * environment's database is remembered in state, and --url to the same database has the guards of
 * that environment. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/config.h"
#include "pg/session.h"
#include "state/state.h"

#include <stdbool.h>

typedef struct {
    EnvKind env;          /* of -e */
    EnvKind guard;        /* whose guards apply: production when the database is production's */
    const char *conninfo; /* libpq's; with password where the private cluster has one */
    const char *database; /* its name, "" until connected when conninfo does not say */
    bool private_cluster; /* in the cluster of `vaxdb dev` */
    bool from_url;        /* --url / -d: outside the configuration */
} Target;

/* url is --url, -d or NULL. Starts the private cluster when the target is in it (and says so). */
bool target_resolve(Arena *arena, Log *log, const Config *config, EnvKind env, const char *url,
                    Target *target, Error *err) MUST_CHECK;

/* Is that database up already, or at least none that target_resolve would start? false: *why says
 * what is missing. Starts nothing. */
bool target_is_there(Arena *arena, const Config *config, EnvKind env, const char **why);

/* A session with it. Learns database name and guard, remembers the identity of a configured
 * environment. application_name "vaxdb". */
bool target_connect(Arena *arena, Log *log, State *state, Target *target, Session **session,
                    Error *err) MUST_CHECK;

/* The guard for what could destroy data ("down", "dev load", ...): on production it wants
 * --confirm DATABASE (confirm, may be NULL), else ERR_REFUSED with the command to type. Where
 * confirm is given it must match the name on every environment. */
bool target_guard(const Target *target, const char *action, const char *confirm,
                  Error *err) MUST_CHECK;
