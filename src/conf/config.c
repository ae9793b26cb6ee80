#include "conf/config.h"

#include "base/file.h"

#include <assert.h>
#include <errno.h>

struct Config {
    Arena *arena;
    Ini ini;
    const char *path; /* NULL: no file */
    const char *directory;
    const char *state_directory;
    const Options *options;
};

static const char *const env_names[ENV_COUNT] = {"development", "staging", "production", "test"};
static const char global_section[] = "vaxdb";

/* clang-format off */
const OptionSpec config_settings[] = {
    {.kind = OPTION_TEXT, .key = "name", .variable = "VAXDB_NAME", .fallback = "vaxtrace",
     .help = "what backups are called: NAME-ENV-YYYYMMDD-HHMMSS.sql.gz"},
    {.kind = OPTION_TEXT, .key = "url", .argument = "CONNINFO",
     .help = "the database: a postgresql:// URL or key=value pairs, which PG* variables complete; "
             "`private` is the one of `vaxdb dev`"},
    {.kind = OPTION_PATH, .key = "migrations", .argument = "DIR", .variable = "VAXDB_MIGRATIONS",
     .help = "folder of migrations; without it backend/database/migrations, database/migrations, "
             "db/migrations or migrations"},
    {.kind = OPTION_TEXT, .key = "ledger_table", .fallback = "schema_migrations",
     .help = "table that records applied migrations"},
    {.kind = OPTION_PATH, .key = "queries_dir", .argument = "DIR", .variable = "VAXDB_QUERIES_DIR",
     .help = "folder of the application's queries, which drills run and checks explain; without it "
             "backend/database/queries"},
    {.kind = OPTION_TEXT, .key = "critical_tables",
     .help = "tables, by commas, that a restore must bring back; without it all that the backup names"},
    {.kind = OPTION_TEXT, .key = "app_role",
     .help = "role that the application logs in with; drills connect as it"},
    {.kind = OPTION_PATH, .key = "backup_dir", .argument = "DIR", .variable = "VAXDB_BACKUP_DIR",
     .help = "folder of backups; without it backups/ in the state directory"},
    {.kind = OPTION_TEXT, .key = "backup_url", .variable = "VAXDB_BACKUP_URL",
     .help = "off-site store of backups: s3://BUCKET/PREFIX, sftp://USER@HOST/FOLDER, or a folder"},
    {.kind = OPTION_TEXT, .key = "backup_recipient", .argument = "RECIPIENT",
     .help = "for whom backups are encrypted, by commas: public keys of `vaxdb backup key`, or the "
             "word passphrase; without it they are not"},
    {.kind = OPTION_PATH, .key = "backup_identity", .argument = "FILE",
     .variable = "VAXDB_BACKUP_IDENTITY",
     .help = "file of the secret key (or several) that opens encrypted backups; only its owner may "
             "read it"},
    {.kind = OPTION_PATH, .key = "backup_passphrase_file", .argument = "FILE",
     .help = "file whose first line is the passphrase of backups; without it "
             "VAXDB_BACKUP_PASSPHRASE, else it is asked for"},
    {.kind = OPTION_BYTES, .key = "backup_bwlimit",
     .help = "bytes a second, at most, to and from the off-site store; without it as fast as it goes"},
    {.kind = OPTION_DURATION, .key = "backup_retry", .fallback = "60s",
     .help = "how long a request to the off-site store is tried again"},
    {.kind = OPTION_BOOL, .key = "drill_from_store", .fallback = "off",
     .help = "`drill run` without a FILE takes the newest backup of the off-site store"},
    {.kind = OPTION_TEXT, .key = "s3_endpoint", .variable = "AWS_ENDPOINT_URL", .argument = "URL",
     .help = "server that speaks S3, such as https://minio.example.org; without it Amazon's"},
    {.kind = OPTION_TEXT, .key = "s3_region", .variable = "AWS_REGION", .fallback = "us-east-1",
     .help = "region of the bucket"},
    {.kind = OPTION_BOOL, .key = "s3_path_style",
     .help = "ENDPOINT/BUCKET rather than BUCKET.ENDPOINT; on where s3_endpoint is set"},
    {.kind = OPTION_PATH, .key = "s3_credentials", .argument = "FILE",
     .help = "credentials as in ~/.aws/credentials, which is read without it"},
    {.kind = OPTION_PATH, .key = "sftp_key", .argument = "FILE",
     .help = "private key to log in with; without it one of ~/.ssh, or of ssh-agent"},
    {.kind = OPTION_PATH, .key = "sftp_known_hosts", .argument = "FILE",
     .help = "keys of SFTP servers, as in ~/.ssh/known_hosts, which is read without it"},
    {.kind = OPTION_INT, .key = "retention_days", .fallback = "30", .min = 1, .max = 36500,
     .help = "days that backups are kept; 30 to 90 by policy"},
    {.kind = OPTION_INT, .key = "retention_keep_min", .fallback = "3", .min = 1, .max = 10000,
     .help = "verified backups that are kept whatever their age"},
    {.kind = OPTION_INT, .key = "keep_daily", .fallback = "0", .min = 0, .max = 36500,
     .help = "days of which the last verified backup is kept, besides retention_days"},
    {.kind = OPTION_INT, .key = "keep_weekly", .fallback = "0", .min = 0, .max = 5200,
     .help = "weeks (from Monday) of which the last verified backup is kept"},
    {.kind = OPTION_INT, .key = "keep_monthly", .fallback = "0", .min = 0, .max = 1200,
     .help = "months of which the last verified backup is kept"},
    {.kind = OPTION_INT, .key = "keep_yearly", .fallback = "7", .min = 0, .max = 100,
     .help = "years of which the last verified backup is kept; 7, as health records must be"},
    {.kind = OPTION_TEXT, .key = "backup_time", .fallback = "02:00",
     .help = "time of the daily backup in `timezone`"},
    {.kind = OPTION_TEXT, .key = "timezone", .fallback = "Africa/Lagos",
     .help = "time zone of schedules"},
    {.kind = OPTION_INT, .key = "pool_max", .min = 1, .max = 100000,
     .help = "most connections per database; 10 in development, 50 in production, 5 in test"},
    {.kind = OPTION_INT, .key = "pool_min", .min = 0, .max = 100000,
     .help = "connections kept ready; 2 in development, 5 in production, 1 in test"},
    {.kind = OPTION_INT, .key = "pool_instances", .fallback = "1", .min = 1, .max = 10000,
     .help = "instances of the application, each with a pool of its own"},
    {.kind = OPTION_DURATION, .key = "connect_timeout", .fallback = "15s",
     .help = "how long a command waits for the server"},
    {.kind = OPTION_DURATION, .key = "pool_connect_timeout", .fallback = "2s",
     .help = "how long the application waits for a connection of its pool"},
    {.kind = OPTION_DURATION, .key = "pool_idle_timeout", .fallback = "30s",
     .help = "when an idle server connection of the pool is closed"},
    {.kind = OPTION_DURATION, .key = "lock_timeout", .fallback = "5s",
     .help = "how long a migration waits for a lock before it lets others pass and tries again"},
    {.kind = OPTION_DURATION, .key = "backup_max_age", .fallback = "24h",
     .help = "a verified backup younger than this is enough for migrations on production"},
    {.kind = OPTION_TEXT, .key = "drift_ignore",
     .help = "schema objects, by commas, with *, that may differ between environments"},
    {.kind = OPTION_PATH, .key = "pg_bindir", .argument = "DIR", .variable = "VAXDB_PG_BINDIR",
     .help = "folder of PostgreSQL's programs; without it the newest installed"},
    OPTION_END,
};

