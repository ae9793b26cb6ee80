/* Progress of long work, on stderr: a bar with rate and time left on a terminal, a plain line every
 * few seconds elsewhere, nothing under -q.
 *
 *     Progress progress;
 *     progress_start(&progress, log, "loading stock_snapshots", 1000000, PROGRESS_COUNT, "rows");
 *     progress_update(&progress, done);    cheap: may be called for every row
 *     progress_finish(&progress);          leaves one line: what, how much, how long
 */
#pragma once

#include "base/log.h"

#include <stdint.h>

typedef enum { PROGRESS_COUNT, PROGRESS_BYTES } ProgressKind;

typedef struct {
    Log *log;
    const char *label; /* not copied: must outlive the progress */
    const char *unit;  /* "rows"; unused for bytes */
    ProgressKind kind;
    int64_t total; /* 0 when unknown */
    int64_t done;
    int64_t started_ms;
    int64_t drawn_ms;
    int64_t check_at; /* done below this is not worth a look at the clock */
} Progress;

void progress_start(Progress *progress, Log *log, const char *label, int64_t total,
                    ProgressKind kind, const char *unit);
void progress_update(Progress *progress, int64_t done);
/* Draws it now, however short ago it was drawn. */
void progress_show(Progress *progress);
void progress_finish(Progress *progress);
/* Removes the bar without the closing line: the work failed or was interrupted. */
void progress_abandon(Progress *progress);
