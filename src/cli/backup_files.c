#include "cli/backup_files.h"

#include "backup/backup.h"
#include "base/file.h"

const char *backup_files_directory(const Context *context, EnvKind env)
{
    const char *directory = config_text(context->config, env, "backup_dir");
    return directory
               ? directory
               : path_join(context->arena, config_state_directory(context->config), "backups");
}

const char *backup_files_env(const Context *context)
{
    return options_given(context->options, "env") ? env_name(context->env) : NULL;
}

static void list_directories(const Context *context, bool every_env, StrList *directories)
{
    str_list_init(directories, context->arena);
    for (int env = 0; env < ENV_COUNT; env++) {
        if (!every_env && backup_files_env(context) && context->env != (EnvKind)env)
            continue;
        const char *directory = backup_files_directory(context, (EnvKind)env);
        if (!str_list_has(directories, directory))
            str_list_add(directories, directory);
    }
}

void backup_files_directories(const Context *context, StrList *directories)
{
    list_directories(context, false, directories);
}

/* The newest over all folders. */
static bool find_newest(const Context *context, const StrList *directories, const char **path,
                        Error *err)
{
    int64_t newest = -1;
    for (size_t i = 0; i < directories->count; i++) {
        BackupList list;
        if (!backup_list(context->arena, directories->items[i], &list, err))
            return false;
        for (size_t j = 0; j < list.count; j++) {
            const char *env = backup_files_env(context);
            if ((env && !str_equal(env, list.items[j].manifest.env)) ||
                list.items[j].manifest.snapshot_at <= newest)
                continue;
            newest = list.items[j].manifest.snapshot_at;
            *path = list.items[j].path;
        }
    }
    if (newest >= 0)
        return true;
    const char *env = backup_files_env(context);
    (void)error_set(err, ERR_USAGE, "there is no backup%s%s in %s", env ? " of " : "",
                    env ? env : "", str_list_join(directories, context->arena, ", "));
    return error_hint(err, "make one: vaxdb backup create -e %s", env ? env : "production");
}

static bool find_in(const Context *context, const StrList *directories, const char *wanted,
                    const char **path, Error *err)
{
    for (size_t i = 0; i < directories->count; i++) {
        if (backup_find(context->arena, directories->items[i], wanted, path, err))
            return true;
    }
    return false;
}

bool backup_files_find(const Context *context, const char *wanted, const char **path, Error *err)
{
    StrList directories;
    backup_files_directories(context, &directories);
    if (!wanted || str_equal(wanted, "newest"))
        return find_newest(context, &directories, path, err);
    return find_in(context, &directories, wanted, path, err);
}

bool backup_files_find_named(const Context *context, const char *wanted, const char **path,
                             Error *err)
{
    StrList directories;
    list_directories(context, true, &directories);
    return find_in(context, &directories, wanted, path, err);
}

BackupKeys *backup_files_keys(const Context *context, EnvKind env)
{
    BackupKeys **keys = &context->keys->of[env];
    const Config *config = context->config;
    const BackupKeysSpec spec = {
        .log = context->log,
        .state_directory = config_state_directory(config),
        .recipients = config_text(config, env, "backup_recipient"),
        .identity_file = config_text(config, env, "backup_identity"),
        .passphrase_file = config_text(config, env, "backup_passphrase_file"),
        .passphrase = context->keys->passphrase,
    };
    if (!*keys)
        *keys = backup_keys_create(&spec);
    return *keys;
}