/* Defaults that differ by environment (the guide's pools); staging is as production. */
static const struct { const char *key; const char *values[ENV_COUNT]; } env_defaults[] = {
    {"pool_max", {"10", "50", "50", "5"}},
    {"pool_min", {"2", "5", "5", "1"}},
};
/* clang-format on */

/* Where projects keep them, most specific first. */
static const struct {
    const char *key;
    const char *places[4];
} conventions[] = {
    {"migrations",
     {"backend/database/migrations", "database/migrations", "db/migrations", "migrations"}},
    {"queries_dir", {"backend/database/queries", "database/queries", "db/queries", "queries"}},
};

const char *env_name(EnvKind env)
{
    assert((size_t)env < ENV_COUNT);
    return env_names[env];
}

bool env_parse(const char *name, EnvKind *env, Error *err)
{
    for (size_t i = 0; i < ENV_COUNT; i++) {
        if (str_equal(name, env_names[i])) {
            *env = (EnvKind)i;
            return true;
        }
    }
    const char *nearest = str_nearest(name, env_names, ENV_COUNT);
    (void)error_set(err, ERR_USAGE, "there is no environment \"%s\"", name);
    if (nearest)
        return error_hint(err, "did you mean -e %s?", nearest);
    return error_hint(err, "environments are development, staging, production and test");
}

