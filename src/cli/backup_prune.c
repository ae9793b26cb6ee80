/* `vaxdb backup prune`: which backups go, and why each stays. */
#include "backup/backup.h"
#include "base/table.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "flows/offsite.h"

static void add_prune_row(const Context *context, const PruneRow *row, Table *table,
                          json_t *removed, json_t *kept)
{
    const char *verb = !row->remove ? "keep" : context->dry_run ? "would delete" : "deleted";
    table_row(table, (const char *[]){row->entry->manifest.file, verb, row->reason});
    json_t *object = json_object();
    (void)json_object_set_new(object, "file", json_text(row->entry->manifest.file));
    (void)json_object_set_new(object, "path", json_text(row->entry->path));
    (void)json_object_set_new(object, "reason", json_text(row->reason));
    (void)json_object_set_new(object, "verified", json_boolean(row->verified));
    (void)json_array_append_new(row->remove ? removed : kept, object);
}

/* An environment without a store has nothing there, unless it is the one that is meant. */
static bool prune_store(Context *context, State *state, EnvKind env, const RetentionPolicy *policy,
                        PruneRow **rows, size_t *count, Error *err)
{
    _cleanup_store_ Store *store = NULL;
    *count = 0;
    if (!backup_files_env(context) && !offsite_url(context->arena, context->config, env))
        return true;
    return offsite_open(context->arena, context->log, context->config, env, 0, &store, err) &&
           backup_prune_offsite(context->arena, state, store, env_name(env), policy,
                                context->dry_run, rows, count, err);
}

static bool prune_environment(Context *context, State *state, EnvKind env, Table *table,
                              json_t *removed, json_t *kept, Error *err)
{
    PruneRow *rows = NULL;
    size_t count = 0;
    const RetentionPolicy policy = {
        .days = config_int(context->config, env, "retention_days"),
        .keep_min = config_int(context->config, env, "retention_keep_min"),
        .daily = config_int(context->config, env, "keep_daily"),
        .weekly = config_int(context->config, env, "keep_weekly"),
        .monthly = config_int(context->config, env, "keep_monthly"),
        .yearly = config_int(context->config, env, "keep_yearly"),
    };
    bool pruned = options_flag(context->options, "off-site")
                      ? prune_store(context, state, env, &policy, &rows, &count, err)
                      : backup_prune(context->arena, context->log, state,
                                     backup_files_directory(context, env), env_name(env), &policy,
                                     context->dry_run, &rows, &count, err);
    if (!pruned)
        return false;
    for (size_t i = 0; i < count; i++)
        add_prune_row(context, &rows[i], table, removed, kept);
    return true;
}

static bool run_prune(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    _cleanup_json_ json_t *removed = json_array();
    _cleanup_json_ json_t *kept = json_array();
    Table *table = table_create(context->arena);
    table_column(table, "File", TABLE_LEFT);
    table_column(table, "", TABLE_LEFT);
    table_column(table, "Because", TABLE_LEFT);
    if (!state_open(config_state_directory(context->config), &state, err))
        return false;
    for (int env = 0; env < ENV_COUNT; env++) {
        if (backup_files_env(context) && context->env != (EnvKind)env)
            continue;
        if (!prune_environment(context, state, (EnvKind)env, table, removed, kept, err))
            return false;
    }
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set(object, "removed", removed);
        (void)json_object_set(object, "kept", kept);
        (void)json_object_set_new(object, "dry_run", json_boolean(context->dry_run));
        return command_print_json(context, object, err);
    }
    if (table_rows(table))
        table_print(table, context->out, table_terminal_width(context->out));
    else
        log_info(context->log, "There are no backups to prune.");
    return true;
}

/* clang-format off */
static const OptionSpec prune_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "off-site", .kind = OPTION_FLAG,
     .help = "prune the off-site store instead of the folder"},
    {.name = "keep-days", .kind = OPTION_INT, .argument = "DAYS", .key = "retention_days",
     .min = 1, .max = 36500, .help = "days that backups are kept (setting retention_days)"},
    {.name = "keep-min", .kind = OPTION_INT, .argument = "N", .key = "retention_keep_min",
     .min = 1, .max = 10000,
     .help = "verified backups that are kept whatever their age (retention_keep_min)"},
    {.name = "keep-daily", .kind = OPTION_INT, .argument = "N", .key = "keep_daily",
     .max = 36500, .help = "days of which the last one is kept (keep_daily)"},
    {.name = "keep-weekly", .kind = OPTION_INT, .argument = "N", .key = "keep_weekly",
     .max = 5200, .help = "weeks of which the last one is kept (keep_weekly)"},
    {.name = "keep-monthly", .kind = OPTION_INT, .argument = "N", .key = "keep_monthly",
     .max = 1200, .help = "months of which the last one is kept (keep_monthly)"},
    {.name = "keep-yearly", .kind = OPTION_INT, .argument = "N", .key = "keep_yearly",
     .max = 100, .help = "years of which the last one is kept (keep_yearly)"},
    OPTION_END,
};

const Command cli_backup_prune_commands[] = {
    {.name = "backup prune", .synopsis = "", .summary = "delete backups that nothing keeps any more",
     .details = "A backup stays while it is at most retention_days old, while fewer than\n"
                "retention_keep_min verified ones are newer, and while it is the last verified\n"
                "one of a day, week, month or year that keep_daily, keep_weekly, keep_monthly or\n"
                "keep_yearly keeps: of so many that are over, and of the one that is running (UTC,\n"
                "by when the backup was finished). Health records are kept 7 years, and so is\n"
                "each year's last backup.\n\n"
                "The newest verified one and the one drilled last never go, nor those made before\n"
                "a migration or a rollback for 7 days; nothing does while a manifest cannot be\n"
                "read. Before others go the newest verified one is hashed again: one that is\n"
                "damaged since makes nothing go.\n\n"
                "With --off-site the same rules hold for the store (backup_url): one there counts\n"
                "when all of its bytes are there. What was never verified on this machine stays.",
     .example = "vaxdb backup prune --dry-run           what would be deleted, and why",
     .options = prune_options, .honours_dry_run = true, .run = run_prune},
    COMMAND_END,
};
/* clang-format on */
