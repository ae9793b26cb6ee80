#include "backup/backup.h"
#include "backup/offsite.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/table.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "flows/offsite.h"
#include "state/backups.h"

#include <string.h>

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_text(text));
}

static void set_int(json_t *object, const char *key, int64_t value)
{
    (void)json_object_set_new(object, key, json_integer(value));
}

/* A moment as text; 0 is null. */
static void set_moment(const Context *context, json_t *object, const char *key, int64_t unix_s)
{
    set_text(object, key, unix_s ? clock_iso_utc(context->arena, unix_s) : NULL);
}

static json_t *list_json(const StrList *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_text(list->items[i]));
    return array;
}

/* How long ago, in words. */
static const char *age_text(const Context *context, int64_t unix_s)
{
    int64_t seconds = clock_unix_s() - unix_s;
    if (seconds < 60)
        return arena_printf(context->arena, "%d s", seconds < 0 ? 0 : (int)seconds);
    return str_duration(context->arena, (double)seconds * 1000);
}

/* ---- create ------------------------------------------------------------------------------ */

static bool print_created(Context *context, const BackupResult *made, Error *err)
{
    const Manifest *manifest = &made->manifest;
    Arena *arena = context->arena;
    if (context->json) {
        json_t *object = json_object();
        set_text(object, "file", made->path);
        set_int(object, "bytes", manifest->packed_bytes);
        set_int(object, "raw_bytes", manifest->raw_bytes);
        set_text(object, "sha256", manifest->sha256);
        (void)json_object_set_new(object, "encrypted", json_boolean(manifest->key_id != NULL));
        set_int(object, "tables", (int64_t)manifest_table_count(manifest));
        set_int(object, "rows", manifest_rows(manifest));
        (void)json_object_set_new(object, "seconds", json_real(made->seconds));
        (void)json_object_set_new(object, "verified", json_true());
        return command_print_json(context, object, err);
    }
    double saved = manifest->raw_bytes ? 100.0 - 100.0 * (double)manifest->packed_bytes /
                                                     (double)manifest->raw_bytes
                                       : 0;
    (void)fprintf(context->out, "%s\n", made->path);
    log_info(context->log,
             "%s rows of %zu tables; %s packed from %s (%.0f %% saved) in %.1f s; "
             "verified",
             str_count(arena, manifest_rows(manifest)), manifest_table_count(manifest),
             str_bytes(arena, manifest->packed_bytes), str_bytes(arena, manifest->raw_bytes), saved,
             made->seconds);
    return true;
}

/* The backup is good: what fails from here on is that it is not off-site. */
static bool push_made(Context *context, State *state, Store *store, const char *path, Error *err)
{
    OffsiteResult pushed;
    if (backup_push(context->arena, context->log, state, store, path, &pushed, err)) {
        log_info(context->log, "Pushed to %s, %s sent%s%s", store_url(store),
                 str_bytes(context->arena, pushed.sent_bytes),
                 pushed.reused ? "; the rest is there, in " : "",
                 pushed.reused ? pushed.reused : "");
        return true;
    }
    if (err->code == ERR_INTERRUPTED)
        return false;
    (void)error_context(err, "the backup is good, but not off-site");
    (void)error_hint(err, "vaxdb backup push %s", path);
    err->code = ERR_OFFSITE;
    return false;
}

static Compression compression_of(const char *name)
{
    if (str_equal(name, "fast"))
        return COMPRESS_FAST;
    return str_equal(name, "small") ? COMPRESS_SMALL : COMPRESS_BALANCED;
}

