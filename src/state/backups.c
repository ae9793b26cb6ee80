#include "state/backups.h"

#include "state/state_internal.h"

#include <stdio.h>

bool state_backup_get(State *state, const char *sha256, StateBackup *backup, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    *backup = (StateBackup){0};
    if (!state_prepare(state, &statement, err,
                       "SELECT b.verified, b.verified_at, b.drilled_at, b.drill_passed, "
                       "h.keep_until, h.reason, o.seen_at, o.url "
                       "FROM (SELECT ?1 AS sha256) AS x "
                       "LEFT JOIN backups AS b USING (sha256) "
                       "LEFT JOIN backup_holds AS h USING (sha256) "
                       "LEFT JOIN backup_offsite AS o USING (sha256)",
                       "s", sha256) ||
        !state_step(state, statement, &row, err))
        return false;
    if (!row)
        return true;
    backup->verified = sqlite3_column_int(statement, 0) != 0;
    backup->verified_at = sqlite3_column_int64(statement, 1);
    backup->drilled_at = sqlite3_column_int64(statement, 2);
    backup->drill_passed = sqlite3_column_int(statement, 3) != 0;
    backup->keep_until = sqlite3_column_int64(statement, 4);
    const unsigned char *reason = sqlite3_column_text(statement, 5);
    (void)snprintf(backup->keep_reason, sizeof(backup->keep_reason), "%s",
                   reason ? (const char *)reason : "");
    backup->offsite_at = sqlite3_column_int64(statement, 6);
    const unsigned char *url = sqlite3_column_text(statement, 7);
    (void)snprintf(backup->offsite_url, sizeof(backup->offsite_url), "%s",
                   url ? (const char *)url : "");
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

bool state_backup_hold(State *state, const char *sha256, const char *path, int64_t keep_until,
                       const char *reason, Error *err)
{
    return state_run(state, err,
                     "INSERT INTO backup_holds VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET "
                     "path = excluded.path, keep_until = excluded.keep_until, "
                     "reason = excluded.reason WHERE excluded.keep_until > keep_until",
                     "ssis", sha256, path, keep_until, reason);
}

bool state_backup_offsite(State *state, const char *sha256, const char *url, int64_t at_unix_s,
                          Error *err)
{
    return state_run(state, err,
                     "INSERT INTO backup_offsite VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
                     "url = excluded.url, seen_at = excluded.seen_at",
                     "ssi", sha256, url, at_unix_s);
}

bool state_backup_not_offsite(State *state, const char *sha256, Error *err)
{
    return state_run(state, err, "DELETE FROM backup_offsite WHERE sha256 = ?1", "s", sha256);
}
