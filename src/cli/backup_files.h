/* Where backups are and which one a user means: shared by the commands backup, restore and drill.
 */
#pragma once

#include "cli/command.h"

/* The option --dir of these commands. */
#define OPTION_BACKUP_DIR                                                                          \
    {                                                                                              \
        .name = "dir", .kind = OPTION_PATH, .argument = "DIR", .key = "backup_dir",                \
        .help = "folder of backups (setting backup_dir)"                                           \
    }

/* The folder of an environment's backups: --dir, backup_dir, else backups/ in the state directory.
 */
const char *backup_files_directory(const Context *context, EnvKind env);
/* The folders of all environments, each once; with -e only that of the environment. */
void backup_files_directories(const Context *context, StrList *directories);
/* NULL when -e was not given: then backups of every environment are meant. */
const char *backup_files_env(const Context *context);
/* For whom an environment's backups are encrypted and what opens them, by its settings. They live
 * as long as the command. */
BackupKeys *backup_files_keys(const Context *context, EnvKind env);
/* A path, the name of a backup, or "newest" (also for NULL; of -e where it was given). */
bool backup_files_find(const Context *context, const char *wanted, const char **path,
                       Error *err) MUST_CHECK;
/* For a restore, where -e names the target: a path, or the name of a backup of any environment. */
bool backup_files_find_named(const Context *context, const char *wanted, const char **path,
                             Error *err) MUST_CHECK;
