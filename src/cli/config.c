#include "base/file.h"
#include "base/table.h"
#include "cli/commands.h"

static const char template_text[] =
    "; vaxdb's configuration. `vaxdb config show` prints every setting, its value and where\n"
    "; the value comes from. Passwords belong into ~/.pgpass, not here.\n"
    "\n"
    "[vaxdb]\n"
    "; prefix of backup files: NAME-ENV-YYYYMMDD-HHMMSS.sql.gz\n"
    "name = vaxtrace\n"
    "; timezone = Africa/Lagos\n"
    "; migrations = backend/database/migrations\n"
    "; queries_dir = backend/database/queries\n"
    "; backup_dir = /var/backups/vaxtrace\n"
    "; retention_days = 30\n"
    "\n"
    "; Without a url, development and test are databases of the private PostgreSQL of `vaxdb "
    "dev`.\n"
    "[development]\n"
    "url = private\n"
    "\n"
    "[test]\n"
    "url = private\n"
    "\n"
    "[staging]\n"
    "; url = postgresql://vaxtrace@staging.example/vaxtrace\n"
    "\n"
    "[production]\n"
    "; url = postgresql://vaxtrace@db.example/vaxtrace\n";

static bool run_init(Context *context, Error *err)
{
    const char *given = options_text(context->options, "config");
    char *path = NULL;
    if (!path_absolute(context->arena, given ? given : "vaxdb.ini", &path, err))
        return false;
    if (context->dry_run) {
        (void)fprintf(context->out, "; would write %s\n%s", path, template_text);
        return true;
    }
    if (!file_create(path, template_text, strlen(template_text), 0600, err)) {
        if (err->code == ERR_REFUSED)
            return error_hint(err, "it is there already and was left as it is; `vaxdb config show` "
                                   "prints what it says");
        return false;
    }
    if (context->json)
        return command_print_json(context, json_pack("{s:s}", "file", path), err);
    (void)fprintf(context->out, "Wrote %s\n", path);
    log_info(context->log, "Next: put the url of each environment into it, then `vaxdb config show "
                           "-e production`");
    return true;
}

/* A password inside a URL or key=value string is shown as ****. */
static const char *hide_password(Arena *arena, const char *value)
{
    char *copy = arena_strdup(arena, value);
    char *scheme = strstr(copy, "://");
    char *at = scheme ? strchr(scheme, '@') : NULL;
    char *colon = scheme ? strchr(scheme + 3, ':') : NULL;
    if (at && colon && colon < at) {
        *colon = '\0';
        return arena_printf(arena, "%s:****%s", copy, at);
    }
    char *word = strstr(copy, "password=");
    if (!word)
        return value;
    char *secret = word + strlen("password=");
    size_t length = *secret == '\'' ? strcspn(secret + 1, "'") + 2 : strcspn(secret, " &");
    const char *rest = strlen(secret) >= length ? secret + length : "";
    *secret = '\0';
    return arena_printf(arena, "%s****%s", copy, rest);
}

static bool show_json(Context *context, Error *err)
{
    json_t *settings = json_array();
    for (const OptionSpec *spec = config_settings; spec->key; spec++) {
        const char *value = config_text(context->config, context->env, spec->key);
        json_t *row = json_object();
        (void)json_object_set_new(row, "key", json_text(spec->key));
        (void)json_object_set_new(row, "value",
                                  json_text(value ? hide_password(context->arena, value) : NULL));
        (void)json_object_set_new(
            row, "source", json_text(config_source(context->config, context->env, spec->key)));
        (void)json_array_append_new(settings, row);
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "env", json_text(env_name(context->env)));
    (void)json_object_set_new(object, "file", json_text(config_path(context->config)));
    (void)json_object_set_new(object, "state_directory",
                              json_text(config_state_directory(context->config)));
    (void)json_object_set_new(object, "settings", settings);
    return command_print_json(context, object, err);
}

static bool run_show(Context *context, Error *err)
{
    if (context->json)
        return show_json(context, err);
    const char *path = config_path(context->config);
    (void)fprintf(context->out, "Environment:   %s\nConfiguration: %s\nState:         %s\n\n",
                  env_name(context->env), path ? path : "none (vaxdb init writes one)",
                  config_state_directory(context->config));
    Table *table = table_create(context->arena);
    table_column(table, "Setting", TABLE_LEFT);
    table_column(table, "Value", TABLE_LEFT);
    table_column(table, "From", TABLE_LEFT);
    for (const OptionSpec *spec = config_settings; spec->key; spec++) {
        const char *value = config_text(context->config, context->env, spec->key);
        table_row(table,
                  (const char *[]){spec->key, value ? hide_password(context->arena, value) : NULL,
                                   config_source(context->config, context->env, spec->key)});
    }
    table_print(table, context->out, table_terminal_width(context->out));
    return true;
}

const Command cli_config_commands[] = {
    {.name = "init",
     .synopsis = "",
     .summary = "write a vaxdb.ini with comments into the working directory",
     .details = "An existing file is never changed. For a private PostgreSQL on this machine, "
                "`vaxdb dev start` writes the file and fills it.",
     .example = "vaxdb init",
     .honours_dry_run = true,
     .run = run_init},
    {.name = "config show",
     .synopsis = "",
     .summary = "every setting of an environment, its value and where it comes from",
     .details = "Settings are looked for in this order: flag, environment variable, the "
                "environment's section of the file, its [vaxdb] section, the default. The file is "
                "the one of --config, $VAXDB_CONFIG, ./vaxdb.ini, "
                "$XDG_CONFIG_HOME/vaxdb/vaxdb.ini or /etc/vaxdb/vaxdb.ini.",
     .example = "vaxdb config show -e production",
     .run = run_show},
    COMMAND_END,
};
