/* Completion for shells: the scripts of src/cli/shell/, each followed by what the tables of
 * commands and flags make of it. */
#pragma once

#include "cli/command.h"

void completion_bash(const CommandTables *tables, FILE *out);
void completion_zsh(const CommandTables *tables, FILE *out);

/* ---- what both need ---- */

/* In single quotes. */
void completion_put_quoted(FILE *out, const char *text);
/* What a flag or argument called so takes: its words between bars ("development|staging|..." for
 * ENV), FILE, DIR, MIGRATION, or "" when nothing can be offered. */
const char *completion_kind(Arena *arena, const char *argument);
/* "[FILE]" of a synopsis as FILE; *optional, *repeats from its brackets and dots. */
typedef struct {
    const char *name;
    bool optional;
    bool repeats;
} CompletionArgument;
/* The arguments of a command; returns how many. */
size_t completion_arguments(Arena *arena, const Command *command, CompletionArgument **arguments);
/* Assignments to _vaxdb_migrations_places and _vaxdb_migrations_setting. */
void completion_put_migrations(FILE *out);
