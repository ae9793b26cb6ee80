#include "flows/target.h"

#include "base/file.h"
#include "base/str.h"
#include "flows/private_cluster.h"
#include "pg/blockers.h"

static bool explain_missing(const Config *config, EnvKind env, Error *err)
{
    const char *name = env_name(env);
    (void)error_set(err, ERR_USAGE, "no database is configured for %s", name);
    if (config_path(config))
        return error_hint(err,
                          "add \"url = postgresql://...\" under [%s] in %s, or name the "
                          "database with --url",
                          name, config_path(config));
    return error_hint(
        err, "name it with --url, or write a vaxdb.ini: `vaxdb init` (for your own server) "
             "or `vaxdb dev start` (for a private one on this machine)");
}

static bool resolve_private(Arena *arena, Log *log, const Config *config, EnvKind env,
                            Target *target, Error *err)
{
    Cluster cluster;
    if (!private_cluster_open(arena, config, &cluster, err))
        return false;
    if (cluster_state(&cluster) != CLUSTER_RUNNING)
        log_info(log, "Starting the private PostgreSQL in %s", cluster.directory);
    if (!private_cluster_start(arena, log, &cluster, err))
        return false;
    target->private_cluster = true;
    target->database = private_cluster_database(arena, env);
    target->conninfo = cluster_conninfo(&cluster, arena, target->database);
    return true;
}

bool target_resolve(Arena *arena, Log *log, const Config *config, EnvKind env, const char *url,
                    Target *target, Error *err)
{
    *target = (Target){.env = env, .guard = env, .database = ""};
    if (url) {
        target->conninfo = url;
        target->from_url = true;
        return true;
    }
    const char *configured = config_text(config, env, "url");
    if (configured && !str_equal(configured, PRIVATE_CLUSTER_URL)) {
        target->conninfo = configured;
        return true;
    }
    bool by_default = !configured && (env == ENV_DEVELOPMENT || env == ENV_TEST);
    if (configured || by_default)
        return resolve_private(arena, log, config, env, target, err);
    return explain_missing(config, env, err);
}

bool target_is_there(Arena *arena, const Config *config, EnvKind env, const char **why)
{
    const char *configured = config_text(config, env, "url");
    if (configured && !str_equal(configured, PRIVATE_CLUSTER_URL))
        return true;
    Cluster cluster;
    Error err = {0};
    *why = "none is configured";
    if (!configured && env != ENV_DEVELOPMENT && env != ENV_TEST)
        return false;
    *why = "the private one is not running";
    return private_cluster_open(arena, config, &cluster, &err) &&
           cluster_state(&cluster) == CLUSTER_RUNNING;
}

/* The stricter of what the command line says and what the database was seen as. */
static bool learn_guard(Arena *arena, State *state, Target *target, Session *session, Error *err)
{
    DatabaseIdentity identity = {0};
    bool done = read_transaction_begin(session, NULL, err) &&
                session_identity(session, arena, &identity, err);
    if (!read_transaction_end(session, done, err))
        return false;
    target->database = identity.database;
    const char *seen = NULL;
    if (!state_identity_get(state, arena, identity.system_identifier, identity.database, &seen,
                            err))
        return false;
    if (str_equal(seen, env_name(ENV_PRODUCTION)))
        target->guard = ENV_PRODUCTION;
    if (target->from_url && target->env != ENV_PRODUCTION)
        return true; /* a database outside the configuration belongs to no environment */
    return state_identity_remember(state, identity.system_identifier, identity.database,
                                   env_name(target->env), err);
}

bool target_connect(Arena *arena, Log *log, State *state, Target *target, Session **session,
                    Error *err)
{
    SessionOptions options = {.conninfo = target->conninfo, .log = log};
    _cleanup_session_ Session *opened = NULL;
    if (!session_open(&options, &opened, err))
        return error_context(err, "%s", target->from_url ? "--url" : env_name(target->env));
    if (!learn_guard(arena, state, target, opened, err))
        return false;
    *session = TAKE(opened);
    return true;
}

bool target_guard(const Target *target, const char *action, const char *confirm, Error *err)
{
    if (confirm) {
        if (str_equal(confirm, target->database))
            return true;
        (void)error_set(err, ERR_REFUSED, "--confirm names %s, but this is the database %s",
                        confirm, target->database);
        return error_hint(err, "nothing was changed");
    }
    if (target->guard != ENV_PRODUCTION)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s is production: %s is refused there", target->database,
                    action);
    return error_hint(err, "if you mean it, add --confirm %s", target->database);
}
