#include "conf/options.h"

#include "base/clock.h"

#include <assert.h>

#define TABLES_MAX 4
#define NAMES_MAX  128

/* Between the bars of "text|json". */
#define CHOICE_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_"

typedef struct {
    const OptionSpec *spec;
    StrList values;
} Given;

struct Options {
    const OptionSpec *tables[TABLES_MAX];
    size_t table_count;
    Given *given;
    size_t given_count;
    size_t given_capacity;
    StrList arguments;
};

static bool is_end(const OptionSpec *spec)
{
    return !spec->name && !spec->key;
}

static const OptionSpec *find_long(const Options *options, const char *name, size_t length)
{
    for (size_t t = 0; t < options->table_count; t++) {
        for (const OptionSpec *spec = options->tables[t]; !is_end(spec); spec++) {
            if (spec->name && strlen(spec->name) == length &&
                strncmp(spec->name, name, length) == 0)
                return spec;
        }
    }
    return NULL;
}

static const OptionSpec *find_letter(const Options *options, char letter)
{
    for (size_t t = 0; t < options->table_count; t++) {
        for (const OptionSpec *spec = options->tables[t]; !is_end(spec); spec++) {
            if (spec->name && spec->letter == letter)
                return spec;
        }
    }
    return NULL;
}

static bool unknown_flag(const Options *options, const char *word, Error *err)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t t = 0; t < options->table_count; t++) {
        for (const OptionSpec *spec = options->tables[t]; !is_end(spec); spec++) {
            if (spec->name && count < NAMES_MAX)
                names[count++] = spec->name;
        }
    }
    (void)error_set(err, ERR_USAGE, "unknown flag %s", word);
    char bare[64] = "";
    size_t length = strcspn(word + 1, "=");
    if (str_starts(word, "--") && length < sizeof(bare))
        memcpy(bare, word + 2, length - 1);
    const char *nearest = *bare ? str_nearest(bare, names, count) : NULL;
    if (nearest)
        return error_hint(err, "did you mean --%s? --help lists the flags", nearest);
    return error_hint(err, "--help lists the flags");
}

static Given *given_find(const Options *options, const OptionSpec *spec)
{
    for (size_t i = 0; i < options->given_count; i++) {
        if (options->given[i].spec == spec)
            return &options->given[i];
    }
    return NULL;
}

static bool give(Arena *arena, Options *options, const OptionSpec *spec, const char *value,
                 Error *err)
{
    const char *where = arena_printf(arena, "--%s", spec->name);
    if (value && !option_check(spec, where, value, err))
        return false;
    Given *given = given_find(options, spec);
    if (given && !spec->repeats && spec->kind != OPTION_FLAG)
        return error_set(err, ERR_USAGE, "%s was given twice", where);
    if (!given) {
        Given fresh = {.spec = spec};
        str_list_init(&fresh.values, arena);
        ARENA_PUSH(arena, options->given, options->given_count, options->given_capacity, fresh);
        given = &options->given[options->given_count - 1];
    }
    if (value)
        str_list_add(&given->values, value);
    return true;
}

/* Takes the argument of a flag: what stands behind it in the same word, or the next word. */
static bool take_value(const OptionSpec *spec, const char *attached, const char *const **next,
                       const char **value, Error *err)
{
    if (attached) {
        *value = attached;
        return true;
    }
    if (!**next) {
        return error_set(err, ERR_USAGE, "--%s needs a value: --%s %s", spec->name, spec->name,
                         spec->argument ? spec->argument : "VALUE");
    }
    *value = *(*next)++;
    return true;
}

static bool parse_long(Arena *arena, Options *options, const char *word, const char *const **next,
                       Error *err)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const OptionSpec *spec = find_long(options, name, length);
    if (!spec)
        return unknown_flag(options, word, err);
    const char *attached = name[length] ? name + length + 1 : NULL;
    if (spec->kind == OPTION_FLAG) {
        if (attached)
            return error_set(err, ERR_USAGE, "--%s takes no value", spec->name);
        return give(arena, options, spec, NULL, err);
    }
    const char *value = NULL;
    return take_value(spec, attached, next, &value, err) && give(arena, options, spec, value, err);
}

/* "-qv", "-e production", "-eproduction" */
static bool parse_letters(Arena *arena, Options *options, const char *word,
                          const char *const **next, Error *err)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const OptionSpec *spec = find_letter(options, *letter);
        if (!spec)
            return unknown_flag(options, word, err);
        if (spec->kind == OPTION_FLAG) {
            if (!give(arena, options, spec, NULL, err))
                return false;
            continue;
        }
        const char *value = NULL;
        return take_value(spec, letter[1] ? letter + 1 : NULL, next, &value, err) &&
               give(arena, options, spec, value, err);
    }
    return true;
}

