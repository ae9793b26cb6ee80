#include "base/str.h"
#include "cli/commands.h"
#include "pool/size.h"

/* clang-format off */
static const OptionSpec size_options[] = {
    {.name = "cores", .kind = OPTION_INT, .argument = "N", .min = 1, .max = POOL_CORES_MAX,
     .help = "CPU cores of the database server; without it those of this machine"},
    {.name = "spindles", .kind = OPTION_INT, .argument = "N", .min = 0, .max = POOL_SPINDLES_MAX,
     .help = "its disks that turn, 0 for SSDs; without it those of this machine"},
    {.name = "instances", .kind = OPTION_INT, .argument = "N", .key = "pool_instances",
     .fallback = "1", .min = 1, .max = POOL_INSTANCES_MAX,
     .help = "instances of the application, each with a pool of its own"},
    OPTION_END,
};
/* clang-format on */

typedef struct {
    Machine machine;
    PoolSizeInput input;
    PoolSize size;
    bool cores_guessed;
    PoolServer server;
    bool server_known;
    StrList notes;
} Sizing;

/* max and min of one environment's pool: the guide's, and where it matters the formula's. */
static void pool_of(const Context *context, const Sizing *sizing, EnvKind env, int64_t *max,
                    int64_t *min)
{
    *max = config_int(context->config, env, "pool_max");
    *min = config_int(context->config, env, "pool_min");
    if (env == ENV_PRODUCTION || env == ENV_STAGING)
        *max = sizing->size.formula_result < *max ? sizing->size.formula_result : *max;
    if (*min > *max)
        *min = *max;
}

/* The server is asked where a database was named; one that is not there is only told, because the
 * formula does not need it, unless the cores were to come from it. */
static bool ask_server(Context *context, Sizing *sizing, Error *err)
{
    bool is_named = command_url(context) || config_text(context->config, context->env, "url");
    if (!is_named && context->env != ENV_STAGING && context->env != ENV_PRODUCTION) {
        str_list_add(&sizing->notes, "no database is named (-e or --url): the server's"
                                     " max_connections was not looked at");
        return true;
    }
    _cleanup_state_ State *state = NULL;
    _cleanup_session_ Session *session = NULL;
    Target target;
    Error failure = {0};
    if (command_connect(context, &state, &target, &session, &failure) &&
        pool_server_read(session, &sizing->server, &failure)) {
        sizing->server_known = true;
        return true;
    }
    if (failure.code == ERR_INTERRUPTED || sizing->cores_guessed) {
        *err = failure;
        if (failure.code == ERR_UNREACHABLE)
            (void)error_hint(err, "a pool is sized without the server too: --cores N --spindles N");
        return false;
    }
    str_list_addf(&sizing->notes, "the server was not looked at: %s", failure.message);
    return true;
}

static void add_notes(Sizing *sizing)
{
    if (sizing->server_known && !sizing->server.local && sizing->cores_guessed)
        str_list_add(&sizing->notes, "the server runs on another machine, whose cores count:"
                                     " give them with --cores");
    if (sizing->size.capped)
        str_list_addf(&sizing->notes,
                      "the formula gives %lld; a pool of more than %d only makes"
                      " connections wait on each other",
                      (long long)sizing->size.formula_result, POOL_PRODUCTION_CAP);
    if (sizing->server_known && sizing->size.total > sizing->server.usable)
        str_list_addf(&sizing->notes,
                      "the server has room for %lld: use fewer instances, a pooler in"
                      " front of it, or raise max_connections to at least %lld",
                      (long long)sizing->server.usable,
                      (long long)(sizing->size.total + sizing->server.max_connections -
                                  sizing->server.usable));
}

static json_t *settings_json(const Context *context, const Sizing *sizing)
{
    json_t *settings = json_object();
    for (int i = 0; i < ENV_COUNT; i++) {
        EnvKind env = (EnvKind)i;
        int64_t max, min;
        pool_of(context, sizing, env, &max, &min);
        (void)json_object_set_new(
            settings, env_name(env),
            json_pack("{s:I, s:I, s:I, s:I}", "max", (json_int_t)max, "min", (json_int_t)min,
                      "idleTimeoutMillis",
                      (json_int_t)config_int(context->config, env, "pool_idle_timeout"),
                      "connectionTimeoutMillis",
                      (json_int_t)config_int(context->config, env, "pool_connect_timeout")));
    }
    return settings;
}