static bool run_create(Context *context, Error *err)
{
    _cleanup_store_ Store *store = NULL;
    _cleanup_state_ State *state = NULL;
    _cleanup_session_ Session *session = NULL;
    Target target;
    /* Wrong settings of the store are said before the work, not after it. */
    if ((offsite_url(context->arena, context->config, context->env) &&
         !offsite_open(context->arena, context->log, context->config, context->env, 0, &store,
                       err)) ||
        !command_connect(context, &state, &target, &session, err))
        return false;
    log_info(context->log, "Backing up %s (%s)", target.database, env_name(context->env));
    session_close(TAKE(session));
    BackupSpec spec = {.conninfo = target.conninfo,
                       .directory = backup_files_directory(context, context->env),
                       .name = config_text(context->config, context->env, "name"),
                       .env = env_name(context->env),
                       .reason = "backup create",
                       .pg_bindir = config_text(context->config, context->env, "pg_bindir"),
                       .jobs = (int)options_int(context->options, "jobs"),
                       .compression = compression_of(options_text(context->options, "compress")),
                       .exclude = options_list(context->options, "exclude-table-data"),
                       .keys = backup_files_keys(context, context->env)};
    const StrList *recipients = options_list(context->options, "encrypt");
    if (recipients->count)
        backup_keys_set_recipients(spec.keys, recipients);
    BackupResult made;
    VerifyReport report;
    if (!backup_create(context->arena, context->log, &spec, &made, err) ||
        !backup_verify_with(context->arena, context->log, state, made.path, VERIFY_CONTENT,
                            spec.keys, &report, err))
        return false;
    if (!report.ok)
        return backup_verify_error(made.path, &report, err);
    /* Printed first: whoever reads the output must learn of the file even when the push fails. */
    return print_created(context, &made, err) &&
           (!store || push_made(context, state, store, made.path, err));
}

/* ---- list, show -------------------------------------------------------------------------- */

static json_t *entry_json(const Context *context, const BackupEntry *entry,
                          const StateBackup *memory)
{
    const Manifest *manifest = &entry->manifest;
    json_t *object = json_object();
    set_text(object, "file", manifest->file);
    set_text(object, "path", entry->path);
    set_text(object, "name", manifest->name);
    set_text(object, "env", manifest->env);
    set_text(object, "database", manifest->database);
    set_text(object, "reason", manifest->reason);
    set_moment(context, object, "snapshot_at", manifest->snapshot_at);
    set_moment(context, object, "finished_at", manifest->finished_at);
    set_int(object, "age_seconds", clock_unix_s() - manifest->snapshot_at);
    set_int(object, "bytes", manifest->packed_bytes);
    set_int(object, "raw_bytes", manifest->raw_bytes);
    set_int(object, "tables", (int64_t)manifest_table_count(manifest));
    set_int(object, "rows", manifest_rows(manifest));
    set_text(object, "sha256", manifest->sha256);
    (void)json_object_set_new(object, "encrypted", json_boolean(manifest->key_id != NULL));
    (void)json_object_set_new(object, "verified", json_boolean(memory->verified));
    set_moment(context, object, "verified_at", memory->verified_at);
    set_moment(context, object, "drilled_at", memory->drilled_at);
    (void)json_object_set_new(object, "drill_passed",
                              memory->drilled_at ? json_boolean(memory->drill_passed)
                                                 : json_null());
    set_moment(context, object, "offsite_at", memory->offsite_at);
    set_text(object, "offsite_url", memory->offsite_at ? memory->offsite_url : NULL);
    set_moment(context, object, "keep_until", memory->keep_until);
    set_text(object, "problem", entry->problem);
    return object;
}

static const char *verified_text(const Context *context, const BackupEntry *entry,
                                 const StateBackup *memory)
{
    if (entry->problem)
        return "DAMAGED";
    if (!memory->verified_at)
        return "never";
    const char *ago =
        arena_printf(context->arena, "%s ago", age_text(context, memory->verified_at));
    return memory->verified ? ago : "FAILED";
}

static const char *drilled_text(const Context *context, const StateBackup *memory)
{
    if (!memory->drilled_at)
        return "never";
    return memory->drill_passed
               ? arena_printf(context->arena, "%s ago", age_text(context, memory->drilled_at))
               : "FAILED";
}

static const char *offsite_text(const Context *context, const StateBackup *memory)
{
    if (!memory->offsite_at)
        return "no";
    return arena_printf(context->arena, "%s ago", age_text(context, memory->offsite_at));
}

/* Terminals narrower than that get the short table, which is never cut. */
#define WIDE_COLUMNS 132

static bool is_narrow(const Context *context)
{
    size_t width = table_terminal_width(context->out);
    return width && width < WIDE_COLUMNS;
}

