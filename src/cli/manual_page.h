/* The manual pages, drawn from the tables of commands, flags and settings, as roff. */
#pragma once

#include "cli/command.h"

/* "vaxdb.1", a page for each group of commands ("vaxdb-migrate.1"), "vaxdb.ini.5". */
void manual_list_pages(const CommandTables *tables, StrList *pages);
/* Writes the page called name: "vaxdb-migrate.1", "vaxdb-migrate" and "migrate" are the same. False
 * when there is none. */
bool manual_write_page(const CommandTables *tables, const char *name, FILE *out);
