/* A drill: a backup is restored into a scratch cluster (or a scratch database of a server that is
 * named), the guide's checklist is run over it, and all of it is removed again. The only proof that
 * a backup can be used is that it was. */
#pragma once

#include "backup/backup.h"
#include "conf/config.h"
#include "flows/drill_report.h"
#include "state/state.h"

typedef struct {
    const char *path;
    const char *place;    /* off-site, that path was fetched from: what the report calls it; NULL */
    double pull_seconds;  /* that took; only with place */
    const char *conninfo; /* a server to restore on; NULL: a scratch cluster of its own */
    const char *env;      /* under which the drill is recorded */
    const char *database; /* whose settings it is given when that server has it; NULL: none */
    const char *state_directory;   /* where the scratch cluster is made */
    const char *app_role;          /* NULL: the session's own */
    const char *queries_directory; /* NULL: there are none */
    const char *pg_bindir;         /* where to look for pg_dump first; may be NULL */
    BackupKeys *keys;              /* of an encrypted backup; may be NULL */
} DrillSpec;

/* A backup that does not pass is a report with passed false; an error is what kept us from
 * drilling (no connection, an interrupt). Either way nothing of the restored stays. Recorded in
 * state. */
bool drill_run(Arena *arena, Log *log, State *state, const DrillSpec *spec, DrillReport *report,
               Error *err) MUST_CHECK;

/* Level 3 or 4 of verify: *verified is as backup_verify would fill it, and the errors of the trial
 * are among its. Level 4 is a drill, and recorded as one; level 3 ends once tables, row counts and
 * indexes are compared. */
bool drill_verify(Arena *arena, Log *log, State *state, const DrillSpec *spec, VerifyLevel level,
                  VerifyReport *verified, DrillReport *report, Error *err) MUST_CHECK;

/* The same with a backup of the off-site store, by offsite_fetch's words, which proves that copy
 * and the way to it. It is fetched into STATE/offsite, which nothing else uses, and removed again;
 * a copy that is damaged is ERR_PROBLEMS. env in spec is whose newest one is meant. */
bool drill_run_offsite(Arena *arena, Log *log, State *state, const Config *config, EnvKind env,
                       const char *word, const DrillSpec *spec, DrillReport *report,
                       Error *err) MUST_CHECK;
