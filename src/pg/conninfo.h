/* What a conninfo says, without connecting. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

/* A value for key=value pairs: 'it\'s' */
char *conninfo_quote(Arena *arena, const char *value);

/* The database that libpq would connect to: dbname of the conninfo (a URL, key=value pairs, or a
 * bare name), else PGDATABASE or the service file, else the user's name. A malformed conninfo is
 * ERR_USAGE. */
bool conninfo_database(Arena *arena, const char *conninfo, const char **database,
                       Error *err) MUST_CHECK;
