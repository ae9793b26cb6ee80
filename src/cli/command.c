#include "cli/command.h"

#include "base/interrupt.h"
#include "base/str.h"
#include "cli/help.h"

#include <assert.h>

#define NAMES_MAX 256

/* clang-format off */
const OptionSpec command_global_options[] = {
    {.name = "env", .letter = 'e', .kind = OPTION_TEXT, .argument = "ENV", .fallback = "development",
     .help = "environment: development, staging, production or test"},
    {.name = "url", .kind = OPTION_TEXT, .argument = "CONNINFO",
     .help = "a database outside the configuration"},
    {.name = "dbname", .letter = 'd', .kind = OPTION_TEXT, .argument = "CONNINFO",
     .help = "the same, or the name of a database that PG* variables complete"},
    {.name = "config", .letter = 'c', .kind = OPTION_TEXT, .argument = "FILE",
     .help = "configuration file"},
    {.name = "json", .kind = OPTION_FLAG, .help = "print one JSON object on standard output"},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .help = "only warnings and errors"},
    {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "say more"},
    {.name = "no-color", .kind = OPTION_FLAG, .help = "no colours (also: NO_COLOR)"},
    {.name = "no-input", .kind = OPTION_FLAG, .help = "never ask; what would need an answer fails"},
    {.name = "yes", .letter = 'y', .kind = OPTION_FLAG,
     .help = "answer every question with yes, except production's"},
    {.name = "confirm", .kind = OPTION_TEXT, .argument = "DBNAME",
     .help = "name the database that may be changed, to pass production's guard"},
    {.name = "dry-run", .kind = OPTION_FLAG, .help = "print what would be done and change nothing; a command that cannot exits 2"},
    {.name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "show this help"},
    {.name = "version", .letter = 'V', .kind = OPTION_FLAG, .help = "print the version"},
    OPTION_END,
};
/* clang-format on */

bool command_print_json(Context *context, json_t *object, Error *err)
{
    _cleanup_json_ json_t *whole = json_object();
    (void)json_object_set_new(whole, "schema", json_integer(1));
    (void)json_object_set_new(whole, "command", json_text(context->command));
    (void)json_object_update(whole, object);
    json_decref(object);
    context->json_printed = true;
    return json_print(whole, context->out, err);
}

const char *command_argument(const Context *context, size_t index)
{
    const StrList *arguments = options_arguments(context->options);
    return index < arguments->count ? arguments->items[index] : NULL;
}

const char *command_url(const Context *context)
{
    const char *url = options_text(context->options, "url");
    return url ? url : options_text(context->options, "dbname");
}

bool command_connect(Context *context, State **state, Target *target, Session **session, Error *err)
{
    if (!target_resolve(context->arena, context->log, context->config, context->env,
                        command_url(context), target, err))
        return false;
    if (!state_open(config_state_directory(context->config), state, err))
        return false;
    return !session || target_connect(context->arena, context->log, *state, target, session, err);
}

/* ---- finding the command ----------------------------------------------------------------- */

/* Is the name one of the group, "migrate up" of "migrate"? */
static bool in_group(const char *name, const char *group)
{
    size_t length = strlen(group);
    return str_starts(name, group) && (name[length] == ' ' || !name[length]);
}

const Command *command_next(const CommandTables *tables, const char *group, const Command *after)
{
    bool passed = after == NULL;
    for (size_t t = 0; t < tables->table_count; t++) {
        for (const Command *command = tables->tables[t]; command->name; command++) {
            if (passed && (!group || in_group(command->name, group)))
                return command;
            passed = passed || command == after;
        }
    }
    return NULL;
}

static const Command *find(const CommandTables *tables, const char *name)
{
    const Command *command = NULL;
    while ((command = command_next(tables, NULL, command))) {
        if (str_equal(command->name, name))
            return command;
    }
    return NULL;
}

static bool is_group(const CommandTables *tables, const char *name)
{
    for (size_t i = 0; i < tables->group_count; i++) {
        if (str_equal(tables->groups[i].name, name))
            return true;
    }
    return false;
}

/* A command that no group shows would be missing from --help. */
static void check_groups(const CommandTables *tables)
{
    const Command *command = NULL;
    while ((command = command_next(tables, NULL, command))) {
        char group[32] = "";
        size_t length = strcspn(command->name, " ");
        assert(length < sizeof(group));
        memcpy(group, command->name, length);
        assert(is_group(tables, group));
    }
}

/* What stands in front: "migrate up" becomes the command, the other words stay for options_parse.
 * Global flags may come before it, so their values must be told from command words. */
typedef struct {
    const char *first;
    const char *second;
    const char *const *first_at;
    const char *const *second_at;
} Words;

