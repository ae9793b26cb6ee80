/* Where an environment's migrations are, and how they run there: from configuration to the
 * parameters of migrate/migrate.h. */
#pragma once

#include "conf/config.h"
#include "flows/target.h"
#include "migrate/migrate.h"

/* The folder of migrations (config_folder; --dir is its flag); where none is there, the guide's,
 * beside the configuration. Absolute. */
bool migrations_locate(Arena *arena, const Config *config, EnvKind env, const char **directory,
                       Error *err) MUST_CHECK;
/* Everything but the listeners. */
bool migrations_options(Arena *arena, Log *log, const Config *config, const Target *target,
                        MigrateOptions *options, Error *err) MUST_CHECK;
