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

typedef struct Context {
    Arena *arena;           /* lives as long as the command */
    Log *log;               /* talk: stderr */
    FILE *out;              /* data: stdout */
    const char *program;    /* path of this binary, to name in cron lines and hints */
    const char *command;    /* "migrate up" */
    const Options *options;
    Config *config;
    EnvKind env;            /* -e */
    bool json;
    bool dry_run;           /* only true for commands that honour it */
    bool json_printed;      /* set by command_print_json */
} Context;

typedef struct {
    const char *name;     /* "migrate up", "restore" */
    const char *synopsis; /* its arguments: "FILE", "[N]"; "" for none */
    const char *summary;  /* one line for the list of commands, no full stop */
    const char *details;  /* paragraphs for --help; may be NULL */
    const char *example;  /* a command line that works, with what it does */
    const OptionSpec *options; /* its own flags, ends in OPTION_END; may be NULL */
    int min_arguments;
    int max_arguments;    /* -1: any number */
    bool honours_dry_run; /* others exit 2 on --dry-run */
    bool (*run)(Context *context, Error *err);
} Command;

/* Adds "schema" and "command" in front, prints it, takes over object. */
bool command_print_json(Context *context, json_t *object, Error *err) MUST_CHECK;
/* The positional argument at index, NULL when it was not given. */
const char *command_argument(const Context *context, size_t index);
