#include "backup/backup.h"
#include "backup/offsite_internal.h"
#include "base/clock.h"
#include "state/backups.h"

#include <time.h>

#define DAY_S     86400
#define RULES_MAX 4

/* Retention counts within one database of one environment. */
static bool same_line(const Manifest *a, const Manifest *b)
{
    return str_equal(a->name, b->name) && str_equal(a->env, b->env) &&
           str_equal(a->database, b->database);
}

/* A file that is damaged on sight is no verified backup, whatever was remembered. */
static bool counts_as_verified(const PruneRow *row)
{
    return row->verified && !row->entry->problem;
}

/* May `other` stand in for `row`? One that was made by others does not for one of our own: when it
 * was made is only what its name or its file says. */
static bool stands_in(const PruneRow *other, const PruneRow *row)
{
    const Manifest *a = &other->entry->manifest;
    const Manifest *b = &row->entry->manifest;
    return counts_as_verified(other) && same_line(a, b) && (!a->adopted || b->adopted);
}

static int64_t finished_at(const PruneRow *row)
{
    return row->entry->manifest.finished_at;
}

/* Did rows[a] end after rows[b]? Of two that ended in one second the first of the list did. */
static bool is_newer(const PruneRow *rows, size_t a, size_t b)
{
    int64_t left = finished_at(&rows[a]);
    int64_t right = finished_at(&rows[b]);
    return left == right ? a < b : left > right;
}

static int64_t newer_verified(const PruneRow *rows, size_t count, size_t at)
{
    int64_t newer = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != at && stands_in(&rows[i], &rows[at]) && is_newer(rows, i, at))
            newer++;
    }
    return newer;
}

/* ---- by day, week, month and year -------------------------------------------------------- */

static int64_t day_of(int64_t unix_s)
{
    return unix_s / DAY_S;
}

/* 1970-01-01 was a Thursday: weeks begin on Mondays, as ISO 8601 counts them. */
static int64_t week_of(int64_t unix_s)
{
    return (day_of(unix_s) + 3) / 7;
}

static int64_t month_of(int64_t unix_s)
{
    struct tm parts = {0};
    time_t when = (time_t)unix_s;
    return gmtime_r(&when, &parts) ? (int64_t)parts.tm_year * 12 + parts.tm_mon : 0;
}

static int64_t year_of(int64_t unix_s)
{
    return month_of(unix_s) / 12;
}

/* Keeps the last verified backup of each of the newest `wanted` periods that are over, and of the
 * one that is running: so what is kept for 7 years is 7 years old when it goes. Only periods with a
 * backup count, so that neither a pause nor a wrong clock takes the old ones away. */
typedef struct {
    const char *period;
    int64_t wanted;
    int64_t (*period_of)(int64_t unix_s);
} PeriodRule;

/* Is a newer verified one of the same line in its period? */
static bool is_last_of_period(const PruneRow *rows, size_t count, size_t at, const PeriodRule *rule)
{
    int64_t period = rule->period_of(finished_at(&rows[at]));
    for (size_t i = 0; i < count; i++) {
        if (i != at && stands_in(&rows[i], &rows[at]) && is_newer(rows, i, at) &&
            rule->period_of(finished_at(&rows[i])) == period)
            return false;
    }
    return counts_as_verified(&rows[at]);
}

static bool kept_by_period(const PruneRow *rows, size_t count, size_t at, const PeriodRule *rule,
                           int64_t now_unix_s)
{
    int64_t running = rule->period_of(now_unix_s);
    int64_t period = rule->period_of(finished_at(&rows[at]));
    int64_t newer = 0;
    if (!rule->wanted || !is_last_of_period(rows, count, at, rule))
        return false;
    for (size_t i = 0; i < count && newer < rule->wanted; i++) {
        int64_t other = rule->period_of(finished_at(&rows[i]));
        if (other > period && other < running && stands_in(&rows[i], &rows[at]) &&
            is_last_of_period(rows, count, i, rule))
            newer++;
    }
    return newer < rule->wanted;
}

static const char *period_reason(Arena *arena, const PruneRow *rows, size_t count, size_t at,
                                 int64_t now_unix_s, const RetentionPolicy *policy)
{
    const PeriodRule rules[RULES_MAX] = {{"day", policy->daily, day_of},
                                         {"week", policy->weekly, week_of},
                                         {"month", policy->monthly, month_of},
                                         {"year", policy->yearly, year_of}};
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (kept_by_period(rows, count, at, &rules[i], now_unix_s))
            return arena_printf(arena, "the last of its %s, %lld are kept", rules[i].period,
                                (long long)rules[i].wanted);
    }
    return NULL;
}

/* ---- the decision ------------------------------------------------------------------------ */