/* How far it is proved, in a word. */
static const char *state_word(const BackupEntry *entry, const StateBackup *memory)
{
    if (entry->problem)
        return "DAMAGED";
    if ((memory->verified_at && !memory->verified) || (memory->drilled_at && !memory->drill_passed))
        return "FAILED";
    if (memory->drilled_at)
        return "drilled";
    return memory->verified_at ? "verified" : "unverified";
}

static void add_row(const Context *context, Table *table, const BackupEntry *entry,
                    const StateBackup *memory)
{
    Arena *arena = context->arena;
    const Manifest *manifest = &entry->manifest;
    if (is_narrow(context)) {
        table_row(table,
                  (const char *[]){manifest->file, str_bytes(arena, manifest->packed_bytes),
                                   state_word(entry, memory), memory->offsite_at ? "yes" : "no"});
        return;
    }
    table_row(table,
              (const char *[]){manifest->file, age_text(context, manifest->snapshot_at),
                               str_bytes(arena, manifest->packed_bytes),
                               arena_printf(arena, "%zu", manifest_table_count(manifest)),
                               str_count(arena, manifest_rows(manifest)),
                               verified_text(context, entry, memory), drilled_text(context, memory),
                               offsite_text(context, memory)});
}

static Table *make_table(const Context *context)
{
    Table *table = table_create(context->arena);
    table_column(table, "File", TABLE_LEFT);
    if (is_narrow(context)) {
        table_column(table, "Size", TABLE_RIGHT);
        table_column(table, "State", TABLE_LEFT);
        table_column(table, "Off-site", TABLE_LEFT);
        return table;
    }
    table_column(table, "Age", TABLE_RIGHT);
    table_column(table, "Size", TABLE_RIGHT);
    table_column(table, "Tables", TABLE_RIGHT);
    table_column(table, "Rows", TABLE_RIGHT);
    table_column(table, "Verified", TABLE_LEFT);
    table_column(table, "Drilled", TABLE_LEFT);
    table_column(table, "Off-site", TABLE_LEFT);
    return table;
}

/* One folder into the table and the JSON list. */
static bool list_folder(Context *context, State *state, const char *directory, Table *table,
                        json_t *backups, json_t *problems, Error *err)
{
    BackupList list;
    const char *env = backup_files_env(context);
    if (!backup_list(context->arena, directory, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        StateBackup memory;
        if (env && !str_equal(env, list.items[i].manifest.env))
            continue;
        if (!state_backup_get(state, list.items[i].manifest.sha256, &memory, err))
            return false;
        add_row(context, table, &list.items[i], &memory);
        (void)json_array_append_new(backups, entry_json(context, &list.items[i], &memory));
    }
    for (size_t i = 0; i < list.unreadable.count; i++) {
        (void)json_array_append_new(problems, json_text(list.unreadable.items[i]));
        log_warn(context->log, "%s: %s", directory, list.unreadable.items[i]);
    }
    if (list.foreign)
        log_info(context->log,
                 "%zu .sql.gz without a manifest in %s: not made by vaxdb, not "
                 "listed; `vaxdb backup verify FILE` looks at one",
                 list.foreign, directory);
    return true;
}

static bool run_list(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    _cleanup_json_ json_t *backups = json_array();
    _cleanup_json_ json_t *problems = json_array();
    StrList directories;
    backup_files_directories(context, &directories);
    if (!state_open(config_state_directory(context->config), &state, err))
        return false;
    Table *table = make_table(context);
    for (size_t i = 0; i < directories.count; i++) {
        if (!list_folder(context, state, directories.items[i], table, backups, problems, err))
            return false;
    }
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set(object, "backups", backups);
        (void)json_object_set(object, "problems", problems);
        (void)json_object_set_new(object, "directories", list_json(&directories));
        return command_print_json(context, object, err);
    }
    if (table_rows(table))
        table_print(table, context->out, table_terminal_width(context->out));
    else
        log_info(context->log, "No backups in %s. Make one: vaxdb backup create -e production",
                 str_list_join(&directories, context->arena, ", "));
    return true;
}

