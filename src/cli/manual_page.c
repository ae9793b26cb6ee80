#include "cli/manual_page.h"

#include "base/str.h"
#include "cli/help.h"
#include "cli/roff.h"
#include "cli/text.h"

typedef struct {
    const char *term;
    const char *meaning;
} Row;

static const Row exit_statuses[] = {
    {"0", "done"},
    {"1", "failed"},
    {"2", "wrong usage or configuration; nothing was touched"},
    {"3", "refused by a guard; nothing was touched"},
    {"4",
     "it worked and found problems: errors of lint, a bad backup, failed checks, a failed drill"},
    {"5", "the database cannot be reached"},
    {"6", "done here, but not off-site: the backup is good, its push failed"},
    {"130", "interrupted"},
};

/* Those that are no setting's; the settings' come from their table. */
static const Row variables[] = {
    {"VAXDB_CONFIG", "the configuration file, where --config does not say"},
    {"VAXDB_STATE_DIR",
     "the folder of vaxdb's own memory, of backups without a folder of their own, "
     "and of the private PostgreSQL"},
    {"PGHOST, PGPORT, PGUSER, PGPASSWORD, ...",
     "libpq's variables complete a connection that a setting or flag names; they never choose one"},
    {"NO_COLOR", "no colours"},
};

static const Row files[] = {
    {"./vaxdb.ini", "the configuration of the working directory, found first"},
    {"$XDG_CONFIG_HOME/vaxdb/vaxdb.ini", "the user's, usually ~/.config/vaxdb/vaxdb.ini"},
    {"/etc/vaxdb/vaxdb.ini", "the machine's"},
    {"/var/lib/vaxdb", "the state directory where it is writable; else $XDG_STATE_HOME/vaxdb, "
                       "usually ~/.local/state/vaxdb"},
    {"~/.pgpass", "passwords, where they belong; libpq reads it"},
};

static const char main_details[] =
    "vaxdb works on PostgreSQL 13 to 18, from outside: it connects as any client does.\n\n"
    "A command works on one database: that of an environment (-e), which the configuration names, "
    "or the one of --url. Without a configuration, development and test are databases of a private "
    "PostgreSQL on this machine; staging and production without a URL are an error, so that "
    "nothing is ever done to a database that nobody named. What could destroy data in production "
    "asks for the name of its database (--confirm); this follows the database, whatever it is "
    "opened as.\n\n"
    "Data goes to standard output, everything else to standard error. With --json a command prints "
    "one object, also when it fails.";

static const char settings_details[] =
    "The first of these files that exists is read, whole and alone; --config and VAXDB_CONFIG name "
    "another. `vaxdb init` writes one with comments; `vaxdb config show` prints every setting with "
    "its value and where that comes from.\n\n"
    "A line is [SECTION], KEY = VALUE, empty, or a comment that begins with ; or #. A value runs "
    "to "
    "the end of its line, whatever it holds. The section [vaxdb] is for all environments; "
    "[development], [staging], [production] and [test] are for one each.\n\n"
    "A setting is looked for in this order: the flag of the command, the environment variable, the "
    "environment's section, [vaxdb], the default. An unknown section or setting is an error, with "
    "file and line.";

static const char settings_example[] = " [vaxdb]\n"
                                       " name = vaxtrace\n"
                                       " backup_dir = /var/backups/vaxtrace\n"
                                       " \n"
                                       " [staging]\n"
                                       " url = postgresql://vaxtrace@staging.example/vaxtrace\n"
                                       " \n"
                                       " [production]\n"
                                       " url = postgresql://vaxtrace@db.example/vaxtrace\n"
                                       " retention_days = 90\n";

static void write_sentence(Roff *roff, const char *text)
{
    roff_sentence(roff, text, strlen(text));
}

static void write_paragraph(Roff *roff, const char *text)
{
    roff_paragraph_start(roff);
    write_sentence(roff, text);
}

/* The page of a group: "vaxdb-migrate". */
static const char *page_of(Arena *arena, const char *group)
{
    return arena_printf(arena, "vaxdb-%s", group);
}

static void write_rows(Roff *roff, const char *title, const Row *rows, size_t count)
{
    roff_section(roff, title);
    for (size_t i = 0; i < count; i++) {
        roff_item_typed(roff, rows[i].term, strlen(rows[i].term));
        write_sentence(roff, rows[i].meaning);
    }
}

static void write_environment(Roff *roff)
{
    write_rows(roff, "ENVIRONMENT", variables, COUNT_OF(variables));
    for (const OptionSpec *spec = config_settings; spec->key; spec++) {
        if (!spec->variable)
            continue;
        roff_item_typed(roff, spec->variable, strlen(spec->variable));
        write_sentence(roff, spec->help);
    }
}

