/* What `migrate up` would do, before anything does: `vaxdb migrate plan`. For each pending file its
 * transaction, the locks on tables that others use with what they mean and how many rows wait
 * behind them, how long it took where it ran before, and what its down would lose.
 *
 * Reads the catalogue, the folder and what was proved elsewhere; takes no lock and changes nothing.
 * A file is judged by the schema with the files before it. */
#pragma once

#include "lint/effects.h"
#include "migrate/migrate.h"
#include "state/state.h"

typedef struct {
    Effect effect; /* the strongest lock of the file on that table, and what else it does to it */
    bool is_new;   /* made by the pending files: nobody waits */
    int64_t rows, bytes; /* -1: not known */
} PlanLock;

typedef struct {
    const char *what;  /* "DROP TABLE", "DROP COLUMN severity" */
    const char *table; /* "public.alerts" */
    int64_t rows;      /* that are there now; -1 not known; 0 for tables that the up makes */
} PlanLoss;

typedef struct {
    const MigrateStep *step;
    PlanLock *locks; /* strongest first */
    size_t lock_count, lock_capacity;
    size_t not_analysed;      /* statements of which nothing is known */
    const char *down_problem; /* why the down could not be read; NULL */
    PlanLoss *losses;         /* of the down */
    size_t loss_count, loss_capacity;
    int64_t measured_ms; /* of the same file elsewhere; -1: never */
    const char *measured_env;
    int64_t measured_at; /* unix s */
} PlanFile;

typedef struct {
    MigratePlan plan;
    PlanFile *files; /* as many as plan has steps */
} PlanReport;

/* session is idle and outside a transaction. to: the last file, NULL for all. */
bool plan_read(Arena *arena, State *state, Session *session, const MigrateStatus *status,
               const char *to, PlanReport *report, Error *err) MUST_CHECK;