/* "why it is kept", or NULL. */
static const char *hold_text(const Context *context, const StateBackup *memory)
{
    if (memory->keep_until <= clock_unix_s())
        return NULL;
    return arena_printf(context->arena, "%.10s: %s",
                        clock_iso_utc(context->arena, memory->keep_until), memory->keep_reason);
}

static const char *globals_text(const ManifestGlobals *globals)
{
    if (!globals->sha256)
        return "not in it, nor beside it";
    return globals->passwords ? "beside it (*" GLOBALS_SUFFIX "), with passwords"
                              : "beside it (*" GLOBALS_SUFFIX "), without passwords";
}

static void print_facts(const Context *context, const BackupEntry *entry, const StateBackup *memory)
{
    FILE *out = context->out;
    Arena *arena = context->arena;
    const Manifest *manifest = &entry->manifest;
    const char *held = hold_text(context, memory);
    (void)fprintf(out, "%s\n", manifest->file);
    if (entry->problem)
        (void)fprintf(out, "  DAMAGED    %s\n", entry->problem);
    (void)fprintf(out, "  database   %s (%s), PostgreSQL %.*s\n", manifest->database, manifest->env,
                  (int)strcspn(manifest->server_version, " "), manifest->server_version);
    (void)fprintf(out, "  shows      %s, %s ago\n", clock_iso_utc(arena, manifest->snapshot_at),
                  age_text(context, manifest->snapshot_at));
    (void)fprintf(out, "  verified   %s\n", verified_text(context, entry, memory));
    (void)fprintf(out, "  drilled    %s\n", drilled_text(context, memory));
    if (held)
        (void)fprintf(out, "  kept until %s\n", held);
    (void)fprintf(out, "  size       %s, %s raw\n", str_bytes(arena, manifest->packed_bytes),
                  str_bytes(arena, manifest->raw_bytes));
    (void)fprintf(out, "  sha256     %s\n", manifest->sha256);
    if (manifest->adopted)
        (void)fprintf(out, "  made by    others; adopted by vaxdb %s\n", manifest->tool_version);
    else
        (void)fprintf(out, "  made by    vaxdb %s, pg_dump %.*s, for: %s\n", manifest->tool_version,
                      (int)strcspn(manifest->dump_version, " "), manifest->dump_version,
                      manifest->reason);
    (void)fprintf(out, "  holds      %s rows of %zu tables, %zu indexes\n",
                  str_count(arena, manifest_rows(manifest)), manifest_table_count(manifest),
                  manifest->index_count);
    (void)fprintf(out, "  roles      %s\n", globals_text(&manifest->globals));
    if (manifest->key_id)
        (void)fprintf(out, "  encrypted  key %s, for %s\n", manifest->key_id,
                      str_list_join(&manifest->recipients, arena, ", "));
    (void)fputc('\n', out);
}

static void print_tables(const Context *context, const Manifest *manifest)
{
    Arena *arena = context->arena;
    Table *table = table_create(arena);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Rows", TABLE_RIGHT);
    table_column(table, "Data", TABLE_RIGHT);
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *row = &manifest->tables[i];
        bool none = row->partitioned || row->excluded;
        table_row(table, (const char *[]){arena_printf(arena, "%s.%s", row->schema, row->name),
                                          row->partitioned ? "partitioned"
                                          : row->excluded  ? "left out"
                                                           : str_count(arena, row->rows),
                                          none ? NULL : str_bytes(arena, row->raw_bytes)});
    }
    table_print(table, context->out, table_terminal_width(context->out));
}

/* The manifest as it stands in its file, with members that this version does not know. */
static bool add_manifest(const Context *context, const char *path, json_t *object, Error *err)
{
    char *text = NULL;
    size_t length = 0;
    json_t *parsed = NULL;
    const char *beside = arena_printf(context->arena, "%s%s", path, MANIFEST_SUFFIX);
    if (!file_read(context->arena, beside, BUFFER_MAX_FILE, &text, &length, err) ||
        !json_parse(text, length, beside, &parsed, err))
        return false;
    (void)json_object_set_new(object, "manifest", parsed);
    return true;
}

