#include "cli/completion.h"

#include "base/str.h"
#include "cli/commands.h"

#include <errno.h>

void completion_put_quoted(FILE *out, const char *text)
{
    (void)fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*text, out);
    }
    (void)fputc('\'', out);
}

const char *completion_kind(Arena *arena, const char *argument)
{
    static const char *const known[] = {"FILE", "DIR", "MIGRATION"};
    StrList words;
    str_list_init(&words, arena);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_equal(argument, known[i]))
            return argument;
    }
    if (str_equal(argument, "ENV")) {
        for (int env = 0; env < ENV_COUNT; env++)
            str_list_add(&words, env_name((EnvKind)env));
        return str_list_join(&words, arena, "|");
    }
    return option_choices(argument, &words) ? argument : "";
}

size_t completion_arguments(Arena *arena, const Command *command, CompletionArgument **arguments)
{
    StrList words;
    str_list_init(&words, arena);
    str_split(&words, command->synopsis, " ");
    *arguments = arena_array(arena, words.count + 1, sizeof(**arguments));
    for (size_t i = 0; i < words.count; i++) {
        StrList bare;
        str_list_init(&bare, arena);
        str_split(&bare, words.items[i], "[].");
        (*arguments)[i] = (CompletionArgument){.name = bare.count ? bare.items[0] : words.items[i],
                                               .optional = words.items[i][0] == '[',
                                               .repeats = strstr(words.items[i], "...") != NULL};
    }
    return words.count;
}

void completion_put_migrations(FILE *out)
{
    (void)fputs("_vaxdb_migrations_places='", out);
    for (size_t i = 0; config_place("migrations", i); i++)
        (void)fprintf(out, "%s%s", i ? " " : "", config_place("migrations", i));
    (void)fputs("'\n_vaxdb_migrations_setting="
                "'s/^[[:space:]]*migrations[[:space:]]*=[[:space:]]*//p'\n\n",
                out);
}

/* In the order of the synopsis "bash|zsh". */
static const struct {
    const char *name;
    void (*write)(const CommandTables *tables, FILE *out);
} shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}};

static bool run_completion(Context *context, Error *err)
{
    const char *shell = command_argument(context, 0);
    size_t i = 0;
    while (i + 1 < COUNT_OF(shells) && !str_equal(shells[i].name, shell))
        i++;
    if (!context->json) {
        shells[i].write(context->tables, context->out);
        return true;
    }
    _cleanup_free_ char *script = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&script, &length);
    if (!memory)
        return error_set_errno(err, ERR_FAILED, errno, "no memory for the script");
    shells[i].write(context->tables, memory);
    if (fclose(memory) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "no memory for the script");
    return command_print_json(
        context, json_pack("{s:s, s:s}", "shell", shells[i].name, "script", script), err);
}

const Command cli_completion_commands[] = {
    {.name = "completion",
     .synopsis = "bash|zsh",
     .summary = "print a script with which the shell completes vaxdb's commands",
     .details =
         "Completes commands, flags and what they take: environments, files, folders, names of "
         "migrations. For bash, in ~/.bashrc:\n\n"
         "  source <(vaxdb completion bash)\n\n"
         "For zsh, in ~/.zshrc behind compinit:\n\n"
         "  source <(vaxdb completion zsh)\n\n"
         "`meson install` puts both where the shells look by themselves.",
     .example = "source <(vaxdb completion bash)     for this shell, now",
     .min_arguments = 1,
     .max_arguments = 1,
     .reads_no_config = true,
     .run = run_completion},
    COMMAND_END,
};
