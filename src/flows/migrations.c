#include "flows/migrations.h"

#include "base/file.h"

#define LOCK_ATTEMPTS   10
#define WAIT_DEFAULT_MS ((int64_t)10 * 60 * 1000)

static const char *const usual_places[] = {"backend/database/migrations", "database/migrations",
                                           "db/migrations", "migrations"};

static const char *find_below(Arena *arena, const char *base)
{
    for (size_t i = 0; i < COUNT_OF(usual_places); i++) {
        const char *path = path_join(arena, base, usual_places[i]);
        if (file_is_directory(path))
            return path;
    }
    return NULL;
}

bool migrations_locate(Arena *arena, const Config *config, EnvKind env, const char **directory,
                       Error *err)
{
    char *base = NULL, *here = NULL, *chosen = NULL;
    const char *set = config_text(config, env, "migrations");
    if (!path_absolute(arena, config_directory(config), &base, err) ||
        !path_absolute(arena, ".", &here, err))
        return false;
    const char *found = set ? set : find_below(arena, base);
    if (!found)
        found = find_below(arena, here);
    if (!found)
        found = path_join(arena, base, usual_places[0]);
    if (!path_absolute(arena, found, &chosen, err))
        return false;
    *directory = chosen;
    return true;
}

bool migrations_options(Arena *arena, Log *log, const Config *config, const Target *target,
                        MigrateOptions *options, Error *err)
{
    *options = (MigrateOptions){.conninfo = target->conninfo,
                                .ledger_table = config_text(config, target->env, "ledger_table"),
                                .lock_timeout_ms = config_int(config, target->env, "lock_timeout"),
                                .lock_attempts = LOCK_ATTEMPTS,
                                .wait_ms = WAIT_DEFAULT_MS,
                                .log = log};
    return migrations_locate(arena, config, target->env, &options->directory, err);
}
