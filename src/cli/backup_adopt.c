/* `vaxdb backup adopt`: dumps that other scripts made. */
#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "flows/private_cluster.h"
#include "pg/conninfo.h"

/* Which database the dumps are of: --database, else what the configuration says. Asks no server. */
static bool find_database(const Context *context, const char **database, Error *err)
{
    const char *url = command_url(context);
    *database = options_text(context->options, "database");
    if (*database)
        return true;
    if (!url)
        url = config_text(context->config, context->env, "url");
    if (url && !str_equal(url, PRIVATE_CLUSTER_URL))
        return conninfo_database(context->arena, url, database, err);
    *database = private_cluster_database(context->arena, context->env);
    return true;
}

static bool adopt_one(Context *context, State *state, AdoptSpec *spec, const char *file,
                      json_t *adopted, Error *err)
{
    BackupResult result;
    char *path = NULL;
    if (!path_absolute(context->arena, file, &path, err))
        return false;
    spec->path = path;
    if (!file_exists(path)) {
        (void)error_set(err, ERR_USAGE, "there is no file %s", file);
        return error_hint(err, "name the .sql.gz files that are to join the catalogue");
    }
    if (!backup_adopt(context->arena, context->log, state, spec, &result, err))
        return false;
    const Manifest *manifest = &result.manifest;
    const char *moment = clock_iso_utc(context->arena, manifest->snapshot_at);
    json_t *object = json_object();
    (void)json_object_set_new(object, "file", json_text(result.path));
    (void)json_object_set_new(object, "snapshot_at", json_text(moment));
    (void)json_object_set_new(object, "tables", json_integer((json_int_t)manifest->table_count));
    (void)json_object_set_new(object, "rows", json_integer(manifest_rows(manifest)));
    (void)json_object_set_new(object, "bytes", json_integer(manifest->packed_bytes));
    (void)json_array_append_new(adopted, object);
    if (!context->json)
        (void)fprintf(context->out, "%s\n", result.path);
    log_info(context->log, "Adopted %s: of %s, %s rows of %zu tables", path_basename(path), moment,
             str_count(context->arena, manifest_rows(manifest)), manifest->table_count);
    return true;
}

/* One that is bad does not keep the others out; the exit status is that of the first. */
static bool run_adopt(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    _cleanup_json_ json_t *adopted = json_array();
    _cleanup_json_ json_t *failed = json_array();
    Error first = {0};
    AdoptSpec spec = {.directory = backup_files_directory(context, context->env),
                      .name = config_text(context->config, context->env, "name"),
                      .env = env_name(context->env)};
    if (!find_database(context, &spec.database, err) ||
        !state_open(config_state_directory(context->config), &state, err))
        return false;
    for (size_t i = 0; command_argument(context, i); i++) {
        const char *file = command_argument(context, i);
        Error error = {0};
        if (adopt_one(context, state, &spec, file, adopted, &error))
            continue;
        json_t *object = json_object();
        (void)json_object_set_new(object, "file", json_text(file));
        (void)json_object_set_new(object, "error", json_text(error.message));
        (void)json_array_append_new(failed, object);
        if (!first.code)
            first = error;
        else
            log_warn(context->log, "%s", error.message);
        if (error.code == ERR_INTERRUPTED)
            break;
    }
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set(object, "adopted", adopted);
        (void)json_object_set(object, "failed", failed);
        if (!command_print_json(context, object, err))
            return false;
    }
    if (first.code)
        *err = first;
    return !first.code;
}

/* clang-format off */
static const OptionSpec adopt_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "database", .kind = OPTION_TEXT, .argument = "NAME",
     .help = "the database that the dumps are of; without it that of -e"},
    OPTION_END,
};

const Command cli_backup_adopt_commands[] = {
    {.name = "backup adopt", .synopsis = "FILE...", .summary = "take in dumps that other scripts made",
     .details = "FILE is a .sql.gz of pg_dump (plain format). It is verified: inflated, its rows\n"
                "counted, its end looked for. One that is whole is linked into the folder of\n"
                "backups and gets a manifest that says what is in it and that it was adopted; from\n"
                "then on it is listed, restored, drilled and pruned as the others are. A damaged\n"
                "one exits 4 and stays what it was.\n\n"
                "It counts as made at the time in its name (YYYYMMDD-HHMMSS, UTC), else at the time\n"
                "of the file. It never makes one go that vaxdb made.",
     .example = "vaxdb backup adopt -e production /var/backups/*.sql.gz   the old script's",
     .options = adopt_options, .min_arguments = 1, .max_arguments = -1, .run = run_adopt},
    COMMAND_END,
};
/* clang-format on */
