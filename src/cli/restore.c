#include "flows/restore.h"

#include "base/table.h"
#include "cli/backup_files.h"
#include "cli/commands.h"
#include "flows/offsite.h"

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_text(text));
}

static json_t *result_json(const RestoreResult *result)
{
    json_t *object = json_object();
    json_t *roles = json_array();
    json_t *notes = json_array();
    json_t *tables = json_array();
    for (size_t i = 0; i < result->roles_created.count; i++)
        (void)json_array_append_new(roles, json_text(result->roles_created.items[i]));
    for (size_t i = 0; i < result->notes.count; i++)
        (void)json_array_append_new(notes, json_text(result->notes.items[i]));
    for (size_t i = 0; i < result->table_count; i++) {
        json_t *row = json_object();
        set_text(row, "schema", result->table_rows[i].schema);
        set_text(row, "name", result->table_rows[i].name);
        (void)json_object_set_new(row, "rows", json_integer(result->table_rows[i].rows));
        (void)json_array_append_new(tables, row);
    }
    set_text(object, "database", result->database);
    (void)json_object_set_new(object, "created", json_boolean(result->created));
    (void)json_object_set_new(object, "tables", json_integer((json_int_t)result->tables));
    (void)json_object_set_new(object, "rows", json_integer(result->rows));
    (void)json_object_set_new(object, "indexes", json_integer((json_int_t)result->indexes));
    set_text(object, "safety_backup", result->safety_backup);
    set_text(object, "kept_old", result->kept_old);
    (void)json_object_set_new(object, "roles_created", roles);
    (void)json_object_set_new(object, "left_out", notes);
    (void)json_object_set_new(object, "table_rows", tables);
    (void)json_object_set_new(object, "seconds", json_real(result->seconds));
    return object;
}

static void print_result(const Context *context, const RestoreResult *result)
{
    Table *table = table_create(context->arena);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Rows", TABLE_RIGHT);
    for (size_t i = 0; i < result->table_count; i++) {
        const TableRows *row = &result->table_rows[i];
        table_row(table,
                  (const char *[]){arena_printf(context->arena, "%s.%s", row->schema, row->name),
                                   str_count(context->arena, row->rows)});
    }
    table_print(table, context->out, table_terminal_width(context->out));
    log_info(context->log, "%s is restored, in %.1f s", result->database, result->seconds);
    if (result->safety_backup)
        log_info(context->log, "What it was before: vaxdb restore -e %s%s %s",
                 env_name(context->env), command_url(context) ? " --url ..." : "",
                 result->safety_backup);
    if (result->kept_old)
        log_info(context->log, "The replaced database is still there, called %s", result->kept_old);
}

/* A backup that is named by its place off-site joins those that are here. */
static bool fetch_backup(Context *context, const char *word, const char **path, Error *err)
{
    const char *place = NULL;
    OffsiteResult fetched;
    FetchSpec spec = {.config = context->config,
                      .env = context->env,
                      .word = word,
                      .directory = backup_files_directory(context, context->env)};
    if (!offsite_fetch(context->arena, context->log, &spec, &place, &fetched, err))
        return false;
    *path = fetched.path;
    log_info(context->log, fetched.already ? "%s is here already: %s" : "%s is fetched: %s", place,
             *path);
    return true;
}

static bool run_restore(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    Target target;
    RestoreResult result;
    const StrList *tables = options_list(context->options, "table");
    RestoreSpec spec = {
        .database = options_text(context->options, "database"),
        .confirm = options_text(context->options, "confirm"),
        .critical_tables = config_text(context->config, context->env, "critical_tables"),
        .no_safety_backup = options_text(context->options, "no-safety-backup"),
        .keep_old = options_flag(context->options, "keep-old"),
        .jobs = (int)options_int(context->options, "jobs"),
        .tables = tables->count ? tables : NULL,
        .backup_directory = backup_files_directory(context, context->env),
        .backup_name = config_text(context->config, context->env, "name"),
        .pg_bindir = config_text(context->config, context->env, "pg_bindir"),
        .keys = backup_files_keys(context, context->env),
    };
    const char *word = command_argument(context, 0);
    bool offsite = offsite_is_place(word);
    /* What takes long comes after what may fail at once. */
    if ((!offsite && !backup_files_find_named(context, word, &spec.path, err)) ||
        !command_connect(context, &state, &target, NULL, err) ||
        (offsite && !fetch_backup(context, word, &spec.path, err)) ||
        !restore_run(context->arena, context->log, state, &target, &spec, &result, err))
        return false;
    if (context->json)
        return command_print_json(context, result_json(&result), err);
    print_result(context, &result);
    return true;
}

/* clang-format off */
static const OptionSpec restore_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "database", .kind = OPTION_TEXT, .argument = "NAME",
     .help = "restore into this database of the server instead"},
    {.name = "jobs", .letter = 'j', .kind = OPTION_INT, .argument = "N", .min = 1, .max = 32,
     .help = "sessions that load rows and build indexes; the cores of this machine, 2 to 8,\n"
             "when not said"},
    {.name = "table", .letter = 't', .kind = OPTION_TEXT, .argument = "PATTERN", .repeats = true,
     .help = "only such tables (SCHEMA.TABLE or TABLE; * and ?), into a database that does\n"
             "not exist"},
    {.name = "keep-old", .kind = OPTION_FLAG,
     .help = "keep the replaced database, under another name"},
    {.name = "no-safety-backup", .kind = OPTION_TEXT, .argument = "REASON",
     .help = "make no backup of what is there"},
    OPTION_END,
};

const Command cli_restore_commands[] = {
    {.name = "restore", .synopsis = "FILE", .summary = "put a backup in the place of a database",
     .details = "FILE is a path, the name of a backup, or its place off-site, such as\n"
                "s3://BUCKET/PREFIX/NAME: that one is fetched into the folder of backups. It is\n"
                "verified first; then: 1 a backup of what is there, 2 a new database beside it,\n"
                "3 the data, 4 the check of its tables, row counts and indexes, and only then the\n"
                "swap, 5 the rows of each table. Whatever fails before the swap leaves the database\n"
                "as it was. Connections to it are ended by the swap. A database that does not exist\n"
                "is created.\n"
                "\n"
                "A backup that vaxdb made is loaded by several sessions; a dump of one stream, as\n"
                "others make them, by one. With --table a new database gets those tables alone,\n"
                "with their indexes, constraints, triggers and privileges: no views, no large\n"
                "objects, no foreign keys to tables that are not there.\n"
                "\n"
                "Roles that the backup names and the server lacks are created without login; where\n"
                "that is not permitted, what the backup gives them is left out and told.\n"
                "Production asks for the words RESTORE PRODUCTION DATABASE, or --confirm NAME.",
     .example = "vaxdb restore -e staging vaxtrace-production-20240101-120000.sql.gz",
     .options = restore_options, .min_arguments = 1, .max_arguments = 1, .run = run_restore},
    COMMAND_END,
};
/* clang-format on */