static bool takes_next_word(const char *flag)
{
    for (const OptionSpec *spec = command_global_options; spec->name; spec++) {
        if (spec->kind == OPTION_FLAG)
            continue;
        bool long_form = str_starts(flag, "--") && str_equal(flag + 2, spec->name);
        bool short_form = spec->letter && flag[1] == spec->letter && !flag[2];
        if (long_form || short_form)
            return true;
    }
    return false;
}

static Words find_words(const char *const *argv)
{
    Words words = {0};
    for (; *argv; argv++) {
        if (**argv == '-' && (*argv)[1]) {
            if (takes_next_word(*argv) && argv[1])
                argv++;
        } else if (!words.first) {
            words.first = *argv;
            words.first_at = argv;
        } else {
            words.second = *argv;
            words.second_at = argv;
            break;
        }
    }
    return words;
}

static bool unknown_command(Arena *arena, const CommandTables *tables, const Words *words,
                            Error *err)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    bool group = is_group(tables, words->first);
    const Command *command = NULL;
    while ((command = command_next(tables, NULL, command)) && count < NAMES_MAX)
        names[count++] = command->name;
    for (size_t i = 0; i < tables->group_count && count < NAMES_MAX && !group; i++)
        names[count++] = tables->groups[i].name;
    const char *typed = words->second && group
                            ? arena_printf(arena, "%s %s", words->first, words->second)
                            : words->first;
    (void)error_set(err, ERR_USAGE, "there is no command \"%s\"", typed);
    const char *nearest = str_nearest(typed, names, count);
    if (nearest)
        return error_hint(err, "did you mean `vaxdb %s`?", nearest);
    return error_hint(
        err, group ? "`vaxdb %s --help` lists its commands" : "`vaxdb --help` lists the commands",
        words->first);
}

/* argv without the words that named the command. */
static const char *const *remove_words(Arena *arena, const char *const *argv, const Words *words,
                                       bool both)
{
    size_t count = 0;
    while (argv[count])
        count++;
    const char **rest = arena_array(arena, count + 1, sizeof(*rest));
    size_t kept = 0;
    for (const char *const *word = argv; *word; word++) {
        if (word != words->first_at && !(both && word == words->second_at))
            rest[kept++] = *word;
    }
    return rest;
}

static bool has_word(const char *const *argv, const char *long_flag, const char *short_flag)
{
    for (; *argv && !str_equal(*argv, "--"); argv++) {
        if (str_equal(*argv, long_flag) || str_equal(*argv, short_flag))
            return true;
    }
    return false;
}

/* ---- running it -------------------------------------------------------------------------- */

/* Arguments that are one of some words: "bash|zsh". */
static bool check_choices(const Context *context, const Command *command, Error *err)
{
    StrList names;
    str_list_init(&names, context->arena);
    str_split(&names, command->synopsis, "[]. ");
    const StrList *arguments = options_arguments(context->options);
    for (size_t i = 0; i < arguments->count && i < names.count; i++) {
        if (!option_check_choice(names.items[i], command->name, arguments->items[i], err))
            return false;
    }
    return true;
}

static bool check_arguments(const Context *context, const Command *command, Error *err)
{
    const StrList *arguments = options_arguments(context->options);
    int count = (int)arguments->count;
    if (count < command->min_arguments)
        (void)error_set(err, ERR_USAGE, "%s needs %s", command->name, command->synopsis);
    else if (command->max_arguments >= 0 && count > command->max_arguments)
        (void)error_set(err, ERR_USAGE, "%s: unexpected argument \"%s\"", command->name,
                        arguments->items[command->max_arguments]);
    else
        return check_choices(context, command, err);
    return error_hint(err, "vaxdb %s%s%s; `vaxdb %s --help` says more", command->name,
                      *command->synopsis ? " " : "", command->synopsis, command->name);
}

static bool prepare(Context *context, const Command *command, const char *const *argv, Error *err)
{
    const OptionSpec *tables[] = {command_global_options, command->options};
    Options *options = NULL;
    if (!options_parse(context->arena, tables, command->options ? 2 : 1, argv, &options, err))
        return false;
    context->options = options;
    log_init(context->log, stderr, options_flag(options, "no-color"));
    context->log->quiet = options_flag(options, "quiet");
    context->log->verbose = options_flag(options, "verbose");
    context->log->assume_yes = options_flag(options, "yes");
    if (options_flag(options, "no-input"))
        context->log->can_ask = false;
    context->json = options_flag(options, "json");
    context->dry_run = options_flag(options, "dry-run");
    if (context->dry_run && !command->honours_dry_run)
        return error_set(err, ERR_USAGE, "%s cannot be tried with --dry-run", command->name);
    if (options_given(options, "url") && options_given(options, "dbname"))
        return error_set(err, ERR_USAGE, "--url and --dbname say the same: give one of them");
    return check_arguments(context, command, err) &&
           env_parse(options_text(options, "env"), &context->env, err) &&
           (command->reads_no_config || config_load(context->arena, options_text(options, "config"),
                                                    options, &context->config, err));
}

