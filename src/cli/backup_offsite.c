/* backup push, backup pull. */
#include "backup/offsite.h"

#include "cli/backup_files.h"
#include "cli/commands.h"
#include "flows/offsite.h"

static bool print_result(Context *context, const Store *store, const OffsiteResult *result,
                         const char *verb, Error *err)
{
    const Manifest *manifest = &result->manifest;
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "file", json_text(result->path));
        (void)json_object_set_new(object, "url", json_text(store_url(store)));
        (void)json_object_set_new(object, "bytes", json_integer(manifest->packed_bytes));
        (void)json_object_set_new(object, "sha256", json_text(manifest->sha256));
        (void)json_object_set_new(object, "already", json_boolean(result->already));
        (void)json_object_set_new(object, "sent_bytes", json_integer(result->sent_bytes));
        (void)json_object_set_new(object, "reused", json_text(result->reused));
        (void)json_object_set_new(object, "seconds", json_real(result->seconds));
        return command_print_json(context, object, err);
    }
    (void)fprintf(context->out, "%s\n", result->path);
    if (result->already)
        log_info(context->log, "Nothing to do: it is in both places already (%s)",
                 store_url(store));
    else
        log_info(context->log, "%s %s %s in %.1f s",
                 str_bytes(context->arena, manifest->packed_bytes), verb, store_url(store),
                 result->seconds);
    if (result->reused)
        log_info(context->log, "%s were sent: the store had the rest, in %s",
                 str_bytes(context->arena, result->sent_bytes), result->reused);
    return true;
}

static bool run_push(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    _cleanup_store_ Store *store = NULL;
    const char *path = NULL;
    OffsiteResult result;
    if (!offsite_open(context->arena, context->log, context->config, context->env,
                      (int)options_int(context->options, "jobs"), &store, err) ||
        !backup_files_find(context, command_argument(context, 0), &path, err) ||
        !state_open(config_state_directory(context->config), &state, err) ||
        !backup_push(context->arena, context->log, state, store, path, &result, err))
        return false;
    return print_result(context, store, &result, "pushed to", err);
}

static bool run_pull(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    _cleanup_store_ Store *store = NULL;
    const char *name = command_argument(context, 0);
    OffsiteResult result;
    if (!offsite_open(context->arena, context->log, context->config, context->env, 0, &store, err))
        return false;
    if (str_equal(name, "newest") &&
        !backup_offsite_newest(context->arena, store, backup_files_env(context), &name, err))
        return false;
    if (!state_open(config_state_directory(context->config), &state, err) ||
        !backup_pull(context->arena, context->log, state, store, name,
                     backup_files_directory(context, context->env), &result, err))
        return false;
    return print_result(context, store, &result, "pulled from", err);
}

/* clang-format off */
#define OPTION_BWLIMIT                                                                             \
    {                                                                                              \
        .name = "bwlimit", .kind = OPTION_BYTES, .argument = "BYTES", .key = "backup_bwlimit",     \
        .help = "bytes a second at most, such as 200k (setting backup_bwlimit)"                    \
    }

static const OptionSpec push_options[] = {
    OPTION_BACKUP_DIR,
    OPTION_BWLIMIT,
    {.name = "jobs", .letter = 'j', .kind = OPTION_INT, .argument = "N", .fallback = "4",
     .min = 1, .max = 64, .help = "parts that are sent at once"},
    OPTION_END,
};

static const OptionSpec pull_options[] = {
    OPTION_BACKUP_DIR,
    OPTION_BWLIMIT,
    OPTION_END,
};

const Command cli_backup_offsite_commands[] = {
    {.name = "backup push", .synopsis = "[FILE]", .summary = "copy a backup to the off-site store",
     .details = "FILE is a path, the name of a backup, or newest (the default). The store is the\n"
                "setting backup_url: s3://BUCKET/PREFIX or a folder. The file is compared with its\n"
                "SHA-256 before it goes, and the manifest goes last: what is cut off never looks\n"
                "like a backup there. After a lost connection the same command continues.\n"
                "\n"
                "What the newest backup in the bucket has already is not sent: S3 puts it in place\n"
                "by itself. What is there after is one whole file like any other.\n"
                "\n"
                "Credentials of S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from\n"
                "~/.aws/credentials (setting s3_credentials); never from the command line.",
     .example = "vaxdb backup push newest               after `vaxdb backup create`",
     .options = push_options, .max_arguments = 1, .run = run_push},
    {.name = "backup pull", .synopsis = "NAME", .summary = "fetch a backup from the off-site store",
     .details = "NAME is that of a backup in the store, or newest (of -e where it is given). It\n"
                "appears in the folder of backups when it is whole and its SHA-256 is right.",
     .example = "vaxdb backup pull newest -e production   onto a new machine, to restore it",
     .options = pull_options, .min_arguments = 1, .max_arguments = 1, .run = run_pull},
    COMMAND_END,
};
/* clang-format on */
