#include "flows/private_cluster.h"

#include "base/file.h"
#include "base/str.h"
#include "pg/session.h"

/* Advisory lock of whoever makes the databases; any number, but always the same. */
#define MAKING_LOCK "7238010927"

bool private_cluster_open(Arena *arena, const Config *config, Cluster *cluster, Error *err)
{
    ClusterSpec spec = {
        .directory = path_join(arena, config_state_directory(config), "cluster"),
        .bindir = config_text(config, ENV_DEVELOPMENT, "pg_bindir"),
    };
    return cluster_open(arena, &spec, cluster, err);
}

char *private_cluster_database(Arena *arena, EnvKind env)
{
    return arena_printf(arena, "vaxtrace_%s", env_name(env));
}

static bool exists(Session *session, const char *sql, const char *name, bool *found, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(session, sql, 1, &name, &rows, err))
        return false;
    *found = result_rows(rows) > 0;
    return true;
}

/* The observer's extensions, where they are installed: what they show is worth having at once. */
static bool add_extensions(const Cluster *cluster, Arena *arena, const char *database, Error *err)
{
    static const char *const extensions[] = {"pg_stat_statements", "hypopg"};
    SessionOptions options = {.conninfo = cluster_conninfo(cluster, arena, database)};
    _cleanup_session_ Session *session = NULL;
    if (!session_open(&options, &session, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(extensions); i++) {
        bool available = false;
        if (!exists(session, "SELECT FROM pg_available_extensions WHERE name = $1", extensions[i],
                    &available, err))
            return false;
        const char *sql = arena_printf(arena, "CREATE EXTENSION IF NOT EXISTS %s", extensions[i]);
        if (available && !session_execute(session, sql, err))
            return false;
    }
    return true;
}

/* Under another name until it is complete: a database of an environment is whole or not there. */
static bool make_database(const Cluster *cluster, Arena *arena, Session *session, EnvKind env,
                          Error *err)
{
    const char *name = private_cluster_database(arena, env);
    bool found = false;
    if (!exists(session, "SELECT FROM pg_database WHERE datname = $1", name, &found, err))
        return false;
    if (found)
        return true;
    const char *fresh = arena_printf(arena, "%s_new", name);
    const char *quoted = sql_identifier(arena, fresh);
    return session_execute(session, arena_printf(arena, "DROP DATABASE IF EXISTS %s", quoted),
                           err) &&
           session_execute(session, arena_printf(arena, "CREATE DATABASE %s", quoted), err) &&
           add_extensions(cluster, arena, fresh, err) &&
           session_execute(session,
                           arena_printf(arena, "ALTER DATABASE %s RENAME TO %s", quoted,
                                        sql_identifier(arena, name)),
                           err);
}

static bool has_all_databases(Arena *arena, Session *session, bool *complete, Error *err)
{
    *complete = true;
    for (int env = 0; env < ENV_COUNT && *complete; env++) {
        if (!exists(session, "SELECT FROM pg_database WHERE datname = $1",
                    private_cluster_database(arena, (EnvKind)env), complete, err))
            return false;
    }
    return true;
}

bool private_cluster_start(Arena *arena, Log *log, Cluster *cluster, Error *err)
{
    if (!cluster_ensure_running(cluster, log, NULL, err))
        return false;
    SessionOptions options = {.conninfo = cluster_conninfo(cluster, arena, "postgres"), .log = log};
    _cleanup_session_ Session *session = NULL;
    bool complete = false;
    if (!session_open(&options, &session, err) ||
        !has_all_databases(arena, session, &complete, err))
        return false;
    if (complete)
        return true;
    /* Another start may be at it; the lock goes with the session. */
    if (!session_execute(session, "SELECT pg_advisory_lock(" MAKING_LOCK ")", err))
        return false;
    for (int env = 0; env < ENV_COUNT; env++) {
        if (!make_database(cluster, arena, session, (EnvKind)env, err))
            return error_context(err, "cannot make the database for %s", env_name((EnvKind)env));
    }
    return true;
}

bool private_cluster_write_config(Arena *arena, const Config *config, const char **path, Error *err)
{
    static const char text[] =
        "; vaxdb's configuration. `vaxdb config show` prints every setting, its value and where\n"
        "; the value comes from. \"private\" is the PostgreSQL of `vaxdb dev` on this machine;\n"
        "; for a server of your own write url = postgresql://user@host:5432/dbname and keep the\n"
        "; password in ~/.pgpass.\n"
        "\n"
        "[vaxdb]\n"
        "name = vaxtrace\n"
        "\n"
        "[development]\n"
        "url = private\n"
        "\n"
        "[staging]\n"
        "url = private\n"
        "\n"
        "[production]\n"
        "url = private\n"
        "\n"
        "[test]\n"
        "url = private\n";
    *path = NULL;
    if (config_path(config))
        return true;
    char *target = NULL;
    if (!path_absolute(arena, "vaxdb.ini", &target, err))
        return false;
    if (!file_create(target, text, strlen(text), 0600, err))
        return err->code == ERR_REFUSED; /* another start wrote it a moment ago */
    *path = target;
    return true;
}
