/* Samples of what a database's counters said, and when: without a second reading a counter says
 * little, and the checklist wants to know that somebody looked. Databases are told apart by system
 * identifier and name. Times are seconds since 1970, UTC. */
#pragma once

#include "state/state.h"

#define SAMPLE_MIN_AGE_S 3600 /* index counts are not kept more often */
#define SAMPLE_KEEP_DAYS 400  /* a year, to compare seasons */

typedef enum { SAMPLE_INDEXES, SAMPLE_CONNECTIONS } SampleKind;

typedef struct {
    const char *schema, *name;
    int64_t scans, bytes;
} IndexSample;

/* Keeps the counts of all indexes, and since when the server counts (stats_since_s). Does nothing
 * when the newest is younger than SAMPLE_MIN_AGE_S. Older than SAMPLE_KEEP_DAYS are removed. */
bool state_samples_add_indexes(State *state, const char *system_identifier, const char *database,
                               int64_t stats_since_s, const IndexSample *items, size_t count,
                               Error *err) MUST_CHECK;

typedef struct {
    int64_t total, active, idle, idle_in_transaction, usable;
} ConnectionSample;

bool state_samples_add_connections(State *state, const char *system_identifier,
                                   const char *database, const ConnectionSample *sample,
                                   Error *err) MUST_CHECK;

/* When the newest was taken; 0 when there is none. */
bool state_samples_newest(State *state, SampleKind kind, const char *system_identifier,
                          const char *database, int64_t *unix_s, Error *err) MUST_CHECK;