/* Why it stays; NULL: nothing keeps it. */
static const char *reason_to_keep(Arena *arena, const PruneRow *rows, size_t count, size_t at,
                                  int64_t now_unix_s, const RetentionPolicy *policy)
{
    const PruneRow *row = &rows[at];
    int64_t newer = newer_verified(rows, count, at);
    if (now_unix_s - finished_at(row) <= policy->days * DAY_S)
        return arena_printf(arena, "younger than %lld days", (long long)policy->days);
    if (row->keep_until > now_unix_s)
        return arena_printf(arena, "%s, kept until %.10s", row->keep_reason,
                            clock_iso_utc(arena, row->keep_until));
    if (row->last_drilled)
        return "the last one that a drill restored";
    if (counts_as_verified(row) && newer == 0)
        return "the newest verified one";
    if (newer == 0 || newer < policy->keep_min)
        return arena_printf(arena, "only %lld verified newer, %lld are kept", (long long)newer,
                            (long long)policy->keep_min);
    return period_reason(arena, rows, count, at, now_unix_s, policy);
}

void backup_prune_decide(Arena *arena, PruneRow *rows, size_t count, int64_t now_unix_s,
                         const RetentionPolicy *policy)
{
    for (size_t i = 0; i < count; i++) {
        PruneRow *row = &rows[i];
        const char *kept = reason_to_keep(arena, rows, count, i, now_unix_s, policy);
        row->remove = !kept;
        row->reason = kept ? kept
                           : arena_printf(arena, "%lld days old",
                                          (long long)((now_unix_s - finished_at(row)) / DAY_S));
    }
}

/* ---- looking up and deleting ------------------------------------------------------------- */

bool prune_look_up(Arena *arena, State *state, const BackupList *list, PruneRow *rows, Error *err)
{
    size_t *last = arena_array(arena, list->count, sizeof(*last));
    int64_t *drilled_at = arena_array(arena, list->count, sizeof(*drilled_at));
    for (size_t i = 0; i < list->count; i++) {
        StateBackup memory;
        rows[i].entry = &list->items[i];
        if (!state_backup_get(state, list->items[i].manifest.sha256, &memory, err))
            return false;
        rows[i].verified = memory.verified;
        rows[i].keep_until = memory.keep_until;
        rows[i].keep_reason = arena_strdup(arena, memory.keep_reason);
        drilled_at[i] = memory.drill_passed ? memory.drilled_at : 0;
        last[i] = i;
    }
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < list->count; j++) {
            if (same_line(&list->items[i].manifest, &list->items[j].manifest) &&
                drilled_at[j] > drilled_at[last[i]])
                last[i] = j;
        }
        rows[i].last_drilled = last[i] == i && drilled_at[i] > 0;
    }
    return true;
}

static bool list_whole(Arena *arena, const char *directory, BackupList *list, Error *err)
{
    if (!backup_list(arena, directory, list, err))
        return false;
    if (!list->unreadable.count)
        return true;
    (void)error_set(err, ERR_REFUSED,
                    "the list of backups is incomplete, so nothing is deleted: %s",
                    list->unreadable.items[0]);
    return error_hint(err, "move that file out of %s, then prune again", directory);
}

/* Drops the backups of other environments from the list. */
static void keep_environment(BackupList *list, const char *env)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i].manifest.env, env))
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* Would rows[at] be missed by one that goes? */
static bool is_relied_on(const PruneRow *rows, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].remove && stands_in(&rows[at], &rows[i]))
            return !rows[at].remove && newer_verified(rows, count, at) == 0;
    }
    return false;
}

/* A disk may have changed what was verified long ago: before anything goes, the newest verified one
 * that stands in for it is hashed again. *changed: one is not what it was, and counts no more. */
static bool look_again(Arena *arena, Log *log, State *state, PruneRow *rows, size_t count,
                       bool *changed, Error *err)
{
    *changed = false;
    for (size_t i = 0; i < count; i++) {
        VerifyReport report;
        if (rows[i].looked_at || !is_relied_on(rows, count, i))
            continue;
        rows[i].looked_at = true;
        if (!backup_verify(arena, log, state, rows[i].entry->path, VERIFY_HASH, &report, err))
            return false;
        if (report.ok)
            continue;
        log_warn(log, "%s was verified, and is damaged now: %s", rows[i].entry->manifest.file,
                 report.errors.items[0]);
        rows[i].verified = false;
        *changed = true;
    }
    return true;
}

bool backup_prune(Arena *arena, Log *log, State *state, const char *directory, const char *env,
                  const RetentionPolicy *policy, bool dry_run, PruneRow **rows, size_t *count,
                  Error *err)
{
    bool changed = true;
    BackupList *list = arena_alloc(arena, sizeof(*list));
    if (!list_whole(arena, directory, list, err))
        return false;
    keep_environment(list, env);
    *count = list->count;
    *rows = arena_array(arena, list->count, sizeof(**rows));
    if (!prune_look_up(arena, state, list, *rows, err))
        return false;
    while (changed) {
        backup_prune_decide(arena, *rows, *count, clock_unix_s(), policy);
        if (!look_again(arena, log, dry_run ? NULL : state, *rows, *count, &changed, err))
            return false;
    }
    /* Oldest first: what an interruption leaves is what should have stayed longest. */
    for (size_t i = *count; i-- > 0 && !dry_run;) {
        if ((*rows)[i].remove && !backup_delete(arena, (*rows)[i].entry->path, err))
            return false;
    }
    return true;
}
