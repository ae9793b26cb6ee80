#include "dataset/rebuild.h"

#include "base/progress.h"
#include "sql_texts.h"

bool rebuild_find(Session *session, const char *tables, Rebuild *rebuild, Error *err)
{
    return session_query_params(session, sql_rebuild_triggers, 1, &tables, &rebuild->triggers,
                                err) &&
           session_query_params(session, sql_rebuild_foreign_keys, 1, &tables,
                                &rebuild->foreign_keys, err) &&
           session_query_params(session, sql_rebuild_indexes, 1, &tables, &rebuild->indexes, err);
}

/* Runs one column of statements; an SQL NULL is nothing to do. */
static bool run_column(Session *session, const Result *rows, const char *column, Progress *progress,
                       Error *err)
{
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *sql = result_text(rows, i, column);
        if (sql && !session_execute(session, sql, err)) {
            (void)error_context(err, "%s", sql);
            return false;
        }
        if (progress)
            progress_update(progress, progress->done + 1);
    }
    return true;
}

bool rebuild_drop(Session *session, const Rebuild *rebuild, Error *err)
{
    return run_column(session, rebuild->triggers, "drop_sql", NULL, err) &&
           run_column(session, rebuild->foreign_keys, "drop_sql", NULL, err) &&
           run_column(session, rebuild->indexes, "drop_sql", NULL, err);
}

bool rebuild_create(Session *session, Log *log, const Rebuild *rebuild, Error *err)
{
    Progress progress;
    size_t count = result_rows(rebuild->indexes) + result_rows(rebuild->foreign_keys);
    progress_start(&progress, log, "rebuilding indexes and foreign keys", (int64_t)count,
                   PROGRESS_COUNT, "objects");
    bool done = run_column(session, rebuild->indexes, "create_sql", &progress, err) &&
                run_column(session, rebuild->indexes, "after_sql", NULL, err) &&
                run_column(session, rebuild->foreign_keys, "create_sql", &progress, err) &&
                run_column(session, rebuild->foreign_keys, "after_sql", NULL, err) &&
                run_column(session, rebuild->triggers, "create_sql", NULL, err);
    if (done)
        progress_finish(&progress);
    else
        progress_abandon(&progress);
    return done;
}

void rebuild_free(Rebuild *rebuild)
{
    result_free(rebuild->triggers);
    result_free(rebuild->foreign_keys);
    result_free(rebuild->indexes);
    *rebuild = (Rebuild){0};
}
