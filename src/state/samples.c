#include "state/samples.h"

#include "base/clock.h"
#include "state/state_internal.h"

#define DAY_S INT64_C(86400)

static const char *const newest_sql[] = {
    [SAMPLE_INDEXES] = "SELECT coalesce(max(taken_at), 0) FROM index_samples"
                       " WHERE system_identifier = ?1 AND database = ?2",
    [SAMPLE_CONNECTIONS] = "SELECT coalesce(max(taken_at), 0) FROM connection_samples"
                           " WHERE system_identifier = ?1 AND database = ?2",
};

bool state_samples_newest(State *state, SampleKind kind, const char *system_identifier,
                          const char *database, int64_t *unix_s, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    if (!state_prepare(state, &statement, err, newest_sql[kind], "ss", system_identifier,
                       database) ||
        !state_step(state, statement, &row, err))
        return false;
    *unix_s = row ? sqlite3_column_int64(statement, 0) : 0;
    return true;
}

static bool add_scans(State *state, const IndexSample *items, size_t count, Error *err)
{
    int64_t sample = sqlite3_last_insert_rowid(state->db);
    for (size_t i = 0; i < count; i++) {
        if (!state_run(state, err, "INSERT INTO index_sample_scans VALUES (?1, ?2, ?3, ?4, ?5)",
                       "issii", sample, items[i].schema, items[i].name, items[i].scans,
                       items[i].bytes))
            return false;
    }
    return true;
}

static bool remove_old_indexes(State *state, int64_t before, Error *err)
{
    return state_run(state, err,
                     "DELETE FROM index_sample_scans WHERE sample IN"
                     " (SELECT id FROM index_samples WHERE taken_at < ?1)",
                     "i", before) &&
           state_run(state, err, "DELETE FROM index_samples WHERE taken_at < ?1", "i", before);
}

bool state_samples_add_indexes(State *state, const char *system_identifier, const char *database,
                               int64_t stats_since_s, const IndexSample *items, size_t count,
                               Error *err)
{
    int64_t newest = 0;
    int64_t now = clock_unix_s();
    if (!state_run(state, err, "BEGIN IMMEDIATE", ""))
        return false;
    bool done =
        state_samples_newest(state, SAMPLE_INDEXES, system_identifier, database, &newest, err);
    if (done && now - newest >= SAMPLE_MIN_AGE_S)
        done = state_run(state, err,
                         "INSERT INTO index_samples (system_identifier, database, taken_at,"
                         " stats_since) VALUES (?1, ?2, ?3, ?4)",
                         "ssii", system_identifier, database, now, stats_since_s) &&
               add_scans(state, items, count, err) &&
               remove_old_indexes(state, now - SAMPLE_KEEP_DAYS * DAY_S, err);
    if (done)
        return state_run(state, err, "COMMIT", "");
    Error ignored = {0};
    (void)!state_run(state, &ignored, "ROLLBACK", "");
    return false;
}

bool state_samples_add_connections(State *state, const char *system_identifier,
                                   const char *database, const ConnectionSample *sample, Error *err)
{
    int64_t now = clock_unix_s();
    return state_run(state, err,
                     "INSERT INTO connection_samples VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                     "ssiiiiii", system_identifier, database, now, sample->total, sample->active,
                     sample->idle, sample->idle_in_transaction, sample->usable) &&
           state_run(state, err, "DELETE FROM connection_samples WHERE taken_at < ?1", "i",
                     now - SAMPLE_KEEP_DAYS * DAY_S);
}
