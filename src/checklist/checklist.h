/* The guide's checklists as a table of checks, each with what counts as evidence.
 *
 * Everything is in the arena. The session was prepared by watch_begin (pg/watch.h). */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/config.h"
#include "flows/target.h"
#include "pg/session.h"
#include "state/state.h"

#include <stdbool.h>
#include <stddef.h>

#define CHECKLIST_COUNT 34

typedef enum { CHECK_PASS, CHECK_WARN, CHECK_FAIL, CHECK_SKIP } CheckStatus;
#define CHECK_STATUS_COUNT 4

/* "pass", "warn", "fail", "skip" */
const char *check_status_name(CheckStatus status);

typedef struct Facts Facts; /* facts.h */

typedef struct {
    CheckStatus status;
    const char *evidence; /* what was seen, or why nothing could be; never empty */
    const char *fix;      /* a command or statement; NULL when it passed */
} CheckOutcome;

/* Fills outcome. ERR_FAILED and ERR_USAGE become SKIP with the message; other errors end the run.
 */
typedef bool (*CheckProbe)(Facts *facts, CheckOutcome *outcome, Error *err);

typedef struct {
    const char *id;            /* "indexing.where-columns"; stable */
    const char *section;       /* "Indexing" */
    const char *title;         /* the guide's words */
    const char *evidence_rule; /* what is looked at, and what it takes to pass */
    CheckProbe probe;
    const char *fix; /* unless the probe says a better one; {env} is " -e NAME" or " --url ..." */
} CheckItem;

extern const CheckItem checklist_items[CHECKLIST_COUNT];

typedef struct {
    Arena *arena;
    Log *log;
    const Config *config;
    EnvKind env;
    const Target *target;
    State *state;
    Session *session;
    DatabaseIdentity identity;
    const char *flags; /* " -e production", " --url ..." or "": to repeat in commands */
} ChecklistSpec;

typedef struct {
    const CheckItem *item;
    CheckOutcome outcome;
} CheckResult;

typedef struct {
    CheckResult results[CHECKLIST_COUNT]; /* in the order of the guide */
    size_t count;
    size_t totals[CHECK_STATUS_COUNT];
} ChecklistReport;

/* wanted: ids ("backups.daily") or sections ("backups"); empty: all. An unknown one is ERR_USAGE.
 */
bool checklist_select(Arena *arena, const StrList *wanted, const CheckItem ***items, size_t *count,
                      Error *err) MUST_CHECK;
bool checklist_run(const ChecklistSpec *spec, const CheckItem *const *items, size_t count,
                   ChecklistReport *report, Error *err) MUST_CHECK;

/* The most urgent fixes, at most max of them: of failures first, then of warnings. */
size_t checklist_top_fixes(const ChecklistReport *report, const CheckResult **fixes, size_t max);
