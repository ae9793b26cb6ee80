#include "cli/help.h"

#include "base/str.h"
#include "cli/text.h"

#define HELP_WIDTH 80

/* Up to white space; `what is to be typed` is one word, unless it is long. */
static size_t word_length(const char *text, const char *end)
{
    size_t length = 0;
    while (text + length < end && text[length] != ' ' && text[length] != '\n') {
        const char *from = text + length;
        const char *close = *from == '`' ? memchr(from + 1, '`', (size_t)(end - from - 1)) : NULL;
        length += close && close - from < HELP_WIDTH / 2 ? (size_t)(close - from) + 1 : 1;
    }
    return length;
}

/* Text broken at white space, every line indented. column is where the cursor stands. */
static void print_filled(FILE *out, const char *text, size_t length, size_t indent, size_t column)
{
    const char *end = text + length;
    while (text < end) {
        size_t word = word_length(text, end);
        if (column > indent && column + 1 + word > HELP_WIDTH) {
            (void)fputc('\n', out);
            column = 0;
        }
        if (column < indent) {
            (void)fprintf(out, "%*s", (int)(indent - column), "");
            column = indent;
        } else if (column > indent) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", (int)word, text);
        column += word;
        text += word;
        while (text < end && (*text == ' ' || *text == '\n'))
            text++;
    }
    (void)fputc('\n', out);
}

static void print_wrapped(FILE *out, const char *text, size_t indent, size_t column)
{
    print_filled(out, text, strlen(text), indent, column);
}

static void print_details(FILE *out, const char *details)
{
    TextBlock block;
    (void)fputc('\n', out);
    for (const char *text = details; text_next_block(&text, &block);) {
        if (block.apart)
            (void)fputc('\n', out);
        if (block.verbatim)
            (void)fprintf(out, "  %.*s\n", (int)block.length, block.start);
        else
            print_filled(out, block.start, block.length, 0, 0);
    }
}

static void print_pair(FILE *out, const char *left, const char *right, size_t indent)
{
    int printed = fprintf(out, "  %s", left);
    size_t column = printed > 0 ? (size_t)printed : 0;
    if (column + 2 > indent) {
        (void)fputc('\n', out);
        column = 0;
    }
    print_wrapped(out, right, indent, column ? column : 0);
}

char *help_option(Arena *arena, const OptionSpec *spec)
{
    const char *letter = spec->letter ? arena_printf(arena, "-%c, ", spec->letter) : "    ";
    const char *argument = spec->kind == OPTION_FLAG || !spec->argument ? "" : spec->argument;
    return arena_printf(arena, "%s--%s%s%s", letter, spec->name, *argument ? " " : "", argument);
}

const char *help_option_text(Arena *arena, const OptionSpec *spec)
{
    if (!spec->fallback)
        return spec->help;
    return arena_printf(arena, "%s (default: %s)", spec->help, spec->fallback);
}

bool help_option_serves(const Command *command, const OptionSpec *spec)
{
    if (!spec->name)
        return false;
    return !command || command->honours_dry_run || !str_equal(spec->name, "dry-run");
}

char *help_usage(Arena *arena, const Command *command)
{
    return arena_printf(arena, "vaxdb %s%s%s [FLAGS]", command->name, *command->synopsis ? " " : "",
                        command->synopsis);
}

static void print_options(FILE *out, Arena *arena, const Command *command,
                          const OptionSpec *options)
{
    for (const OptionSpec *spec = options; spec->name || spec->key; spec++) {
        if (help_option_serves(command, spec))
            print_pair(out, help_option(arena, spec), help_option_text(arena, spec), 28);
    }
}

void help_print_group(const CommandTables *tables, const char *group, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < tables->group_count; i++) {
        const CommandGroup *row = &tables->groups[i];
        if (!str_equal(row->name, group))
            continue;
        (void)fprintf(out, "vaxdb %s: %s\n", group, row->summary);
        if (row->details)
            print_details(out, row->details);
    }
    (void)fputs("\nCommands:\n", out);
    for (const Command *command = NULL; (command = command_next(tables, group, command));) {
        const char *left = arena_printf(arena, "vaxdb %s%s%s", command->name,
                                        *command->synopsis ? " " : "", command->synopsis);
        print_pair(out, left, command->summary, 34);
    }
    (void)fprintf(out, "\n`vaxdb %s COMMAND --help` shows its flags and an example.\n", group);
}

void help_print_all(const CommandTables *tables, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fputs("vaxdb keeps a PostgreSQL database fast, pooled, recoverable and changeable.\n\n"
                "Usage: vaxdb COMMAND [FLAGS]\n\nCommands:\n",
                out);
    for (size_t i = 0; i < tables->group_count; i++) {
        const CommandGroup *group = &tables->groups[i];
        StrList verbs;
        str_list_init(&verbs, arena);
        for (const Command *command = NULL;
             (command = command_next(tables, group->name, command));) {
            const char *space = strchr(command->name, ' ');
            if (space)
                str_list_add(&verbs, space + 1);
        }
        print_pair(out, group->name, group->summary, 14);
        if (verbs.count)
            print_wrapped(out, arena_printf(arena, "(%s)", str_list_join(&verbs, arena, ", ")), 14,
                          0);
    }
    (void)fputs("\nFlags of every command:\n", out);
    print_options(out, arena, NULL, command_global_options);
    (void)fputs("\nA first look:   vaxdb demo\nMore about one: vaxdb COMMAND --help\n", out);
}

/* What it does stands beside the command, or below where the line is too short for both. */
static void print_example(FILE *out, const TextExample *example)
{
    if (example->line_length + 2 <= HELP_WIDTH) {
        (void)fprintf(out, "  %.*s\n", (int)example->line_length, example->line);
        return;
    }
    (void)fprintf(out, "  %.*s\n", (int)example->command_length, example->line);
    print_filled(out, example->what, example->what_length, 6, 0);
}

void help_print_command(const Command *command, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fprintf(out, "vaxdb %s:", command->name);
    print_wrapped(out, command->summary, 0, strlen(command->name) + 7);
    (void)fprintf(out, "\nUsage: %s\n", help_usage(arena, command));
    if (command->details)
        print_details(out, command->details);
    if (command->options) {
        (void)fputs("\nFlags:\n", out);
        print_options(out, arena, command, command->options);
    }
    (void)fputs("\nFlags of every command:\n", out);
    print_options(out, arena, command, command_global_options);
    if (command->example) {
        (void)fputs("\nExample:\n", out);
        TextExample example;
        for (const char *text = command->example; text_next_example(&text, &example);)
            print_example(out, &example);
    }
}