static const OptionSpec *setting_find(const char *key)
{
    for (const OptionSpec *spec = config_settings; spec->key; spec++) {
        if (str_equal(spec->key, key))
            return spec;
    }
    return NULL;
}

static bool check_section(const Ini *ini, const IniEntry *entry, Error *err)
{
    if (str_equal(entry->section, global_section))
        return true;
    const char *sections[ENV_COUNT + 1] = {global_section};
    for (size_t i = 0; i < ENV_COUNT; i++) {
        if (str_equal(entry->section, env_names[i]))
            return true;
        sections[i + 1] = env_names[i];
    }
    const char *nearest = str_nearest(entry->section, sections, COUNT_OF(sections));
    (void)error_set(err, ERR_USAGE, "%s:%d: unknown section [%s]", ini->path, entry->line,
                    entry->section);
    return error_hint(err,
                      nearest ? "did you mean [%s]?"
                              : "sections are [vaxdb], [development], "
                                "[staging], [production] and [test]",
                      nearest);
}

static bool check_entry(Arena *arena, const Ini *ini, const IniEntry *entry, Error *err)
{
    if (!check_section(ini, entry, err))
        return false;
    const char *where = arena_printf(arena, "%s:%d", ini->path, entry->line);
    const OptionSpec *spec = setting_find(entry->key);
    if (spec)
        return option_check(spec, arena_printf(arena, "%s: %s", where, entry->key), entry->value,
                            err);
    StrList keys;
    str_list_init(&keys, arena);
    for (spec = config_settings; spec->key; spec++)
        str_list_add(&keys, spec->key);
    const char *nearest = str_nearest(entry->key, keys.items, keys.count);
    (void)error_set(err, ERR_USAGE, "%s: unknown setting \"%s\"", where, entry->key);
    if (nearest)
        return error_hint(err, "did you mean %s?", nearest);
    return error_hint(err, "`vaxdb config show` lists the settings");
}

/* The folder $NAME/vaxdb, or HOME/fallback/vaxdb; NULL when neither variable is set. */
static const char *xdg_directory(Arena *arena, const char *variable, const char *fallback)
{
    const char *base = getenv(variable);
    if (base && *base == '/')
        return path_join(arena, base, "vaxdb");
    const char *home = getenv("HOME");
    if (str_empty(home))
        return NULL;
    return path_join(arena, path_join(arena, home, fallback), "vaxdb");
}

static const char *find_file(Arena *arena)
{
    const char *variable = getenv("VAXDB_CONFIG");
    if (!str_empty(variable))
        return variable; /* named, so it must be there */
    const char *folder = xdg_directory(arena, "XDG_CONFIG_HOME", ".config");
    const char *const candidates[] = {
        "vaxdb.ini", folder ? path_join(arena, folder, "vaxdb.ini") : NULL, "/etc/vaxdb/vaxdb.ini"};
    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        if (candidates[i] && file_exists(candidates[i]))
            return candidates[i];
    }
    return NULL;
}

/* May this user use (or make) the folder? */
static bool is_writable(Arena *arena, const char *path)
{
    if (file_is_directory(path))
        return access(path, W_OK) == 0;
    return access(path_dirname(arena, path), W_OK) == 0;
}

static bool find_state_directory(Arena *arena, const char **directory, Error *err)
{
    static const char system_directory[] = "/var/lib/vaxdb";
    const char *named = getenv("VAXDB_STATE_DIR");
    char *absolute = NULL;
    if (!str_empty(named)) {
        if (!path_absolute(arena, named, &absolute, err))
            return false;
        *directory = absolute;
        return true;
    }
    if (is_writable(arena, system_directory)) {
        *directory = system_directory;
        return true;
    }
    *directory = xdg_directory(arena, "XDG_STATE_HOME", ".local/state");
    if (*directory)
        return true;
    (void)error_set(err, ERR_USAGE, "there is no place for vaxdb's state: HOME is not set");
    return error_hint(err, "set VAXDB_STATE_DIR to a folder that vaxdb may use");
}

static bool check_variables(Arena *arena, Error *err)
{
    for (const OptionSpec *spec = config_settings; spec->key; spec++) {
        const char *value = spec->variable ? getenv(spec->variable) : NULL;
        if (!str_empty(value) &&
            !option_check(spec, arena_printf(arena, "$%s", spec->variable), value, err))
            return false;
    }
    return true;
}