static bool run_show(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    const char *path = NULL;
    bool found = false;
    BackupEntry entry;
    StateBackup memory;
    if (!backup_files_find(context, command_argument(context, 0), &path, err) ||
        !backup_look(context->arena, path, &found, &entry, err))
        return false;
    if (!found) {
        (void)error_set(err, ERR_USAGE, "%s has no manifest: it was not made by vaxdb", path);
        return error_hint(err, "vaxdb backup verify %s", path);
    }
    if (!state_open(config_state_directory(context->config), &state, err) ||
        !state_backup_get(state, entry.manifest.sha256, &memory, err))
        return false;
    if (context->json) {
        _cleanup_json_ json_t *object = entry_json(context, &entry, &memory);
        return add_manifest(context, path, object, err) &&
               command_print_json(context, json_incref(object), err);
    }
    print_facts(context, &entry, &memory);
    print_tables(context, &entry.manifest);
    return true;
}

/* ---- the table --------------------------------------------------------------------------- */

/* clang-format off */
static const OptionSpec create_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "jobs", .letter = 'j', .kind = OPTION_INT, .argument = "N",
     .min = 1, .max = 64,
     .help = "sessions that copy rows; half of the cores, at least 2, when not said"},
    {.name = "compress", .letter = 'Z', .kind = OPTION_TEXT, .argument = "fast|balanced|small",
     .fallback = "balanced", .help = "how hard to pack: time against size"},
    {.name = "encrypt", .kind = OPTION_TEXT, .argument = "RECIPIENT", .repeats = true,
     .help = "encrypt for this public key, or for a `passphrase` (setting backup_recipient)"},
    {.name = "exclude-table-data", .kind = OPTION_TEXT, .argument = "PATTERN", .repeats = true,
     .help = "leave out the rows of such tables (SCHEMA.TABLE or TABLE; * and ?)"},
    OPTION_END,
};

static const OptionSpec folder_options[] = {
    OPTION_BACKUP_DIR,
    OPTION_END,
};

const Command cli_backup_commands[] = {
    {.name = "backup create", .synopsis = "", .summary = "back a database up and verify the file",
     .details = "Writes NAME-ENV-YYYYMMDD-HHMMSS.sql.gz (UTC) with a checksum (.sha256) and a\n"
                "manifest (.json), and prints its path. pg_dump writes the schema; several\n"
                "sessions copy the rows under one snapshot, and must get as many as the server\n"
                "says it sent. A run that fails or is killed leaves nothing that `backup list`\n"
                "shows. Roles and tablespaces go into NAME-ENV-YYYYMMDD-HHMMSS.globals.sql.gz, with\n"
                "passwords when a superuser makes the backup.\n"
                "\n"
                "With --encrypt or the setting backup_recipient the file is NAME...sql.gz.enc, which\n"
                "only the recipients' secret keys open (`vaxdb backup key` makes a pair), or the\n"
                "passphrase: that of backup_passphrase_file, of VAXDB_BACKUP_PASSPHRASE, or the one\n"
                "that is typed. The manifest stays readable: names of tables, their rows and sizes,\n"
                "and where sequences are. Roles are encrypted with it.\n"
                "Parts that did not change are the same bytes the next day, which can be seen. This\n"
                "machine keeps the data key in its state directory, so that it can verify and drill\n"
                "what it made; any other needs an identity. Without all of them nobody ever opens it:\n"
                "keep the identity elsewhere, on paper too.",
     .example = "vaxdb backup create -e production      into the folder of backups",
     .options = create_options, .run = run_create},
    {.name = "backup list", .synopsis = "", .summary = "list backups: age, size, rows, verified, drilled",
     .details = "Of every environment, or of one with -e.",
     .example = "vaxdb backup list -e production        the newest first",
     .options = folder_options, .run = run_list},
    {.name = "backup show", .synopsis = "[FILE]", .summary = "show what a backup holds",
     .details = "FILE is a path, the name of a backup, or newest (the default). Shows how old it is,\n"
                "whether it was verified and drilled, and the rows of each table, from its manifest.",
     .example = "vaxdb backup show newest               its tables and rows, without restoring",
     .options = folder_options, .max_arguments = 1, .run = run_show},
    COMMAND_END,
};
/* clang-format on */
