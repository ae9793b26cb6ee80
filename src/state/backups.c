#include "state/backups.h"

#include "state/state_internal.h"

bool state_backup_get(State *state, const char *sha256, StateBackup *backup, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    *backup = (StateBackup){0};
    if (!state_prepare(state, &statement, err,
                       "SELECT verified, verified_at, drilled_at, drill_passed FROM backups "
                       "WHERE sha256 = ?1",
                       "s", sha256) ||
        !state_step(state, statement, &row, err))
        return false;
    if (!row)
        return true;
    backup->verified = sqlite3_column_int(statement, 0) != 0;
    backup->verified_at = sqlite3_column_int64(statement, 1);
    backup->drilled_at = sqlite3_column_int64(statement, 2);
    backup->drill_passed = sqlite3_column_int(statement, 3) != 0;
    return true;
}

bool state_backup_verified(State *state, const char *sha256, const char *path, int level, bool ok,
                           int64_t at_unix_s, Error *err)
{
    if (ok && level < 2)
        return true;
    return state_run(state, err,
                     "INSERT INTO backups (sha256, path, verified, verified_at) "
                     "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET path = excluded.path, "
                     "verified = excluded.verified, verified_at = excluded.verified_at",
                     "ssii", sha256, path, (int64_t)ok, at_unix_s);
}

bool state_backup_drilled(State *state, const char *sha256, const char *path, bool passed,
                          int64_t at_unix_s, Error *err)
{
    return state_run(state, err,
                     "INSERT INTO backups (sha256, path, drilled_at, drill_passed) "
                     "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET path = excluded.path, "
                     "drilled_at = excluded.drilled_at, drill_passed = excluded.drill_passed",
                     "ssii", sha256, path, at_unix_s, (int64_t)passed);
}
