/* The option table: one row drives argv, environment variable, configuration file, --help and the
 * manual pages, so that they cannot drift apart.
 *
 * A row with a name is a flag of the command line; with a key, a setting of the configuration file;
 * with both, the flag overrides the setting. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    OPTION_FLAG, /* takes no argument */
    OPTION_TEXT,
    OPTION_PATH,     /* in a configuration file relative to the folder of that file */
    OPTION_INT,      /* within min and max; min == max == 0: any non-negative */
    OPTION_BYTES,    /* "64MB" */
    OPTION_DURATION, /* "5min"; value in ms */
    OPTION_DATE,     /* "2026-11-23" */
    OPTION_BOOL,     /* configuration only: on, off */
} OptionKind;

typedef struct {
    const char *name; /* long flag without "--"; NULL: configuration only */
    char letter;      /* short flag; 0: none */
    OptionKind kind;
    const char *argument; /* what --help calls the argument: "DIR"; see below */
    const char *key;      /* setting in vaxdb.ini; NULL: command line only */
    const char *variable; /* environment variable; NULL: none */
    const char *fallback; /* default as text, shown by --help; NULL: none */
    const char *help;     /* one line, lower case, no full stop */
    int64_t min, max;
    bool repeats; /* may be given more than once; read with options_list */
} OptionSpec;

#define OPTION_END                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }

/* What an argument is called also says what may stand there: "text|json" is one of these words,
 * which is checked; shells complete DIR, FILE, ENV (an environment) and MIGRATION (a file's name),
 * too. This gives the words of one between bars; false when it is not of that kind. */
bool option_choices(const char *argument, StrList *choices);

/* What was given on a command line. All memory is in the arena. */
typedef struct Options Options;

/* tables: arrays of OptionSpec, each ending in OPTION_END; count of them. argv without the
 * program's and the command's name. Flags may stand anywhere; "--" ends them; "--name=value" and
 * "--name value" and "-nvalue" are the same. Wrong flags are ERR_USAGE with "did you mean". */
bool options_parse(Arena *arena, const OptionSpec *const *tables, size_t count,
                   const char *const *argv, Options **options, Error *err) MUST_CHECK;

/* Positional arguments. */
const StrList *options_arguments(const Options *options);

/* Was the flag given? Asking for a name that is in no table is a programming error (assert). */
bool options_given(const Options *options, const char *name);
bool options_flag(const Options *options, const char *name);
/* The flag's value, else the row's fallback, else NULL. */
const char *options_text(const Options *options, const char *name);
/* Likewise; without value and fallback 0. The syntax was checked by options_parse. */
int64_t options_int(const Options *options, const char *name);
const StrList *options_list(const Options *options, const char *name);
/* The value of a given flag that overrides the setting key; NULL when no table has such a flag or
 * it was not given. *name is the flag's. */
const char *options_for_setting(const Options *options, const char *key, const char **name);

/* Is value one of the words of "text|json"? ERR_USAGE naming where and the words when not; anything
 * is good for an argument that is not of that kind. */
bool option_check_choice(const char *argument, const char *where, const char *value,
                         Error *err) MUST_CHECK;
/* Is value good for this row? ERR_USAGE naming where ("--rows", "vaxdb.ini:12: rows"). */
bool option_check(const OptionSpec *spec, const char *where, const char *value,
                  Error *err) MUST_CHECK;
/* The number behind a checked INT, BYTES, DURATION (ms), DATE (days) or BOOL value. */
int64_t option_number(const OptionSpec *spec, const char *value);
