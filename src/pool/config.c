#include "pool/config.h"

#include "base/str.h"
#include "conf/ini.h"

#define INCLUDES_DEEP 10
#define INCLUDES_MAX  1000

typedef enum { IN_NONE, IN_PGBOUNCER, IN_DATABASES, IN_USERS, IN_PEERS, IN_UNKNOWN } Section;

static const char *const section_names[] = {"", "pgbouncer", "databases", "users", "peers"};

typedef struct {
    PoolConfig *config;
    const PoolFiles *files;
    PoolProblems *problems;
    Section section;
    size_t order;
    size_t includes;
    bool main_seen;
    size_t databases_capacity, users_capacity, peers_capacity;
} Reader;

static void enter_section(Reader *reader, const char *path, const IniItem *item)
{
    reader->section = IN_UNKNOWN;
    for (size_t i = IN_PGBOUNCER; i < COUNT_OF(section_names); i++) {
        if (str_equal(section_names[i], item->name))
            reader->section = (Section)i;
    }
    if (reader->section == IN_UNKNOWN) {
        (void)problems_error(reader->problems, path, item->line, "there is no section [%s]",
                             item->name);
        const char *nearest =
            str_nearest(item->name, section_names + 1, COUNT_OF(section_names) - 1);
        if (nearest)
            (void)problems_hint(reader->problems, "did you mean [%s]?", nearest);
    } else if (reader->section == IN_PGBOUNCER) {
        if (reader->main_seen)
            problems_warn(
                reader->problems, path, item->line,
                "[pgbouncer] goes on here; PgBouncer would forget what the first one set");
        reader->main_seen = true;
    }
}

static void take_setting(Reader *reader, const char *path, const IniItem *item)
{
    PoolConfig *config = reader->config;
    const SettingSpec *spec = setting_find(pool_setting_specs, item->name);
    if (!spec) {
        (void)problems_error(reader->problems, path, item->line, "there is no key %s", item->name);
        const char *hint =
            setting_suggestion(reader->problems->arena, pool_setting_specs, item->name);
        (void)problems_hint(reader->problems, "%s", hint);
        return;
    }
    const char *reason = setting_assign(spec, config->arena, item->value, &config->settings);
    if (reason)
        (void)problems_error(reader->problems, path, item->line, "%s = %s: %s", item->name,
                             item->value, reason);
}

static void take_value(Reader *reader, const char *path, const IniItem *item)
{
    PoolConfig *config = reader->config;
    Arena *arena = config->arena;
    Entry entry = {item->name, reader->order++, path, item->line};
    PoolDatabase database;
    PoolUser user;
    PoolPeer peer;
    switch (reader->section) {
    case IN_NONE:
        (void)problems_error(reader->problems, path, item->line,
                             "a key before the first [section]");
        break;
    case IN_PGBOUNCER:
        take_setting(reader, path, item);
        break;
    case IN_DATABASES:
        if (pool_database_parse(arena, &entry, item->value, &database, reader->problems))
            ARENA_PUSH(arena, config->databases, config->database_count, reader->databases_capacity,
                       database);
        break;
    case IN_USERS:
        if (pool_user_parse(arena, &entry, item->value, &user, reader->problems))
            ARENA_PUSH(arena, config->users, config->user_count, reader->users_capacity, user);
        break;
    case IN_PEERS:
        if (pool_peer_parse(arena, &entry, item->value, &peer, reader->problems))
            ARENA_PUSH(arena, config->peers, config->peer_count, reader->peers_capacity, peer);
        break;
    case IN_UNKNOWN:
        break; /* its header was reported */
    }
}

static void read_ini(Reader *reader, const char *path, int deep);

static void take_include(Reader *reader, const char *path, const IniItem *item, int deep)
{
    if (deep == INCLUDES_DEEP || reader->includes++ == INCLUDES_MAX)
        (void)problems_error(reader->problems, path, item->line,
                             "%%include is nested too deep, or includes too many files");
    else
        read_ini(reader, item->name, deep + 1);
}

