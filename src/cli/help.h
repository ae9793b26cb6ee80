/* --help on every level, drawn from the command and option tables; 80 columns. */
#pragma once

#include "cli/command.h"

typedef struct {
    const Command *const *tables; /* each ends in COMMAND_END */
    size_t table_count;
    const CommandGroup *groups;
    size_t group_count;
} CommandTables;

void help_print_all(const CommandTables *tables, FILE *out);
void help_print_group(const CommandTables *tables, const char *group, FILE *out);
void help_print_command(const Command *command, FILE *out);
