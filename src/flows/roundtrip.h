/* The round trip: is every down the way back of its up, and does what rows there were survive?
 *
 * In a scratch database beside the target's (flows/scratch.h), made from the target's schema alone,
 * or with data from a backup: fingerprint, up, fingerprint, down (as before?), up (as after the
 * first?). Each migration in its turn, so that the next begins where this one ends. */
#pragma once

#include "backup/backup.h"
#include "flows/target.h"
#include "migrate/migrate.h"
#include "pg/schema.h"

typedef enum {
    ROUNDTRIP_PASSED,
    ROUNDTRIP_FAILED,       /* the down does not undo, or the second up fails or differs */
    ROUNDTRIP_NO_DOWN,      /* there is no down file */
    ROUNDTRIP_NOT_POSSIBLE, /* it changes more than its database (roles, databases, tablespaces) */
    ROUNDTRIP_NOT_RUN,      /* an earlier one failed, or no scratch database could be made */
} RoundtripVerdict;

/* "passed", "failed", "no_down", "not_possible", "not_run": as in evidence (state/evidence.h). */
const char *roundtrip_verdict_name(RoundtripVerdict verdict);

typedef struct {
    const char *name; /* of the migration */
    RoundtripVerdict verdict;
    const char *detail; /* why, in one line; "" */
    char fingerprint_before[HASH_HEX_SIZE], fingerprint_after[HASH_HEX_SIZE];
    SchemaDiff not_undone; /* before -> after the down */
    SchemaDiff not_redone; /* after the first up -> after the second */
    StrList lost;          /* with data: "public.t: 3 of 10 rows", "public.t.c: values of 7 rows" */
    int64_t up_ms, down_ms; /* first up; -1 when it did not run */
} RoundtripStep;

typedef struct {
    RoundtripStep *steps;
    size_t count;
    bool passed;          /* none failed or was not run */
    const char *database; /* what the scratch was made of: "schema of HOST/DB", a backup's file */
    bool with_data;
    double seconds;
} RoundtripReport;

typedef struct {
    const Target *target;
    Session *session;              /* with the target; idle */
    const MigrateOptions *migrate; /* directory, ledger, timeouts, log */
    const StrList *names;          /* of migrations; NULL: those that are pending */
    const char *backup;    /* a verified backup to take schema and data from; NULL: schema */
    const StrList *ignore; /* listed drift, see SchemaScope */
    const char *pg_bindir;
    BackupKeys *keys; /* of an encrypted backup; may be NULL */
} RoundtripSpec;

/* A round trip that fails is a report with passed false; an error is what kept us from trying. The
 * scratch database is dropped either way. */
bool roundtrip_run(Arena *arena, Log *log, const RoundtripSpec *spec, RoundtripReport *report,
                   Error *err) MUST_CHECK;
json_t *roundtrip_report_json(const RoundtripReport *report);
