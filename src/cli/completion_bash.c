#include "cli/completion.h"

#include "base/str.h"
#include "shell_texts.h"

static void put_flag_names(FILE *out, const OptionSpec *options, bool dry_run)
{
    for (const OptionSpec *spec = options; spec && (spec->name || spec->key); spec++) {
        if (!spec->name || (!dry_run && str_equal(spec->name, "dry-run")))
            continue;
        if (spec->letter)
            (void)fprintf(out, " -%c", spec->letter);
        (void)fprintf(out, " --%s", spec->name);
    }
}

/* A row of the case of _vaxdb_command: the words that may follow a group, or vaxdb itself. */
static void put_words(FILE *out, const char *name, const StrList *words, Arena *arena)
{
    (void)fputs("    ", out);
    completion_put_quoted(out, name);
    (void)fputs(") words=", out);
    completion_put_quoted(out, str_list_join(words, arena, " "));
    (void)fputs(" flags+=' --dry-run' ;;\n", out);
}

static void put_command(FILE *out, const Command *command)
{
    _cleanup_arena_ Arena *arena = arena_create();
    CompletionArgument *arguments = NULL;
    size_t count = completion_arguments(arena, command, &arguments);
    StrList kinds;
    str_list_init(&kinds, arena);
    for (size_t i = 0; i < count; i++) {
        const char *kind = completion_kind(arena, arguments[i].name);
        str_list_addf(&kinds, "%s%s", *kind ? kind : "-", arguments[i].repeats ? "..." : "");
    }
    (void)fputs("    ", out);
    completion_put_quoted(out, command->name);
    (void)fprintf(out, ") flags+='%s", command->honours_dry_run ? " --dry-run" : "");
    put_flag_names(out, command->options, true);
    (void)fputs("' arguments=", out);
    completion_put_quoted(out, str_list_join(&kinds, arena, " "));
    (void)fputs(" ;;\n", out);
}

static void put_commands(const CommandTables *tables, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fputs("# What may follow a command, \"\" for vaxdb itself.\n"
                "_vaxdb_command() { # COMMAND\n"
                "    words='' arguments=''\n"
                "    flags='",
                out);
    put_flag_names(out, command_global_options, false);
    (void)fputs("'\n    case $1 in\n", out);
    StrList first;
    str_list_init(&first, arena);
    for (size_t i = 0; i < tables->group_count; i++)
        str_list_add(&first, tables->groups[i].name);
    str_list_add(&first, "help");
    put_words(out, "", &first, arena);
    for (size_t i = 0; i < tables->group_count; i++) {
        const char *group = tables->groups[i].name;
        StrList verbs;
        str_list_init(&verbs, arena);
        for (const Command *command = NULL; (command = command_next(tables, group, command));) {
            if (strchr(command->name, ' '))
                str_list_add(&verbs, strchr(command->name, ' ') + 1);
        }
        if (verbs.count)
            put_words(out, group, &verbs, arena);
    }
    for (const Command *command = NULL; (command = command_next(tables, NULL, command));)
        put_command(out, command);
    (void)fputs("    esac\n}\n\n", out);
}

/* Rows of the case of _vaxdb_flag; command NULL: the flags of every command. */
static void put_flag_kinds(FILE *out, Arena *arena, const Command *command,
                           const OptionSpec *options)
{
    for (const OptionSpec *spec = options; spec && (spec->name || spec->key); spec++) {
        if (!spec->name || spec->kind == OPTION_FLAG)
            continue;
        const char *name = command ? command->name : "";
        const char *any = command ? "" : "*";
        (void)fprintf(out, "    %s'%s --%s'", any, name, spec->name);
        if (spec->letter)
            (void)fprintf(out, " | %s'%s -%c'", any, name, spec->letter);
        (void)fputs(") kind=", out);
        completion_put_quoted(out, completion_kind(arena, spec->argument));
        (void)fputs(" ;;\n", out);
    }
}

void completion_bash(const CommandTables *tables, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fputs(text_completion_bash, out);
    completion_put_migrations(out);
    put_commands(tables, out);
    (void)fputs("# What the flag of a command takes, in kind; false when it takes nothing.\n"
                "_vaxdb_flag() { # COMMAND FLAG\n"
                "    case \"$1 $2\" in\n",
                out);
    put_flag_kinds(out, arena, NULL, command_global_options);
    for (const Command *command = NULL; (command = command_next(tables, NULL, command));)
        put_flag_kinds(out, arena, command, command->options);
    (void)fputs("    *) return 1 ;;\n    esac\n}\n", out);
}
