/* `vaxdb backup verify`: reads a backup, and from level 3 on restores it on trial. */
#include "backup/backup.h"
#include "base/file.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "cli/drilling.h"

static json_t *list_json(const StrList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_text(list->items[i]));
    return array;
}

/* trial NULL: it was only read. */
static json_t *report_json(const char *path, const VerifyReport *report, const DrillReport *trial)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "file", json_text(path));
    (void)json_object_set_new(object, "ok", json_boolean(report->ok));
    (void)json_object_set_new(object, "level", json_integer(report->level));
    (void)json_object_set_new(object, "errors", list_json(&report->errors));
    (void)json_object_set_new(object, "notes", list_json(&report->notes));
    (void)json_object_set_new(object, "manifest", json_boolean(report->has_manifest));
    (void)json_object_set_new(object, "bytes", json_integer(report->packed_bytes));
    if (report->level >= VERIFY_HASH)
        (void)json_object_set_new(object, "sha256", json_text(report->sha256));
    if (report->level >= VERIFY_CONTENT) {
        (void)json_object_set_new(object, "raw_bytes", json_integer(report->raw_bytes));
        (void)json_object_set_new(object, "tables", json_integer((int64_t)report->tables));
        (void)json_object_set_new(object, "rows", json_integer(report->rows));
    }
    if (trial)
        (void)json_object_set_new(object, "trial", drill_report_json(trial));
    return object;
}

static bool verify(Context *context, const char *path, VerifyLevel level, VerifyReport *report,
                   DrillReport *trial, Error *err)
{
    _cleanup_state_ State *state = NULL;
    if (!state_open(config_state_directory(context->config), &state, err))
        return false;
    if (level < VERIFY_RESTORE)
        return backup_verify_with(context->arena, context->log, state, path, level,
                                  backup_files_keys(context, context->env), report, err);
    DrillSpec spec = drilling_spec(context, path);
    return drill_verify(context->arena, context->log, state, &spec, level, report, trial, err);
}

static void print_good(const Context *context, const char *path, const VerifyReport *report)
{
    (void)fprintf(context->out, "%s: good (level %d", path_basename(path), (int)report->level);
    if (report->level >= VERIFY_CONTENT)
        (void)fprintf(context->out, ": %s rows of %zu tables in %s",
                      str_count(context->arena, report->rows), report->tables,
                      str_bytes(context->arena, report->raw_bytes));
    (void)fprintf(context->out, "%s)\n", report->level >= VERIFY_RESTORE ? ", restored" : "");
}

static bool run_verify(Context *context, Error *err)
{
    const char *path = NULL;
    VerifyReport report;
    DrillReport trial;
    VerifyLevel level = (VerifyLevel)options_int(context->options, "level");
    bool restores = level >= VERIFY_RESTORE;
    if (!backup_files_find(context, command_argument(context, 0), &path, err) ||
        !verify(context, path, level, &report, &trial, err))
        return false;
    for (size_t i = 0; i < report.notes.count; i++)
        log_info(context->log, "note: %s", report.notes.items[i]);
    if (context->json &&
        !command_print_json(context, report_json(path, &report, restores ? &trial : NULL), err))
        return false;
    if (!context->json && restores)
        drilling_print(context, &trial);
    if (!report.ok) {
        for (size_t i = 1; i < report.errors.count; i++)
            log_warn(context->log, "%s", report.errors.items[i]);
        return restores ? drilling_verdict(&trial, err) : backup_verify_error(path, &report, err);
    }
    if (!context->json)
        print_good(context, path, &report);
    return true;
}

/* clang-format off */
static const OptionSpec verify_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "level", .kind = OPTION_INT, .argument = "0-4", .fallback = "2", .min = 0, .max = 4,
     .help = "how closely to look: 0 manifest and size ... 4 a whole drill"},
    OPTION_END,
};

const Command cli_backup_verify_commands[] = {
    {.name = "backup verify", .synopsis = "[FILE]", .summary = "prove that a backup is whole",
     .details = "FILE is a path, the name of a backup, or newest (the default). Each level does what\n"
                "those before it do, and more: 0 the manifest and the file's size; 1 its SHA-256;\n"
                "2 inflates all of it, counts and digests the rows of every table, and compares\n"
                "with the manifest; 3 restores it into a scratch cluster, as `vaxdb drill run`\n"
                "does, and compares tables, row counts and indexes; 4 is a drill: every row by its\n"
                "digest, and the application's queries.\n\n"
                "A damaged file exits 4, and so does one that does not restore. Of a file that\n"
                "vaxdb did not make (pg_dump | gzip) it checks what can be checked, and says what\n"
                "cannot. From level 2 on an encrypted one needs a key: backup_identity or the\n"
                "passphrase; the machine that made it has one.",
     .example = "vaxdb backup verify newest             after every backup, or before a restore",
     .options = verify_options, .max_arguments = 1, .run = run_verify},
    COMMAND_END,
};
/* clang-format on */
