/* The configuration: settings of vaxdb.ini, environment variables and flags, in one lookup.
 *
 * A setting is looked for in this order: the flag of the running command, its environment variable,
 * the file's section of the environment ([production]), the file's [vaxdb], the default of that
 * environment, the default. The table of all settings is config_settings. */
#pragma once

#include "base/log.h"
#include "conf/ini.h"
#include "conf/options.h"

typedef enum { ENV_DEVELOPMENT, ENV_STAGING, ENV_PRODUCTION, ENV_TEST } EnvKind;
#define ENV_COUNT 4

const char *env_name(EnvKind env);
bool env_parse(const char *name, EnvKind *env, Error *err) MUST_CHECK;

typedef struct Config Config;

extern const OptionSpec config_settings[]; /* every key a file may have; ends in OPTION_END */

/* Finds and reads the file: `file` when given (missing is ERR_USAGE), else $VAXDB_CONFIG, else
 * ./vaxdb.ini, $XDG_CONFIG_HOME/vaxdb/vaxdb.ini, /etc/vaxdb/vaxdb.ini; none at all is fine. Unknown
 * sections and keys and malformed values are ERR_USAGE with file and line. options may be NULL. */
bool config_load(Arena *arena, const char *file, const Options *options, Config **config,
                 Error *err) MUST_CHECK;

/* Path of the file read, NULL when there is none; and its folder (the working directory then). */
const char *config_path(const Config *config);
const char *config_directory(const Config *config);

/* Values as text; NULL when neither set nor defaulted. PATH values come back absolute. */
const char *config_text(const Config *config, EnvKind env, const char *key);
int64_t config_int(const Config *config, EnvKind env, const char *key);
/* Where the value came from: "--dir", "$VAXDB_BACKUP_DIR", "vaxdb.ini:12", "default". */
const char *config_source(const Config *config, EnvKind env, const char *key);

/* The folder of "migrations" or "queries_dir": the setting; without one the first of the
 * conventional places (backend/database/migrations, ...) that exists under the configuration's
 * folder, else under the working directory. NULL when there is none. */
const char *config_folder(const Config *config, EnvKind env, const char *key);

/* Those places, for a shell that completes: NULL behind the last. */
const char *config_place(const char *key, size_t index);

/* The state directory: $VAXDB_STATE_DIR, else /var/lib/vaxdb where writable, else
 * $XDG_STATE_HOME/vaxdb (~/.local/state/vaxdb). Not made here. */
const char *config_state_directory(const Config *config);
