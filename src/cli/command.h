/* A command of the command line: a row of a table in src/cli/, listed in main.c.
 *
 * A cli file parses, calls one thing of the rooms below, prints, and does nothing else. */
#pragma once

#include "backup/seal_keys.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/config.h"
#include "conf/options.h"
#include "flows/target.h"

typedef struct CommandTables CommandTables;

/* For whom backups are encrypted and what opens them: backup_files_keys. */
typedef struct {
    BackupKeys *of[ENV_COUNT];
    char passphrase[SEAL_PASSPHRASE_SIZE];
} CommandKeys;

typedef struct Context {
    Arena *arena;                /* lives as long as the command */
    Log *log;                    /* talk: stderr */
    FILE *out;                   /* data: stdout */
    const char *program;         /* path of this binary, to name in cron lines and hints */
    const char *command;         /* "migrate up" */
    const CommandTables *tables; /* for the commands that describe the others */
    const Options *options;
    Config *config; /* NULL for a command that reads none */
    EnvKind env;    /* -e */
    CommandKeys *keys;
    bool json;
    bool dry_run;      /* only true for commands that honour it */
    bool json_printed; /* set by command_print_json */
    int exit_status;   /* of a run without an error: 0 unless --nagios wants its own */
} Context;

typedef struct {
    const char *name;     /* "migrate up", "restore" */
    const char *synopsis; /* its arguments, as options.h names them: "FILE", "[N]"; "" for none */
    const char *summary;  /* one line for the list of commands, no full stop */
    const char *details;  /* for --help and the manual, see text.h; may be NULL */
    const char *example;  /* a command line that works; three spaces; what it does */
    const OptionSpec *options; /* its own flags, ends in OPTION_END; may be NULL */
    int min_arguments;
    int max_arguments;    /* -1: any number */
    bool honours_dry_run; /* others exit 2 on --dry-run */
    bool (*run)(Context *context, Error *err);
    bool reads_no_config; /* works whatever vaxdb.ini holds */
} Command;

#define COMMAND_END                                                                                \
    {                                                                                              \
        0                                                                                          \
    }

/* The flags that every command takes (-e, --json, ...); ends in OPTION_END. */
extern const OptionSpec command_global_options[];

/* "migrate", or a command that has no others beside it, such as "restore". */
typedef struct {
    const char *name;
    const char *summary;
    const char *details; /* as a command's; NULL for a command alone, whose own serve */
} CommandGroup;

struct CommandTables {
    const Command *const *tables; /* each ends in COMMAND_END */
    size_t table_count;
    const CommandGroup *groups; /* in the order of --help */
    size_t group_count;
};

/* The commands of a group in the order of the tables: returns the one after `after`, the first when
 * that is NULL, NULL at the end. group NULL: of all. */
const Command *command_next(const CommandTables *tables, const char *group, const Command *after);

/* Runs one command line: finds the command, parses, prints help or errors. The exit status. */
int command_main(const char *const *argv, const CommandTables *tables);

/* The usual beginning of a command that works on a database: state, target by -e or --url, session
 * (which may be NULL: then target and state only). The session closes with `_cleanup_session_` in
 * the caller; the state likewise. */
bool command_connect(Context *context, State **state, Target *target, Session **session,
                     Error *err) MUST_CHECK;
/* --url or --dbname, NULL when neither was given. */
const char *command_url(const Context *context);

/* Adds "schema" and "command" in front, prints it, takes over object. */
bool command_print_json(Context *context, json_t *object, Error *err) MUST_CHECK;
/* The positional argument at index, NULL when it was not given. */
const char *command_argument(const Context *context, size_t index);
