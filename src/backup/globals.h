/* Roles and tablespaces: what the databases of a server share and no dump of one holds. They are
 * plain SQL of pg_dumpall, packed, in a file beside the backup; only a superuser reads passwords.
 */
#pragma once

#include "backup/manifest.h"
#include "backup/member.h"
#include "backup/pg_dump.h"
#include "backup/seal_keys.h"
#include "base/log.h"
#include "pg/session.h"

/* May this session's role read passwords? */
bool globals_passwords(Session *session, bool *passwords, Error *err) MUST_CHECK;
/* Into packed, which the caller has initialised, and encrypted where there is a key; the session
 * only says where the server is. A failure is what keeps its roles from being read: the backup of
 * the database is none the worse. */
bool globals_read(Arena *arena, Log *log, const char *bindir, const PgDump *tool,
                  const Session *session, bool passwords, const SealKey *key, Buffer *packed,
                  ManifestGlobals *globals, Error *err) MUST_CHECK;
/* Writes and syncs the file of the backup at path, which has no manifest yet. An encrypted one is
 * framed as an encrypted backup is, and globals then says what that file is. */
bool globals_write(Arena *arena, const char *path, const SealRepository *repository,
                   const Buffer *packed, ManifestGlobals *globals, Error *err) MUST_CHECK;
/* Is the file of the backup at path the one that its manifest names? *there is false when it is
 * missing, and *problem what is wrong with one that is there (NULL: nothing). */
bool globals_check(Arena *arena, const char *path, const ManifestGlobals *globals, bool hash,
                   bool *there, const char **problem, Error *err) MUST_CHECK;
