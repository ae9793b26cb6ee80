#include "flows/migrations.h"

#include "base/file.h"
#include "base/str.h"

#define LOCK_ATTEMPTS   10
#define WAIT_DEFAULT_MS ((int64_t)10 * 60 * 1000)

bool migrations_locate(Arena *arena, const Config *config, EnvKind env, const char **directory,
                       Error *err)
{
    char *absolute = NULL;
    const char *found = config_folder(config, env, "migrations");
    if (!found)
        found = path_join(arena, config_directory(config), "backend/database/migrations");
    if (!path_absolute(arena, found, &absolute, err))
        return false;
    *directory = absolute;
    return true;
}

static const StrList *listed_drift(Arena *arena, const Config *config, const Target *target)
{
    EnvKind env = target->guard == ENV_PRODUCTION ? ENV_PRODUCTION : target->env;
    const char *listed = config_text(config, env, "drift_ignore");
    StrList *ignore = arena_alloc(arena, sizeof(*ignore));
    str_list_init(ignore, arena);
    str_split(ignore, listed ? listed : "", ",");
    return ignore;
}

bool migrations_options(Arena *arena, Log *log, const Config *config, const Target *target,
                        MigrateOptions *options, Error *err)
{
    *options = (MigrateOptions){.conninfo = target->conninfo,
                                .ledger_table = config_text(config, target->env, "ledger_table"),
                                .lock_timeout_ms = config_int(config, target->env, "lock_timeout"),
                                .lock_attempts = LOCK_ATTEMPTS,
                                .wait_ms = WAIT_DEFAULT_MS,
                                .drift_ignore = listed_drift(arena, config, target),
                                .log = log};
    return migrations_locate(arena, config, target->env, &options->directory, err);
}
