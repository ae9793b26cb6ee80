/* auth_ident_file: which system users (names in certificates, users of this machine) may log in as
 * which database user.
 *
 *     map  system-name  database-user|all
 *
 * As in pg_ident.conf a system-name that starts with '/' is a regular expression, and \1 in the
 * database user is what its first parentheses matched (PgBouncer has no expressions). They are
 * POSIX extended ones, without back references, of at most IDENT_PATTERN_MAX bytes, and what their
 * {n,m} multiply to is limited: a map must not cost more than a login. A line that is wrong is an
 * error (PgBouncer skips it). */
#pragma once

#include "pool/problems.h"

#define IDENT_PATTERN_MAX 256
#define IDENT_NAME_MAX    256 /* longer system names match nothing */

typedef struct IdentRule IdentRule;

typedef struct {
    IdentRule *rules;
    size_t count, capacity;
} IdentMaps;

/* Texts are in the arena, expressions are not: ident_free before the arena goes, also after false.
 * False when something was wrong, which is in problems. */
bool ident_parse(Arena *arena, const char *path, const char *text, size_t length, IdentMaps *maps,
                 PoolProblems *problems) MUST_CHECK;
void ident_free(IdentMaps *maps);

bool ident_has_map(const IdentMaps *maps, const char *map);
/* May this system user log in as this database user? By any thread. */
bool ident_match(const IdentMaps *maps, const char *map, const char *system_name, const char *user);
