#include "base/file.h"
#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "flows/private_cluster.h"

static const char *state_word(ClusterState state)
{
    switch (state) {
    case CLUSTER_ABSENT:
        return "absent";
    case CLUSTER_STOPPED:
        return "stopped";
    case CLUSTER_RUNNING:
        return "running";
    case CLUSTER_OTHER_VERSION:
        return "other version";
    }
    return "?";
}

static json_t *describe_json(const Context *context, const Cluster *cluster)
{
    ClusterState state = cluster_state(cluster);
    json_t *object = json_object();
    (void)json_object_set_new(object, "state", json_text(state_word(state)));
    (void)json_object_set_new(object, "directory", json_text(cluster->directory));
    (void)json_object_set_new(object, "bindir", json_text(cluster->bindir));
    (void)json_object_set_new(object, "port",
                              cluster->port ? json_integer(cluster->port) : json_null());
    (void)json_object_set_new(object, "socket_directory", json_text(cluster->socket_directory));
    (void)json_object_set_new(object, "log", json_text(cluster->log_path));
    (void)json_object_set_new(object, "user", json_text(cluster->user_name));
    json_t *databases = json_object();
    for (int env = 0; env < ENV_COUNT; env++)
        (void)json_object_set_new(
            databases, env_name((EnvKind)env),
            json_text(private_cluster_database(context->arena, (EnvKind)env)));
    (void)json_object_set_new(object, "databases", databases);
    return object;
}

static void print_cluster(const Context *context, const Cluster *cluster)
{
    FILE *out = context->out;
    ClusterState state = cluster_state(cluster);
    (void)fprintf(out, "Private PostgreSQL: %s\n", state_word(state));
    (void)fprintf(out, "  directory  %s\n  server     %s (runs as user %s)\n", cluster->directory,
                  cluster->bindir, cluster->user_name);
    if (state != CLUSTER_RUNNING)
        return;
    (void)fprintf(out, "  address    127.0.0.1:%d and %s\n  log        %s\n", cluster->port,
                  cluster->socket_directory, cluster->log_path);
    for (int env = 0; env < ENV_COUNT; env++)
        (void)fprintf(out, "  %-11s %s\n", env_name((EnvKind)env),
                      private_cluster_database(context->arena, (EnvKind)env));
}

static bool run_start(Context *context, Error *err)
{
    Cluster cluster;
    const char *written = NULL;
    if (!private_cluster_open(context->arena, context->config, &cluster, err))
        return false;
    if (cluster_state(&cluster) == CLUSTER_ABSENT)
        log_info(context->log, "Creating a private PostgreSQL in %s", cluster.directory);
    if (!private_cluster_start(context->arena, context->log, &cluster, err) ||
        !private_cluster_write_config(context->arena, context->config, &written, err))
        return false;
    if (written)
        log_info(context->log, "Wrote %s: the four databases are named in it", written);
    if (context->json) {
        json_t *object = describe_json(context, &cluster);
        (void)json_object_set_new(object, "config_written", json_text(written));
        return command_print_json(context, object, err);
    }
    print_cluster(context, &cluster);
    log_info(context->log, "Next: vaxdb migrate up, then vaxdb dev load --rows 100000");
    return true;
}

static bool run_stop(Context *context, Error *err)
{
    Cluster cluster;
    if (!private_cluster_open(context->arena, context->config, &cluster, err))
        return false;
    bool was_running = cluster_state(&cluster) == CLUSTER_RUNNING;
    if (!cluster_stop(&cluster, err))
        return false;
    if (context->json)
        return command_print_json(context, describe_json(context, &cluster), err);
    (void)fprintf(context->out, "%s\n",
                  was_running ? "Stopped the private PostgreSQL; its data stays."
                              : "The private PostgreSQL was not running.");
    return true;
}

static bool run_status(Context *context, Error *err)
{
    Cluster cluster;
    if (!private_cluster_open(context->arena, context->config, &cluster, err))
        return false;
    if (context->json)
        return command_print_json(context, describe_json(context, &cluster), err);
    print_cluster(context, &cluster);
    if (cluster_state(&cluster) != CLUSTER_RUNNING)
        log_info(context->log, "Next: vaxdb dev start");
    return true;
}

static bool run_reset(Context *context, Error *err)
{
    Cluster cluster;
    if (!private_cluster_open(context->arena, context->config, &cluster, err))
        return false;
    if (context->dry_run) {
        (void)fprintf(context->out, "would stop the private PostgreSQL and delete %s\n",
                      cluster.directory);
        return true;
    }
    if (cluster_state(&cluster) != CLUSTER_ABSENT &&
        !log_confirm(context->log, err,
                     "Delete the private PostgreSQL in %s with all its databases?",
                     cluster.directory))
        return false;
    if (!cluster_remove(&cluster, err) ||
        !private_cluster_open(context->arena, context->config, &cluster, err) ||
        !private_cluster_start(context->arena, context->log, &cluster, err))
        return false;
    if (context->json)
        return command_print_json(context, describe_json(context, &cluster), err);
    (void)fprintf(context->out, "A new private PostgreSQL runs in %s.\n", cluster.directory);
    return true;
}

static bool run_url(Context *context, Error *err)
{
    Cluster cluster;
    if (!private_cluster_open(context->arena, context->config, &cluster, err))
        return false;
    if (cluster_state(&cluster) != CLUSTER_RUNNING) {
        (void)error_set(err, ERR_UNREACHABLE, "the private PostgreSQL is not running");
        return error_hint(err, "vaxdb dev start");
    }
    const char *database = private_cluster_database(context->arena, context->env);
    const char *url = cluster_url(&cluster, context->arena, database, true);
    if (context->json)
        return command_print_json(context, json_pack("{s:s}", "url", url), err);
    (void)fprintf(context->out, "%s\n", url);
    return true;
}

const Command cli_dev_commands[] = {
    {.name = "dev start",
     .synopsis = "",
     .summary = "create (once) and start the private PostgreSQL",
     .details = "It lives under the state directory, listens on 127.0.0.1 and a Unix socket only, "
                "and has a database for each environment. Where no vaxdb.ini is in force, one that "
                "names them is written into the working directory.",
     .example = "vaxdb dev start",
     .run = run_start},
    {.name = "dev stop",
     .synopsis = "",
     .summary = "stop it; its data stays",
     .example = "vaxdb dev stop",
     .run = run_stop},
    {.name = "dev status",
     .synopsis = "",
     .summary = "whether it runs, where, and its databases",
     .example = "vaxdb dev status --json",
     .run = run_status},
    {.name = "dev reset",
     .synopsis = "",
     .summary = "delete it with all its data and start a new one; asks first",
     .example = "vaxdb dev reset -y",
     .honours_dry_run = true,
     .run = run_reset},
    {.name = "dev url",
     .synopsis = "",
     .summary = "print the URL of an environment's database, with its password",
     .example = "psql \"$(vaxdb dev url -e staging)\"",
     .run = run_url},
    COMMAND_END,
};
