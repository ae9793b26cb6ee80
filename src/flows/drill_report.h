/* The report of a drill: what `drill run` prints, what the history keeps as JSON, and the page of
 * HTML that is handed to people. */
#pragma once

#include "base/json.h"
#include "state/drills.h"

typedef struct {
    const char *name; /* "row_counts" */
    bool ok;
    bool skipped; /* could not be looked at: ok, and detail says why */
    const char *detail;
} DrillCheck;

typedef struct {
    const char *name;
    double seconds;
} DrillPhase;

#define DRILL_CHECKS_MAX 12
#define DRILL_PHASES_MAX 10

typedef struct {
    bool passed;
    const char *path;
    const char *server;       /* where, without password */
    const char *tool_version; /* of vaxdb */
    DrillCheck checks[DRILL_CHECKS_MAX];
    size_t check_count;
    DrillPhase phases[DRILL_PHASES_MAX];
    size_t phase_count;
    int64_t started_at;
    int64_t snapshot_at; /* the moment that the backup shows; 0: not known */
    int64_t packed_bytes;
    int64_t raw_bytes;
    int64_t rows;
    double seconds;
} DrillReport;

/* As in `drill run --json`; the history keeps it. */
json_t *drill_report_json(const DrillReport *report);
/* Back from the history. What an older version did not record is 0 or "". */
bool drill_report_read(Arena *arena, const StateDrill *drill, DrillReport *report,
                       Error *err) MUST_CHECK;
/* The first check that failed; NULL when all passed. */
const DrillCheck *drill_report_failure(const DrillReport *report);

/* One page that needs nothing else: no script, no link, every text escaped. history: the drills of
 * the same environment, newest first, for comparison. */
char *drill_report_html(Arena *arena, const DrillReport *report, const char *env,
                        const StateDrill *history, size_t count);
