#include "fuzz.h"

#include "base/str.h"
#include "pool/config.h"

#include <assert.h>

/* The input is the main file; its parts between lines of "====" are the files 1, 2, 3, ... that it
 * may name or include. */
typedef struct {
    const char *text;
    size_t length;
} Input;

static bool find_part(const Input *input, size_t wanted, const char **start, size_t *length)
{
    static const char mark[] = "====\n";
    const char *at = input->text;
    const char *end = input->text + input->length;
    for (size_t part = 0;; part++) {
        const char *stop = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1);
        if (part == wanted) {
            *start = at;
            *length = (size_t)((stop ? stop : end) - at);
            return true;
        }
        if (!stop)
            return false;
        at = stop + sizeof(mark) - 1;
    }
}

static bool read_part(const PoolFiles *files, Arena *arena, const char *path, char **text,
                      size_t *length, Error *err)
{
    int64_t part = 0;
    const char *start = NULL;
    if (!str_to_int64(path, 0, 9, &part) ||
        !find_part(files->context, (size_t)part, &start, length))
        return error_set(err, ERR_USAGE, "cannot read %s", path);
    *text = arena_strndup(arena, start, *length);
    return true;
}

/* What was read can be asked for, and says of itself what was put in. */
static void check_config(const PoolConfig *config, Arena *arena)
{
    PoolSettings again = config->settings;
    for (const SettingSpec *spec = pool_setting_specs; spec->name; spec++) {
        const char *text = setting_text(spec, arena, &config->settings);
        const char *reason = text ? setting_assign(spec, arena, text, &again) : NULL;
        assert(!reason);
        if (spec->kind == SETTING_INT || spec->kind == SETTING_WORD)
            assert(str_equal(setting_text(spec, arena, &again), text));
    }
    for (size_t i = 0; i < config->database_count; i++) {
        const PoolDatabase *database = &config->databases[i];
        const char *name = database->entry.name;
        assert(i == 0 || strcmp(config->databases[i - 1].entry.name, name) < 0);
        assert(pool_config_database(config, name) == (str_equal(name, "*") ? NULL : database));
        assert(!database->host == !database->host_count);
        assert(database->port > 0 && database->port < 65536);
    }
    for (size_t i = 0; i < config->user_count; i++)
        assert(pool_config_user(config, config->users[i].entry.name) == &config->users[i]);
    for (size_t i = 0; i < config->peer_count; i++)
        assert(pool_config_peer(config, config->peers[i].id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Input input = {(const char *)data, size};
    PoolFiles files = {read_part, &input};
    PoolProblems problems;
    problems_init(&problems, arena);
    _cleanup_pool_config_ PoolConfig *config = NULL;
    Error err = {0};
    bool good = pool_config_read("0", &files, &problems, &config, &err);
    assert(good == (config != NULL) && good == (problems.errors == 0));
    assert(good || (err.code == ERR_USAGE && *err.message));
    assert(problems.count <= POOL_PROBLEMS_MAX);
    if (good)
        check_config(config, arena);
    return 0;
}