static void report(Context *context, Error *err)
{
    log_error(context->log, err);
    if (!context->json || context->json_printed)
        return;
    json_t *error = json_object();
    (void)json_object_set_new(error, "code", json_text(error_code_name(err->code)));
    (void)json_object_set_new(error, "message", json_text(err->message));
    if (err->hint[0])
        (void)json_object_set_new(error, "hint", json_text(err->hint));
    if (err->sqlstate[0])
        (void)json_object_set_new(error, "sqlstate", json_text(err->sqlstate));
    json_t *object = json_object();
    (void)json_object_set_new(object, "error", error);
    Error ignored = {0};
    (void)!command_print_json(context, object, &ignored);
}

/* Output that cannot be written (a full disk behind a redirection) must not look like success. */
static bool finish_output(FILE *out, Error *err)
{
    if (fflush(out) != 0 || ferror(out))
        return error_set(err, ERR_FAILED, "cannot write to standard output");
    return true;
}

static void cleanup_keys(CommandKeys *keys)
{
    for (size_t i = 0; i < ENV_COUNT; i++)
        backup_keys_destroy(keys->of[i]);
    seal_forget(keys, sizeof(*keys));
}

static int run(const CommandTables *tables, const Command *command, const char *program,
               const char *const *argv)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_(cleanup_keys) CommandKeys keys = {0};
    seal_take_passphrase(keys.passphrase);
    Log log;
    log_init(&log, stderr, has_word(argv, "--no-color", "--no-color"));
    Context context = {.arena = arena,
                       .log = &log,
                       .out = stdout,
                       .program = program,
                       .command = command->name,
                       .tables = tables,
                       .keys = &keys,
                       .json = has_word(argv, "--json", "--json")};
    Error err = {0};
    bool done = prepare(&context, command, argv, &err) && command->run(&context, &err) &&
                finish_output(context.out, &err);
    if (done)
        return context.exit_status;
    assert(err.code != ERR_NONE && "a failure without an error");
    if (interrupt_pending() && err.code == ERR_FAILED)
        err.code = ERR_INTERRUPTED;
    report(&context, &err);
    return (int)err.code;
}

static int fail(const char *const *argv, const char *name, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Log log;
    log_init(&log, stderr, has_word(argv, "--no-color", "--no-color"));
    Context context = {.arena = arena,
                       .log = &log,
                       .out = stdout,
                       .command = name,
                       .json = has_word(argv, "--json", "--json")};
    report(&context, err);
    return (int)err->code;
}

int command_main(const char *const *argv, const CommandTables *tables)
{
    _cleanup_arena_ Arena *arena = arena_create();
    check_groups(tables);
    const char *program = argv[0] ? argv[0] : "vaxdb";
    if (*argv)
        argv++;
    Words words = find_words(argv);
    bool help = has_word(argv, "--help", "-h");
    if (str_equal(words.first, "help")) { /* "vaxdb help migrate up" */
        help = true;
        argv = remove_words(arena, argv, &words, false);
        words = find_words(argv);
    }
    if (!words.first) {
        if (has_word(argv, "--version", "-V"))
            return printf("vaxdb %s\n", VAXDB_VERSION) < 0 ? ERR_FAILED : ERR_NONE;
        Error err = {0};
        Options *options = NULL;
        const OptionSpec *global[] = {command_global_options};
        if (!options_parse(arena, global, 1, argv, &options, &err))
            return fail(argv, "", &err);
        help_print_all(tables, help ? stdout : stderr);
        return help ? ERR_NONE : ERR_USAGE;
    }
    const char *both = words.second ? arena_printf(arena, "%s %s", words.first, words.second) : "";
    const Command *command = find(tables, both);
    bool two_words = command != NULL;
    if (!command)
        command = find(tables, words.first);
    if (command && help) {
        help_print_command(command, stdout);
        return ERR_NONE;
    }
    if (command)
        return run(tables, command, program, remove_words(arena, argv, &words, two_words));
    if (is_group(tables, words.first) && !words.second) {
        help_print_group(tables, words.first, help ? stdout : stderr);
        return help ? ERR_NONE : ERR_USAGE;
    }
    Error err = {0};
    (void)unknown_command(arena, tables, &words, &err);
    return fail(argv, both[0] ? both : words.first, &err);
}