static void write_options(Roff *roff, Arena *arena, const Command *command,
                          const OptionSpec *options)
{
    for (const OptionSpec *spec = options; spec->name || spec->key; spec++) {
        if (!help_option_serves(command, spec))
            continue;
        roff_item(roff, help_option(arena, spec));
        write_sentence(roff, help_option_text(arena, spec));
    }
}

static void write_flags_of_every_command(Roff *roff, Arena *arena, const Command *command)
{
    roff_section(roff, "FLAGS OF EVERY COMMAND");
    write_options(roff, arena, command, command_global_options);
}

static void write_example(Roff *roff, const Command *command)
{
    TextExample example;
    for (const char *text = command->example; text && text_next_example(&text, &example);) {
        roff_item_typed(roff, example.line, example.command_length);
        if (example.what_length)
            roff_sentence(roff, example.what, example.what_length);
        else
            write_sentence(roff, command->summary);
    }
}

/* "vaxdb-migrate(1)" from "vaxdb-migrate.1". */
static const char *reference(Arena *arena, const char *page)
{
    const char *dot = strrchr(page, '.');
    return arena_printf(arena, "%.*s(%s)", (int)(dot - page), page, dot + 1);
}

/* All the other pages for the first one; a group's points back to it. */
static void write_see_also(Roff *roff, Arena *arena, const CommandTables *tables, const char *self)
{
    StrList pages, shown;
    str_list_init(&pages, arena);
    str_list_init(&shown, arena);
    manual_list_pages(tables, &pages);
    bool first_page = str_equal(self, "vaxdb.1");
    for (size_t i = 0; i < pages.count; i++) {
        const char *page = pages.items[i];
        bool always = str_equal(page, "vaxdb.1") || str_equal(page, "vaxdb.ini.5");
        if (!str_equal(page, self) && (always || first_page))
            str_list_add(&shown, reference(arena, page));
    }
    str_list_add(&shown, "psql(1)");
    roff_section(roff, "SEE ALSO");
    for (size_t i = 0; i < shown.count; i++)
        roff_reference(roff, "", shown.items[i], i + 1 < shown.count ? "," : "");
}

/* The sections that every page of commands ends with; group NULL: the first page, which shows one
 * example of each group. */
static void write_end(Roff *roff, Arena *arena, const CommandTables *tables,
                      const CommandGroup *group)
{
    write_rows(roff, "EXIT STATUS", exit_statuses, COUNT_OF(exit_statuses));
    write_environment(roff);
    write_rows(roff, "FILES", files, COUNT_OF(files));
    roff_section(roff, "EXAMPLES");
    for (size_t i = 0; !group && i < tables->group_count; i++)
        write_example(roff, command_next(tables, tables->groups[i].name, NULL));
    for (const Command *command = NULL;
         group && (command = command_next(tables, group->name, command));)
        write_example(roff, command);
    write_see_also(roff, arena, tables,
                   group ? arena_printf(arena, "%s.1", page_of(arena, group->name)) : "vaxdb.1");
}

/* ---- the pages --------------------------------------------------------------------------- */

static void write_main_page(const CommandTables *tables, Arena *arena, Roff *roff)
{
    roff_title(roff, "vaxdb", 1);
    roff_name(roff, "vaxdb",
              "keeps a PostgreSQL database fast, pooled, recoverable and changeable");
    roff_section(roff, "SYNOPSIS");
    roff_usage(roff, "vaxdb COMMAND [FLAGS]");
    roff_usage(roff, "vaxdb COMMAND --help");
    roff_section(roff, "DESCRIPTION");
    roff_text(roff, main_details);
    roff_section(roff, "COMMANDS");
    for (size_t i = 0; i < tables->group_count; i++) {
        const CommandGroup *group = &tables->groups[i];
        roff_item_typed(roff, group->name, strlen(group->name));
        write_sentence(roff, group->summary);
        const char *page = arena_printf(arena, "%s(1)", page_of(arena, group->name));
        roff_reference(roff, "See ", page, ".");
    }
    write_flags_of_every_command(roff, arena, NULL);
    write_end(roff, arena, tables, NULL);
}

static void write_command_section(Roff *roff, Arena *arena, const Command *command)
{
    roff_subsection(roff, help_usage(arena, command));
    write_sentence(roff, command->summary);
    if (command->details)
        roff_text(roff, command->details);
    if (command->options)
        write_options(roff, arena, command, command->options);
}

