/* The pooler's configuration, whole: pgbouncer.ini with its %includes, and the files it names.
 *
 * Reading gives a new object that never changes, or everything that is wrong and no object: so a
 * reload takes all of it or nothing. Relative paths start at the working directory, as PgBouncer
 * has it (those of an HBA file's @files beside that file). What the sections mean is in settings.h
 * and targets.h, the files' formats in userlist.h, hba.h and ident.h.
 *
 * Where it differs from PgBouncer's reading, it is stricter: an unknown key, a number with
 * something behind it, a malformed line in any file and a file that cannot be read are errors. One
 * thing is wider: [pgbouncer] may stand twice, and goes on (PgBouncer forgets what stood in the
 * first). */
#pragma once

#include "pool/files.h"
#include "pool/hba.h"
#include "pool/ident.h"
#include "pool/problems.h"
#include "pool/settings.h"
#include "pool/targets.h"
#include "pool/userlist.h"

typedef struct PoolConfig PoolConfig;
struct PoolConfig {
    Arena *arena; /* all of it; holds passwords */
    const char *path;
    PoolSettings settings;
    PoolDatabase *databases; /* settled: sorted by name, each once */
    size_t database_count;
    const PoolDatabase *any_database; /* "*"; NULL when there is none */
    PoolUser *users;                  /* settled */
    size_t user_count;
    PoolPeer *peers; /* settled */
    size_t peer_count;
    Userlist userlist;
    IdentMaps maps; /* this and the HBA file are read for auth_type = hba only */
    Hba hba;
};

/* Reads and checks everything: what `vaxdb pool serve FILE --check` prints is in problems, warnings
 * too. False, with *config NULL, when there is an error; *err is the first. files is
 * pool_files_disk except in tests. */
bool pool_config_read(const char *path, const PoolFiles *files, PoolProblems *problems,
                      PoolConfig **config, Error *err) MUST_CHECK;
/* Overwrites everything. NULL is allowed. */
void pool_config_destroy(PoolConfig *config);

/* The entry of that name, never "*"; NULL when there is none. */
const PoolDatabase *pool_config_database(const PoolConfig *config, const char *name);
const PoolUser *pool_config_user(const PoolConfig *config, const char *name);
const PoolPeer *pool_config_peer(const PoolConfig *config, int id);

/* What does not fit together in settings, such as TLS without a key; adds to problems. For SET on
 * the console, which changes a copy of them. */
void pool_settings_check(const PoolSettings *settings, const char *path, PoolProblems *problems);
/* What does not fit together in the rest; pool_config_read has done it. */
void pool_config_check(const PoolConfig *config, PoolProblems *problems);

static inline void cleanup_pool_config(PoolConfig **config)
{
    pool_config_destroy(*config);
}
#define _cleanup_pool_config_ _cleanup_(cleanup_pool_config)
