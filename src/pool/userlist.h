/* auth_file, "userlist.txt": lines of
 *
 *     "name" "secret" anything
 *
 * in double quotes, "" for a quote in them; lines that start with ';' are comments. The last line
 * of a name counts. A line that is not so is an error (PgBouncer stops reading there). */
#pragma once

#include "pool/password.h"
#include "pool/targets.h"

#define POOL_USER_NAME_MAX 127
#define POOL_SECRET_MAX    65535

typedef struct {
    Entry entry;
    PasswordKind kind;
    const char *secret; /* "": the user is there and has no password */
} PoolSecret;

typedef struct {
    PoolSecret *items; /* settled */
    size_t count, capacity;
} Userlist;

/* Everything is in the arena. False when something was wrong, which is in problems. */
bool userlist_parse(Arena *arena, const char *path, const char *text, size_t length, Userlist *list,
                    PoolProblems *problems) MUST_CHECK;
/* NULL when there is none. */
const PoolSecret *userlist_find(const Userlist *list, const char *name);
