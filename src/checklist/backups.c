#include "state/backups.h"
#include "backup/offsite.h"
#include "base/clock.h"
#include "base/file.h"
#include "checklist/facts.h"
#include "flows/offsite.h"
#include "state/drills.h"

#define FRESH_HOURS        26 /* a day, and two hours for a slow one */
#define RETENTION_MIN_DAYS 30
#define RETENTION_MAX_DAYS 90

static const char *ago(Arena *arena, int64_t unix_s)
{
    int64_t seconds = clock_unix_s() - unix_s;
    return arena_printf(arena, "%s ago", str_duration(arena, 1000.0 * (double)seconds));
}

/* Nothing to look at: says where there is nothing. */
static bool no_backup(Facts *facts, CheckOutcome *outcome)
{
    check_fix(facts, outcome, "vaxdb backup create%s", facts->spec->flags);
    return check_skip(facts, outcome, "there is no backup of %s to look at",
                      env_name(facts->spec->env));
}

bool probe_backups_daily(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const BackupList *list = NULL;
    if (!facts_backups(facts, &list, err))
        return false;
    const char *schedule = schedule_find_backup(facts->arena, "");
    const char *scheduled = schedule ? arena_printf(facts->arena, "scheduled in %s", schedule)
                                     : "no cron job or timer of this machine makes backups";
    if (!list->count)
        return check_fail(facts, outcome, "there is no backup of %s in %s; %s",
                          env_name(facts->spec->env), facts_backup_directory(facts), scheduled);
    int64_t finished = list->items[0].manifest.finished_at;
    const char *seen = arena_printf(facts->arena, "the newest of %zu was made %s; %s", list->count,
                                    ago(facts->arena, finished), scheduled);
    if (clock_unix_s() - finished > FRESH_HOURS * INT64_C(3600))
        return check_fail(facts, outcome, "%s", seen);
    if (!schedule)
        return check_warn(facts, outcome, "%s", seen);
    return check_pass(facts, outcome, "%s", seen);
}

bool probe_backups_compressed(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const BackupList *list = NULL;
    if (!facts_backups(facts, &list, err))
        return false;
    if (!list->count)
        return no_backup(facts, outcome);
    const Manifest *manifest = &list->items[0].manifest;
    const char *sizes = arena_printf(facts->arena, "%s: %s of SQL in %s", manifest->file,
                                     str_bytes(facts->arena, manifest->raw_bytes),
                                     str_bytes(facts->arena, manifest->packed_bytes));
    if (manifest->raw_bytes <= 0)
        return check_skip(facts, outcome, "%s", sizes);
    double saved = 100.0 * (1.0 - (double)manifest->packed_bytes / (double)manifest->raw_bytes);
    if (saved <= 0)
        return check_warn(facts, outcome, "%s: nothing saved", sizes);
    return check_pass(facts, outcome, "%s, %.0f %% saved", sizes, saved);
}

/* Is the newest backup in the store? A store that cannot be looked into holds nothing for us. */
static bool look_offsite(Facts *facts, CheckOutcome *outcome, Error *err)
{
    _cleanup_store_ Store *store = NULL;
    const ChecklistSpec *spec = facts->spec;
    const BackupList *list = NULL;
    Error failure = {0};
    Log quiet;
    bool has = false;
    log_init(&quiet, stderr, true);
    quiet.quiet = true;
    if (!facts_backups(facts, &list, err))
        return false;
    if (!list->count)
        return no_backup(facts, outcome);
    const Manifest *newest = &list->items[0].manifest;
    if (!offsite_open(facts->arena, &quiet, spec->config, spec->env, 0, &store, &failure) ||
        !backup_offsite_has(facts->arena, store, newest, &has, &failure))
        return check_fail(facts, outcome, "%s", failure.message);
    check_fix(facts, outcome, "vaxdb backup push%s", spec->flags);
    if (!has)
        return check_fail(facts, outcome, "%s is not in %s", newest->file, store_url(store));
    return check_pass(facts, outcome, "%s is in %s", newest->file, store_url(store));
}

bool probe_backups_offsite(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    if (offsite_url(facts->arena, spec->config, spec->env))
        return look_offsite(facts, outcome, err);
    const char *seen = "backup_url is not set: backups are on this machine only";
    if (spec->env == ENV_PRODUCTION)
        return check_fail(facts, outcome, "%s", seen);
    return check_warn(facts, outcome, "%s", seen);
}

bool probe_backups_checksums(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const BackupList *list = NULL;
    StateBackup known;
    if (!facts_backups(facts, &list, err))
        return false;
    if (!list->count)
        return no_backup(facts, outcome);
    const BackupEntry *newest = &list->items[0];
    check_fix(facts, outcome, "vaxdb backup verify %s", newest->path);
    if (newest->problem)
        return check_fail(facts, outcome, "%s: %s", newest->manifest.file, newest->problem);
    if (!state_backup_get(facts->spec->state, newest->manifest.sha256, &known, err))
        return false;
    if (!known.verified_at)
        return check_fail(facts, outcome, "%s was never verified", newest->manifest.file);
    const char *when = clock_iso_utc(facts->arena, known.verified_at);
    if (!known.verified)
        return check_fail(facts, outcome, "%s did not pass at %s", newest->manifest.file, when);
    return check_pass(facts, outcome, "%s passed at %s", newest->manifest.file, when);
}

bool probe_backups_drilled(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    StateDrill *drills = NULL;
    size_t count = 0;
    if (!state_drill_list(spec->state, facts->arena, env_name(spec->env), 1, &drills, &count, err))
        return false;
    if (!count)
        return check_fail(facts, outcome, "no backup of %s was ever restored as a drill",
                          env_name(spec->env));
    const char *seen =
        arena_printf(facts->arena, "the last drill was %s, of %s",
                     ago(facts->arena, drills[0].started_at), path_basename(drills[0].path));
    if (!drills[0].passed)
        return check_fail(facts, outcome, "%s, and did not pass", seen);
    if (clock_unix_s() - drills[0].started_at > MONTH_DAYS * DAY_S)
        return check_fail(facts, outcome, "%s", seen);
    return check_pass(facts, outcome, "%s, and passed", seen);
}

bool probe_backups_retention(Facts *facts, CheckOutcome *outcome, Error *err)
{
    (void)err;
    const ChecklistSpec *spec = facts->spec;
    int64_t days = config_int(spec->config, spec->env, "retention_days");
    const char *seen = arena_printf(facts->arena, "retention_days = %lld (%s)", (long long)days,
                                    config_source(spec->config, spec->env, "retention_days"));
    if (days < RETENTION_MIN_DAYS)
        return check_fail(facts, outcome, "%s: a mistake found after a month is past mending",
                          seen);
    if (days > RETENTION_MAX_DAYS)
        return check_warn(facts, outcome, "%s: more than the policy asks for", seen);
    return check_pass(facts, outcome, "%s; `vaxdb backup prune` keeps to it", seen);
}

bool probe_backups_before_restore(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const BackupList *list = NULL;
    if (!facts_backups(facts, &list, err))
        return false;
    size_t safety = 0;
    for (size_t i = 0; i < list->count; i++)
        safety += str_equal(list->items[i].manifest.reason, "before a restore");
    return check_pass(facts, outcome,
                      "`vaxdb restore` makes one before it replaces a database; %zu"
                      " in the folder were made so",
                      safety);
}
