#include "cli/completion.h"

#include "base/str.h"
#include "cli/help.h"
#include "shell_texts.h"

/* A description between brackets, which _arguments reads. */
static const char *bracketed(Arena *arena, const char *text)
{
    char *escaped = arena_array(arena, 2 * strlen(text) + 1, 1);
    char *end = escaped;
    for (; *text; text++) {
        if (strchr("[]\\", *text))
            *end++ = '\\';
        *end++ = *text;
    }
    *end = '\0';
    return escaped;
}

/* ":NAME:ACTION", how _arguments completes it. */
static const char *action(Arena *arena, const char *argument)
{
    const char *kind = completion_kind(arena, argument);
    const char *name = argument ? argument : "VALUE";
    if (str_equal(kind, "FILE"))
        return arena_printf(arena, ":%s:_files", name);
    if (str_equal(kind, "DIR"))
        return arena_printf(arena, ":%s:_files -/", name);
    if (str_equal(kind, "MIGRATION"))
        return arena_printf(arena, ":%s:_vaxdb_migrations", name);
    if (!*kind)
        return arena_printf(arena, ":%s: ", name);
    StrList words;
    str_list_init(&words, arena);
    str_split(&words, kind, "|");
    return arena_printf(arena, ":%s:(%s)", name, str_list_join(&words, arena, " "));
}

static void put_options(FILE *out, Arena *arena, const OptionSpec *options, bool dry_run)
{
    for (const OptionSpec *spec = options; spec && (spec->name || spec->key); spec++) {
        if (!spec->name || (!dry_run && str_equal(spec->name, "dry-run")))
            continue;
        bool flag = spec->kind == OPTION_FLAG;
        const char *tail =
            arena_printf(arena, "[%s]%s", bracketed(arena, help_option_text(arena, spec)),
                         flag ? "" : action(arena, spec->argument));
        (void)fputs("        ", out);
        if (spec->repeats)
            (void)fputs("'*'", out);
        else if (spec->letter)
            (void)fprintf(out, "'(-%c --%s)'", spec->letter, spec->name);
        if (spec->letter)
            (void)fprintf(out, "{-%c%s,--%s%s}", spec->letter, flag ? "" : "+", spec->name,
                          flag ? "" : "=");
        else
            (void)fprintf(out, "--%s%s", spec->name, flag ? "" : "=");
        completion_put_quoted(out, tail);
        (void)fputc('\n', out);
    }
}

static void put_word(FILE *out, Arena *arena, const char *word, const char *summary)
{
    (void)fputs("        ", out);
    completion_put_quoted(out, arena_printf(arena, "%s:%s", word, summary));
    (void)fputc('\n', out);
}

static void put_case(FILE *out, const char *name, const char *array)
{
    (void)fputs("    (", out);
    completion_put_quoted(out, name);
    (void)fprintf(out, ") %s=(\n", array);
}

static void put_words(const CommandTables *tables, Arena *arena, FILE *out)
{
    put_case(out, "", "_vaxdb_words");
    for (size_t i = 0; i < tables->group_count; i++)
        put_word(out, arena, tables->groups[i].name, tables->groups[i].summary);
    put_word(out, arena, "help", "what a command does, and its flags");
    (void)fputs("    ) ;;\n", out);
    for (size_t i = 0; i < tables->group_count; i++) {
        const char *group = tables->groups[i].name;
        const Command *command = command_next(tables, group, NULL);
        if (!strchr(command->name, ' '))
            continue;
        put_case(out, group, "_vaxdb_words");
        for (; command; command = command_next(tables, group, command))
            put_word(out, arena, strchr(command->name, ' ') + 1, command->summary);
        (void)fputs("    ) ;;\n", out);
    }
}

static void put_command(FILE *out, Arena *arena, const Command *command)
{
    put_case(out, command->name, "specs+");
    put_options(out, arena, command->options, true);
    CompletionArgument *arguments = NULL;
    size_t count = completion_arguments(arena, command, &arguments);
    for (size_t i = 0; i < count; i++) {
        const char *kind = arguments[i].repeats ? "*" : arguments[i].optional ? ":" : "";
        (void)fputs("        ", out);
        completion_put_quoted(out,
                              arena_printf(arena, "%s%s", kind, action(arena, arguments[i].name)));
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "    ) dry_run=%s ;;\n", command->honours_dry_run ? "yes" : "no");
}

/* A pattern of the flags that take the next word, "-qe" among them. */
static void put_valued_flags(FILE *out)
{
    (void)fputs("_vaxdb_valued_flags='", out);
    for (const OptionSpec *spec = command_global_options; spec->name; spec++) {
        if (spec->kind != OPTION_FLAG)
            (void)fprintf(out, "--%s|", spec->name);
    }
    (void)fputs("-[", out);
    for (const OptionSpec *spec = command_global_options; spec->name; spec++) {
        if (spec->kind == OPTION_FLAG && spec->letter)
            (void)fputc(spec->letter, out);
    }
    (void)fputs("]#[", out);
    for (const OptionSpec *spec = command_global_options; spec->name; spec++) {
        if (spec->kind != OPTION_FLAG && spec->letter)
            (void)fputc(spec->letter, out);
    }
    (void)fputs("]'\n\n", out);
}

void completion_zsh(const CommandTables *tables, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fputs(text_completion_zsh, out);
    completion_put_migrations(out);
    put_valued_flags(out);
    (void)fputs("# What may follow a command, \"\" for vaxdb itself.\n"
                "_vaxdb_command() { # COMMAND\n"
                "    local dry_run=yes\n"
                "    _vaxdb_words=()\n"
                "    specs=(\n",
                out);
    put_options(out, arena, command_global_options, false);
    (void)fputs("    )\n    case $1 in\n", out);
    put_words(tables, arena, out);
    for (const Command *command = NULL; (command = command_next(tables, NULL, command));)
        put_command(out, arena, command);
    (void)fputs("    esac\n"
                "    [[ $dry_run == no ]] || specs+=(",
                out);
    for (const OptionSpec *spec = command_global_options; spec->name; spec++) {
        if (str_equal(spec->name, "dry-run"))
            completion_put_quoted(
                out, arena_printf(arena, "--%s[%s]", spec->name, bracketed(arena, spec->help)));
    }
    (void)fputs(")\n}\n\n"
                "# Read from $fpath the file is the function; sourced it registers it.\n"
                "if [[ $funcstack[1] == _vaxdb ]]; then\n"
                "    _vaxdb \"$@\"\n"
                "else\n"
                "    compdef _vaxdb vaxdb\n"
                "fi\n",
                out);
}
