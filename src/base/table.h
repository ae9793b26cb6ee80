/* Tables for people: columns aligned, fitted to the terminal.
 *
 *     Table *table = table_create(arena);
 *     table_column(table, "Index", TABLE_LEFT);
 *     table_column(table, "Size", TABLE_RIGHT);
 *     table_row(table, (const char *[]){"idx_a", "8.0 KiB"});
 *     table_print(table, stdout, table_terminal_width(stdout));
 *
 * Cells are UTF-8 and copied; a NULL cell prints as "-". A newline or control byte in a cell prints
 * as a space. Where the table is wider than the terminal the widest left-aligned columns are cut
 * and end in "…"; width 0 (a pipe) never cuts. */
#pragma once

#include "base/arena.h"

#include <stdio.h>

typedef enum { TABLE_LEFT, TABLE_RIGHT } TableAlign;
typedef struct Table Table;

#define TABLE_MAX_COLUMNS 16

Table *table_create(Arena *arena);
void table_column(Table *table, const char *title, TableAlign align);
/* cells holds as many pointers as there are columns. */
void table_row(Table *table, const char *const *cells);
size_t table_rows(const Table *table);
void table_print(const Table *table, FILE *out, size_t width);
/* Columns of the terminal behind out; 0 when it is none. */
size_t table_terminal_width(FILE *out);