bool options_parse(Arena *arena, const OptionSpec *const *tables, size_t count,
                   const char *const *argv, Options **options, Error *err)
{
    assert(count <= TABLES_MAX);
    Options *parsed = arena_alloc(arena, sizeof(*parsed));
    parsed->table_count = count;
    memcpy(parsed->tables, tables, count * sizeof(*tables));
    str_list_init(&parsed->arguments, arena);
    bool flags_ended = false;
    while (*argv) {
        const char *word = *argv++;
        if (flags_ended || word[0] != '-' || !word[1]) {
            str_list_add(&parsed->arguments, word);
        } else if (str_equal(word, "--")) {
            flags_ended = true;
        } else if (word[1] == '-') {
            if (!parse_long(arena, parsed, word, &argv, err))
                return false;
        } else if (!parse_letters(arena, parsed, word, &argv, err)) {
            return false;
        }
    }
    *options = parsed;
    return true;
}

const StrList *options_arguments(const Options *options)
{
    return &options->arguments;
}

static const OptionSpec *must_find(const Options *options, const char *name)
{
    const OptionSpec *spec = find_long(options, name, strlen(name));
    assert(spec && "a flag that no table has");
    return spec;
}

bool options_given(const Options *options, const char *name)
{
    return given_find(options, must_find(options, name)) != NULL;
}

bool options_flag(const Options *options, const char *name)
{
    return options_given(options, name);
}

const char *options_text(const Options *options, const char *name)
{
    const OptionSpec *spec = must_find(options, name);
    const Given *given = given_find(options, spec);
    return given && given->values.count ? given->values.items[0] : spec->fallback;
}

int64_t options_int(const Options *options, const char *name)
{
    const char *value = options_text(options, name);
    return value ? option_number(must_find(options, name), value) : 0;
}

const StrList *options_list(const Options *options, const char *name)
{
    static const StrList none;
    const Given *given = given_find(options, must_find(options, name));
    return given ? &given->values : &none;
}

const char *options_for_setting(const Options *options, const char *key, const char **name)
{
    for (size_t i = 0; i < options->given_count; i++) {
        const Given *given = &options->given[i];
        if (given->spec->key && str_equal(given->spec->key, key) && given->values.count) {
            *name = given->spec->name;
            return given->values.items[0];
        }
    }
    return NULL;
}

/* Reads any kind of number; false when value is not one. */
static bool read_number(const OptionSpec *spec, const char *value, int64_t *number)
{
    int32_t days = 0;
    bool on = false;
    switch (spec->kind) {
    case OPTION_INT: {
        bool bounded = spec->min || spec->max;
        return str_to_int64(value, bounded ? spec->min : 0, bounded ? spec->max : INT64_MAX,
                            number);
    }
    case OPTION_BYTES:
        return str_to_bytes(value, number);
    case OPTION_DURATION:
        return str_to_duration_ms(value, number);
    case OPTION_DATE:
        if (!clock_parse_date(value, &days))
            return false;
        *number = days;
        return true;
    case OPTION_BOOL:
        if (!str_to_bool(value, &on))
            return false;
        *number = on;
        return true;
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_PATH:
        break;
    }
    *number = 0;
    return true;
}

bool option_choices(const char *argument, StrList *choices)
{
    if (!argument || !strchr(argument, '|') ||
        argument[strspn(argument, CHOICE_CHARACTERS "|")] != '\0')
        return false;
    str_split(choices, argument, "|");
    return choices->count > 1;
}

bool option_check_choice(const char *argument, const char *where, const char *value, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StrList choices;
    str_list_init(&choices, arena);
    if (!option_choices(argument, &choices) || str_list_has(&choices, value))
        return true;
    (void)error_set(err, ERR_USAGE, "%s: \"%s\" is not valid", where, value);
    return error_hint(err, "one of %s", str_list_join(&choices, arena, ", "));
}

bool option_check(const OptionSpec *spec, const char *where, const char *value, Error *err)
{
    int64_t number = 0;
    if (spec->kind == OPTION_TEXT)
        return option_check_choice(spec->argument, where, value, err);
    if (read_number(spec, value, &number))
        return true;
    (void)error_set(err, ERR_USAGE, "%s: \"%s\" is not valid", where, value);
    switch (spec->kind) {
    case OPTION_INT:
        if (spec->max)
            return error_hint(err, "a whole number from %lld to %lld", (long long)spec->min,
                              (long long)spec->max);
        return error_hint(err, "a whole number, 0 or more");
    case OPTION_BYTES:
        return error_hint(err, "a size such as 512MB or 20GB");
    case OPTION_DURATION:
        return error_hint(err, "a time such as 500ms, 15s, 5min, 24h or 30d");
    case OPTION_DATE:
        return error_hint(err, "a date such as 2026-01-31");
    case OPTION_BOOL:
        return error_hint(err, "on or off");
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_PATH:
        break;
    }
    return false;
}

int64_t option_number(const OptionSpec *spec, const char *value)
{
    int64_t number = 0;
    bool valid = read_number(spec, value, &number);
    assert(valid && "an unchecked value");
    return number;
}