static const CommandGroup *find_group(const CommandTables *tables, const char *name)
{
    for (size_t i = 0; i < tables->group_count; i++) {
        if (str_equal(tables->groups[i].name, name))
            return &tables->groups[i];
    }
    return NULL;
}

static void write_group_page(const CommandTables *tables, const CommandGroup *group, Arena *arena,
                             Roff *roff)
{
    const Command *first = command_next(tables, group->name, NULL);
    const Command *alone = str_equal(first->name, group->name) ? first : NULL;
    const char *name = page_of(arena, group->name);
    roff_title(roff, name, 1);
    roff_name(roff, name, group->summary);
    roff_section(roff, "SYNOPSIS");
    for (const Command *command = NULL; (command = command_next(tables, group->name, command));)
        roff_usage(roff, help_usage(arena, command));
    roff_section(roff, "DESCRIPTION");
    write_paragraph(roff, alone ? alone->summary : group->summary);
    const char *details = alone ? alone->details : group->details;
    if (details)
        roff_text(roff, details);
    if (!alone) {
        roff_section(roff, "COMMANDS");
        for (const Command *command = NULL; (command = command_next(tables, group->name, command));)
            write_command_section(roff, arena, command);
    } else if (alone->options) {
        roff_section(roff, "FLAGS");
        write_options(roff, arena, alone, alone->options);
    }
    write_flags_of_every_command(roff, arena, alone);
    write_end(roff, arena, tables, group);
}

/* What a setting's value looks like. */
static const char *kind_of_value(const OptionSpec *spec)
{
    switch (spec->kind) {
    case OPTION_INT:
        return "a whole number";
    case OPTION_BYTES:
        return "a size such as 512MB";
    case OPTION_DURATION:
        return "a time such as 500ms, 15s, 5min, 24h or 30d";
    case OPTION_DATE:
        return "a date such as 2026-01-31";
    case OPTION_BOOL:
        return "on or off";
    case OPTION_PATH:
        return "a path, which starts at the folder of the file";
    case OPTION_TEXT:
    case OPTION_FLAG:
        break;
    }
    return "text";
}

static void write_setting(Roff *roff, Arena *arena, const OptionSpec *spec)
{
    roff_item_typed(roff, spec->key, strlen(spec->key));
    write_sentence(roff, spec->help);
    roff_break(roff);
    const char *fallback =
        spec->fallback ? arena_printf(arena, "; default %s", spec->fallback) : "";
    const char *variable =
        spec->variable ? arena_printf(arena, "; variable %s", spec->variable) : "";
    write_sentence(roff, arena_printf(arena, "%s%s%s", kind_of_value(spec), fallback, variable));
}

static void write_settings_page(const CommandTables *tables, Arena *arena, Roff *roff)
{
    roff_title(roff, "vaxdb.ini", 5);
    roff_name(roff, "vaxdb.ini", "configuration of vaxdb");
    roff_section(roff, "SYNOPSIS");
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (str_ends(files[i].term, ".ini"))
            roff_usage(roff, files[i].term);
    }
    roff_section(roff, "DESCRIPTION");
    roff_text(roff, settings_details);
    roff_section(roff, "SETTINGS");
    for (const OptionSpec *spec = config_settings; spec->key; spec++)
        write_setting(roff, arena, spec);
    write_environment(roff);
    write_rows(roff, "FILES", files, COUNT_OF(files));
    roff_section(roff, "EXAMPLES");
    roff_text(roff, settings_example);
    write_see_also(roff, arena, tables, "vaxdb.ini.5");
}

/* ---- all of them ------------------------------------------------------------------------- */

void manual_list_pages(const CommandTables *tables, StrList *pages)
{
    str_list_add(pages, "vaxdb.1");
    for (size_t i = 0; i < tables->group_count; i++)
        str_list_addf(pages, "vaxdb-%s.1", tables->groups[i].name);
    str_list_add(pages, "vaxdb.ini.5");
}

bool manual_write_page(const CommandTables *tables, const char *name, FILE *out)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Roff roff = {.out = out};
    if (str_equal(name, "vaxdb") || str_equal(name, "vaxdb.1")) {
        write_main_page(tables, arena, &roff);
        return true;
    }
    if (str_equal(name, "vaxdb.ini") || str_equal(name, "vaxdb.ini.5")) {
        write_settings_page(tables, arena, &roff);
        return true;
    }
    if (str_starts(name, "vaxdb-"))
        name += strlen("vaxdb-");
    if (str_ends(name, ".1"))
        name = arena_strndup(arena, name, strlen(name) - strlen(".1"));
    const CommandGroup *group = find_group(tables, name);
    if (group)
        write_group_page(tables, group, arena, &roff);
    return group != NULL;
}
