/* --help on every level, drawn from the command and option tables; 80 columns. */
#pragma once

#include "cli/command.h"

void help_print_all(const CommandTables *tables, FILE *out);
void help_print_group(const CommandTables *tables, const char *group, FILE *out);
void help_print_command(const Command *command, FILE *out);

/* What the manual pages say in the same words. */
char *help_usage(Arena *arena, const Command *command);  /* "vaxdb migrate down [N] [FLAGS]" */
char *help_option(Arena *arena, const OptionSpec *spec); /* "-j, --jobs N" */
const char *help_option_text(Arena *arena, const OptionSpec *spec);
/* Is the row a flag that the command takes? Of --dry-run not every one does. command may be NULL.
 */
bool help_option_serves(const Command *command, const OptionSpec *spec);
