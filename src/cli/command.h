/* A command of the command line: a row of a table in src/cli/, listed in main.c.
 *
 * A cli file parses, calls one thing of the rooms below, prints, and does nothing else. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/config.h"
#include "conf/options.h"
#include "flows/target.h"

typedef struct Context {
    Arena *arena;        /* lives as long as the command */
    Log *log;            /* talk: stderr */
    FILE *out;           /* data: stdout */
    const char *program; /* path of this binary, to name in cron lines and hints */
    const char *command; /* "migrate up" */
    const Options *options;
    Config *config;
    EnvKind env; /* -e */
    bool json;
    bool dry_run;      /* only true for commands that honour it */
    bool json_printed; /* set by command_print_json */
    int exit_status;   /* of a run without an error: 0 unless --nagios wants its own */
} Context;

typedef struct {
    const char *name;          /* "migrate up", "restore" */
    const char *synopsis;      /* its arguments: "FILE", "[N]"; "" for none */
    const char *summary;       /* one line for the list of commands, no full stop */
    const char *details;       /* paragraphs for --help; may be NULL */
    const char *example;       /* a command line that works, with what it does */
    const OptionSpec *options; /* its own flags, ends in OPTION_END; may be NULL */
    int min_arguments;
    int max_arguments;    /* -1: any number */
    bool honours_dry_run; /* others exit 2 on --dry-run */
    bool (*run)(Context *context, Error *err);
} Command;

#define COMMAND_END                                                                                \
    {                                                                                              \
        0                                                                                          \
    }

/* The flags that every command takes (-e, --json, ...); ends in OPTION_END. */
extern const OptionSpec command_global_options[];

/* Runs one command line: finds the command, parses, prints help or errors. The exit status.
 * tables: arrays of Command that each end in COMMAND_END; groups: "migrate" and its summary. */
typedef struct {
    const char *name;
    const char *summary;
} CommandGroup;
int command_main(const char *const *argv, const Command *const *tables, size_t table_count,
                 const CommandGroup *groups, size_t group_count);

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