static void read_ini(Reader *reader, const char *path, int deep)
{
    Arena *arena = reader->config->arena;
    char *text = NULL;
    size_t length = 0;
    Error err = {0};
    if (!reader->files->read(reader->files, arena, path, &text, &length, &err)) {
        (void)problems_take(reader->problems, &err);
        return;
    }
    IniReader lines;
    ini_reader_init(&lines, path, text, length);
    IniItem item = {0};
    IniStep step;
    while ((step = ini_reader_next(&lines, arena, &item, &err)) != INI_END) {
        if (step == INI_WRONG)
            (void)problems_take(reader->problems, &err);
        else if (item.kind == INI_SECTION)
            enter_section(reader, path, &item);
        else if (item.kind == INI_INCLUDE)
            take_include(reader, path, &item, deep);
        else
            take_value(reader, path, &item);
    }
}

/* False when the file is not set or could not be read. */
static bool read_named(Reader *reader, const char *path, char **text, size_t *length)
{
    if (str_empty(path))
        return false;
    Error err = {0};
    return reader->files->read(reader->files, reader->config->arena, path, text, length, &err) ||
           problems_take(reader->problems, &err);
}

static void read_auth_files(Reader *reader)
{
    PoolConfig *config = reader->config;
    const PoolSettings *settings = &config->settings;
    PoolProblems *problems = reader->problems;
    char *text = NULL;
    size_t length = 0;
    /* each reports what is wrong; the count of errors decides */
    if (settings->auth_type != AUTH_ANY && read_named(reader, settings->auth_file, &text, &length))
        (void)!userlist_parse(config->arena, settings->auth_file, text, length, &config->userlist,
                              problems);
    if (settings->auth_type != AUTH_HBA)
        return;
    if (read_named(reader, settings->auth_ident_file, &text, &length))
        (void)!ident_parse(config->arena, settings->auth_ident_file, text, length, &config->maps,
                           problems);
    if (read_named(reader, settings->auth_hba_file, &text, &length))
        (void)!hba_parse(config->arena, reader->files, settings->auth_hba_file, text, length,
                         &config->maps, &config->hba, problems);
}

static void settle(PoolConfig *config)
{
    config->database_count =
        entries_settle(config->databases, config->database_count, sizeof(*config->databases));
    config->user_count = entries_settle(config->users, config->user_count, sizeof(*config->users));
    config->peer_count = entries_settle(config->peers, config->peer_count, sizeof(*config->peers));
    config->any_database =
        entries_find(config->databases, config->database_count, sizeof(*config->databases), "*");
}

bool pool_config_read(const char *path, const PoolFiles *files, PoolProblems *problems,
                      PoolConfig **config, Error *err)
{
    *config = NULL;
    _cleanup_arena_wiped_ Arena *arena = arena_create();
    PoolConfig *new = arena_alloc(arena, sizeof(*new));
    new->arena = arena;
    new->path = arena_strdup(arena, path);
    settings_set_defaults(pool_setting_specs, arena, &new->settings);
    new->settings.conffile = new->path;
    Reader reader = {.config = new, .files = files, .problems = problems};
    read_ini(&reader, new->path, 0);
    if (!problems->errors && !reader.main_seen)
        (void)problems_error(problems, path, 0, "there is no section [pgbouncer]");
    settle(new);
    read_auth_files(&reader);
    pool_settings_check(&new->settings, path, problems);
    pool_config_check(new, problems);
    if (!problems_check(problems, err)) {
        ident_free(&new->maps);
        return false;
    }
    *config = new;
    (void)TAKE(arena);
    return true;
}

void pool_config_destroy(PoolConfig *config)
{
    if (!config)
        return;
    ident_free(&config->maps);
    arena_destroy_wiped(config->arena);
}

const PoolDatabase *pool_config_database(const PoolConfig *config, const char *name)
{
    if (str_equal(name, "*"))
        return NULL;
    return entries_find(config->databases, config->database_count, sizeof(*config->databases),
                        name);
}

const PoolUser *pool_config_user(const PoolConfig *config, const char *name)
{
    return entries_find(config->users, config->user_count, sizeof(*config->users), name);
}

const PoolPeer *pool_config_peer(const PoolConfig *config, int id)
{
    for (size_t i = 0; i < config->peer_count; i++) {
        if (config->peers[i].id == id)
            return &config->peers[i];
    }
    return NULL;
}