static bool print_json(Context *context, const Sizing *sizing, Error *err)
{
    const PoolServer *server = &sizing->server;
    json_t *notes = json_array();
    for (size_t i = 0; i < sizing->notes.count; i++)
        (void)json_array_append_new(notes, json_text(sizing->notes.items[i]));
    json_t *object =
        json_pack("{s:I, s:I, s:s, s:b, s:I, s:I, s:I}", "per_instance",
                  (json_int_t)sizing->size.per_instance, "total", (json_int_t)sizing->size.total,
                  "formula", sizing->size.formula, "capped", sizing->size.capped, "cores",
                  (json_int_t)sizing->input.cores, "spindles", (json_int_t)sizing->input.spindles,
                  "instances", (json_int_t)sizing->input.instances);
    bool known = sizing->server_known;
    (void)json_object_set_new(object, "max_connections",
                              known ? json_integer(server->max_connections) : json_null());
    (void)json_object_set_new(object, "usable_connections",
                              known ? json_integer(server->usable) : json_null());
    (void)json_object_set_new(
        object, "fits", known ? json_boolean(sizing->size.total <= server->usable) : json_null());
    (void)json_object_set_new(object, "settings", settings_json(context, sizing));
    (void)json_object_set_new(object, "notes", notes);
    return command_print_json(context, object, err);
}

static void print_settings(Context *context, const Sizing *sizing)
{
    FILE *out = context->out;
    (void)fputs("\nTo paste for node-postgres (backend/src/config/database.config.ts):\n\n"
                "const connectionPoolConfigs = {\n",
                out);
    for (int i = 0; i < ENV_COUNT; i++) {
        EnvKind env = (EnvKind)i;
        int64_t max, min;
        pool_of(context, sizing, env, &max, &min);
        (void)fprintf(out,
                      "  %s: {\n"
                      "    max: %lld,\n"
                      "    min: %lld,\n"
                      "    idleTimeoutMillis: %lld,\n"
                      "    connectionTimeoutMillis: %lld,\n"
                      "  },\n",
                      env_name(env), (long long)max, (long long)min,
                      (long long)config_int(context->config, env, "pool_idle_timeout"),
                      (long long)config_int(context->config, env, "pool_connect_timeout"));
    }
    (void)fputs("};\n", out);
}

static void print_text(Context *context, const Sizing *sizing)
{
    FILE *out = context->out;
    const PoolServer *server = &sizing->server;
    (void)fprintf(out, "%s\n\n", sizing->size.formula);
    (void)fprintf(out, "Per instance   %lld\n", (long long)sizing->size.per_instance);
    (void)fprintf(out, "Instances      %lld\n", (long long)sizing->input.instances);
    (void)fprintf(out, "Total          %lld\n\n", (long long)sizing->size.total);
    (void)fprintf(out, "Cores          %s\n", sizing->machine.cores_from);
    (void)fprintf(out, "Disks          %s\n", sizing->machine.spindles_from);
    if (sizing->server_known)
        (void)fprintf(out, "Server         %lld of %lld connections are usable, %lld in use: %s\n",
                      (long long)server->usable, (long long)server->max_connections,
                      (long long)server->in_use,
                      sizing->size.total <= server->usable ? "it fits" : "it does not fit");
    for (size_t i = 0; i < sizing->notes.count; i++)
        log_info(context->log, "Note: %s", sizing->notes.items[i]);
    print_settings(context, sizing);
}

static bool run_size(Context *context, Error *err)
{
    const Options *options = context->options;
    Sizing sizing = {.cores_guessed = !options_given(options, "cores")};
    str_list_init(&sizing.notes, context->arena);
    machine_detect(context->arena, "/sys", &sizing.machine);
    sizing.input = (PoolSizeInput){
        .cores = sizing.machine.cores,
        .spindles = sizing.machine.spindles,
        .instances = config_int(context->config, context->env, "pool_instances"),
    };
    if (!sizing.cores_guessed) {
        sizing.input.cores = options_int(options, "cores");
        sizing.machine.cores_from =
            arena_printf(context->arena, "as given: %lld", (long long)sizing.input.cores);
        sizing.input.spindles = 0; /* Those of this machine say nothing about another. */
        sizing.machine.spindles_from = "taken for SSDs: no spindle";
    }
    if (options_given(options, "spindles")) {
        sizing.input.spindles = options_int(options, "spindles");
        sizing.machine.spindles_from = arena_printf(context->arena, "spindles as given: %lld",
                                                    (long long)sizing.input.spindles);
    }
    if (context->env == ENV_PRODUCTION || context->env == ENV_STAGING)
        sizing.input.cap = POOL_PRODUCTION_CAP;
    pool_size_compute(context->arena, &sizing.input, &sizing.size);
    if (!ask_server(context, &sizing, err))
        return false;
    add_notes(&sizing);
    if (context->json)
        return print_json(context, &sizing, err);
    print_text(context, &sizing);
    return true;
}

/* clang-format off */
const Command cli_pool_commands[] = {
    {.name = "pool size", .synopsis = "",
     .summary = "how many connections an application should hold",
     .details = "connections = (cores x 2) + spindles, for each instance of the application; cores and "
                "turning disks are the database server's. Without --cores they are looked up on this "
                "machine. The result is held against the server's max_connections, less what is "
                "reserved for superusers, and never exceeds 50 an instance in staging and production.",
     .example = "vaxdb pool size --cores 8 --instances 3     3 instances on SSDs: 48",
     .options = size_options, .min_arguments = 0, .max_arguments = 0, .run = run_size},
    COMMAND_END,
};
/* clang-format on */
