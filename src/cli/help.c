#include "cli/help.h"

#include "base/str.h"

#define HELP_WIDTH 80

/* Text broken at spaces, every line indented; "\n" in it begins a new line. column is where the
 * cursor stands. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t column)
{
    while (*text) {
        if (*text == '\n') {
            (void)fputc('\n', out);
            column = 0;
            text++;
            continue;
        }
        size_t length = strcspn(text, " \n");
        if (column > indent && column + 1 + length > HELP_WIDTH) {
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
        (void)fprintf(out, "%.*s", (int)length, text);
        column += length;
        text += length;
        while (*text == ' ')
            text++;
    }
    (void)fputc('\n', out);
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

static void print_options(FILE *out, Arena *arena, const OptionSpec *options)
{
    for (const OptionSpec *spec = options; spec->name || spec->key; spec++) {
        if (!spec->name)
            continue;
        const char *letter = spec->letter ? arena_printf(arena, "-%c, ", spec->letter) : "    ";
        const char *argument = spec->kind == OPTION_FLAG ? "" : spec->argument;
        const char *left = arena_printf(arena, "%s--%s%s%s", letter, spec->name,
                                        argument && *argument ? " " : "", argument ? argument : "");
        const char *right =
            spec->fallback ? arena_printf(arena, "%s (default: %s)", spec->help, spec->fallback)
                           : spec->help;
        print_pair(out, left, right, 28);
    }
}

/* Is the name one of the group, "migrate up" of "migrate"? */
static bool in_group(const char *name, const char *group)
{
    size_t length = strlen(group);
    return str_starts(name, group) && (name[length] == ' ' || !name[length]);
}

void help_print_group(const CommandTables *tables, const char *group, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    for (size_t i = 0; i < tables->group_count; i++) {
        if (str_equal(tables->groups[i].name, group))
            (void)fprintf(out, "vaxdb %s: %s\n\n", group, tables->groups[i].summary);
    }
    for (size_t t = 0; t < tables->table_count; t++) {
        for (const Command *command = tables->tables[t]; command->name; command++) {
            if (!in_group(command->name, group))
                continue;
            const char *left = arena_printf(arena, "vaxdb %s%s%s", command->name,
                                            *command->synopsis ? " " : "", command->synopsis);
            print_pair(out, left, command->summary, 34);
        }
    }
    (void)fprintf(out, "\n`vaxdb COMMAND --help` shows its flags and an example.\n");
}

void help_print_all(const CommandTables *tables, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fputs("vaxdb keeps a PostgreSQL database fast, pooled, recoverable and changeable.\n\n"
                "Usage: vaxdb COMMAND [FLAGS]\n\nCommands:\n",
                out);
    for (size_t i = 0; i < tables->group_count; i++) {
        StrList verbs;
        str_list_init(&verbs, arena);
        for (size_t t = 0; t < tables->table_count; t++) {
            for (const Command *command = tables->tables[t]; command->name; command++) {
                const char *space = strchr(command->name, ' ');
                if (space && in_group(command->name, tables->groups[i].name))
                    str_list_add(&verbs, space + 1);
            }
        }
        print_pair(out, tables->groups[i].name, tables->groups[i].summary, 14);
        if (verbs.count)
            print_wrapped(out, arena_printf(arena, "(%s)", str_list_join(&verbs, arena, ", ")), 14,
                          0);
    }
    (void)fputs("\nFlags of every command:\n", out);
    print_options(out, arena, command_global_options);
    (void)fputs("\nA first look:   vaxdb demo\nMore about one: vaxdb COMMAND --help\n", out);
}

void help_print_command(const Command *command, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    (void)fprintf(out, "vaxdb %s:", command->name);
    print_wrapped(out, command->summary, 0, strlen(command->name) + 7);
    (void)fprintf(out, "\nUsage: vaxdb %s%s%s [FLAGS]\n", command->name,
                  *command->synopsis ? " " : "", command->synopsis);
    if (command->details) {
        (void)fputc('\n', out);
        print_wrapped(out, command->details, 0, 0);
    }
    if (command->options) {
        (void)fputs("\nFlags:\n", out);
        print_options(out, arena, command->options);
    }
    (void)fputs("\nFlags of every command:\n", out);
    print_options(out, arena, command_global_options);
    if (command->example)
        (void)fprintf(out, "\nExample:\n  %s\n", command->example);
}