bool config_load(Arena *arena, const char *file, const Options *options, Config **config,
                 Error *err)
{
    Config *loaded = arena_alloc(arena, sizeof(*loaded));
    loaded->arena = arena;
    loaded->options = options;
    if (!check_variables(arena, err) || !find_state_directory(arena, &loaded->state_directory, err))
        return false;
    const char *found = file ? file : find_file(arena);
    char *absolute = NULL;
    if (!path_absolute(arena, found ? found : ".", &absolute, err))
        return false;
    if (!found) {
        loaded->directory = absolute;
        *config = loaded;
        return true;
    }
    loaded->path = absolute;
    loaded->directory = path_dirname(arena, absolute);
    if (!ini_read(arena, absolute, &loaded->ini, err)) {
        if (!file_exists(absolute))
            return error_hint(err, "`vaxdb init` writes a vaxdb.ini in the working directory");
        return false;
    }
    for (size_t i = 0; i < loaded->ini.count; i++) {
        if (!check_entry(arena, &loaded->ini, &loaded->ini.entries[i], err))
            return false;
    }
    *config = loaded;
    return true;
}

const char *config_path(const Config *config)
{
    return config->path;
}

const char *config_directory(const Config *config)
{
    return config->directory;
}

const char *config_state_directory(const Config *config)
{
    return config->state_directory;
}

typedef struct {
    const char *value;
    const char *source;
    bool from_file;
} Found;

static Found find_default(const OptionSpec *spec, EnvKind env)
{
    for (size_t i = 0; i < COUNT_OF(env_defaults); i++) {
        if (str_equal(env_defaults[i].key, spec->key))
            return (Found){env_defaults[i].values[env], "default", false};
    }
    return (Found){spec->fallback, spec->fallback ? "default" : "not set", false};
}

static Found find_value(const Config *config, EnvKind env, const char *key)
{
    const OptionSpec *spec = setting_find(key);
    assert(spec && "a setting that config_settings has not");
    const char *flag = NULL;
    const char *given = config->options ? options_for_setting(config->options, key, &flag) : NULL;
    if (given)
        return (Found){given, arena_printf(config->arena, "--%s", flag), false};
    const char *variable = spec->variable ? getenv(spec->variable) : NULL;
    if (!str_empty(variable))
        return (Found){variable, arena_printf(config->arena, "$%s", spec->variable), false};
    const IniEntry *entry = ini_find(&config->ini, env_names[env], key);
    if (!entry)
        entry = ini_find(&config->ini, global_section, key);
    if (entry && *entry->value)
        return (Found){
            entry->value,
            arena_printf(config->arena, "%s:%d", path_basename(config->path), entry->line), true};
    return find_default(spec, env);
}

/* ~ and relative paths: from the file's folder where the file says them, else from where we are. */
static const char *resolve_path(const Config *config, const Found *found)
{
    const char *path = found->value;
    const char *home = getenv("HOME");
    if (str_starts(path, "~/") && !str_empty(home))
        return path_join(config->arena, home, path + 2);
    if (found->from_file)
        return path_join(config->arena, config->directory, path);
    char *absolute = NULL;
    Error ignored = {0};
    return path_absolute(config->arena, path, &absolute, &ignored) ? absolute : path;
}

const char *config_text(const Config *config, EnvKind env, const char *key)
{
    Found found = find_value(config, env, key);
    if (!found.value || setting_find(key)->kind != OPTION_PATH)
        return found.value;
    return resolve_path(config, &found);
}

const char *config_place(const char *key, size_t index)
{
    for (size_t i = 0; i < COUNT_OF(conventions); i++) {
        if (str_equal(conventions[i].key, key))
            return index < COUNT_OF(conventions[i].places) ? conventions[i].places[index] : NULL;
    }
    return NULL;
}

const char *config_folder(const Config *config, EnvKind env, const char *key)
{
    const char *set = config_text(config, env, key);
    if (set)
        return set;
    const char *const roots[] = {config->directory, "."};
    for (size_t i = 0; i < COUNT_OF(conventions); i++) {
        if (!str_equal(conventions[i].key, key))
            continue;
        for (size_t root = 0; root < COUNT_OF(roots); root++) {
            for (size_t place = 0; place < COUNT_OF(conventions[i].places); place++) {
                Found found = {path_join(config->arena, roots[root], conventions[i].places[place]),
                               "", false};
                if (file_is_directory(found.value))
                    return resolve_path(config, &found);
            }
        }
    }
    return NULL;
}

int64_t config_int(const Config *config, EnvKind env, const char *key)
{
    const char *value = find_value(config, env, key).value;
    return value ? option_number(setting_find(key), value) : 0;
}

const char *config_source(const Config *config, EnvKind env, const char *key)
{
    return find_value(config, env, key).source;
}
