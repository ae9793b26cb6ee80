/* The ledger (schema_migrations, exactly as the guide has it) and the side table of runs beside it
 * (schema_migrations_runs), which knows what the ledger cannot: how far a file without a
 * transaction has come, what failed, how long it took.
 *
 * The ledger alone says what is applied. A run says more only while its file is half done. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { RUN_UP, RUN_DOWN } RunDirection;

typedef struct {
    const char *table; /* quoted and qualified, for SQL */
    const char *runs_table;
    const char *schema_table; /* with the snapshot of the schema (snapshot.c) */
    const char *plain;        /* as configured, for messages and the lock's key */
    bool exists, runs_exist;
    bool runs_old; /* of a version before the column overrides */
} Ledger;

typedef struct {
    int64_t id;
    const char *name, *checksum;
    const char *applied_at; /* "2026-11-23T02:00:00.123456", in the server's time zone */
    bool is_known;          /* the table of runs tells of it too; else another script wrote it */
} LedgerEntry;

typedef struct {
    int64_t id;
    const char *name;
    RunDirection direction;
    bool transactional;
    const char *state;    /* running, failed, done, undone, repaired, baseline */
    int64_t completed;    /* statements that have taken effect */
    int64_t attempting;   /* index of a statement with unknown or failed outcome, -1 for none */
    const char *before;   /* what was there before it; NULL */
    const char *chain;    /* ScriptStatement.chain of the last completed one, "" for none */
    const char *error;    /* NULL */
    const char *sqlstate; /* "" */
} LedgerRun;

/* What was said beside a run: guards passed by, drift taken in, the reason of a repair. */
typedef struct {
    const char *name, *state, *overrides; /* JSON */
    const char *backup_id;                /* NULL for none */
    const char *at;                       /* "2026-11-23T02:00:00Z" */
    RunDirection direction;
} LedgerOverride;

/* Looks; makes nothing. table is "name" or "schema.name". A table of that name with other columns
 * is ERR_REFUSED: it is another tool's. */
bool ledger_find(Arena *arena, Session *session, const char *table, Ledger *ledger,
                 Error *err) MUST_CHECK;
/* Makes what is missing. */
bool ledger_create(Arena *arena, Session *session, Ledger *ledger, Error *err) MUST_CHECK;
/* In the order they were applied. None when the table is not there. */
bool ledger_read(Arena *arena, Session *session, const Ledger *ledger, LedgerEntry **entries,
                 size_t *count, Error *err) MUST_CHECK;
/* Runs statement by statement that did not end: the latest run of a migration, and its latest up.
 * In no order. */
bool ledger_read_unfinished(Arena *arena, Session *session, const Ledger *ledger, LedgerRun **runs,
                            size_t *count, Error *err) MUST_CHECK;
/* Of all runs, oldest first. */
bool ledger_read_overrides(Arena *arena, Session *session, const Ledger *ledger,
                           LedgerOverride **overrides, size_t *count, Error *err) MUST_CHECK;
/* Is the file behind this run half done? */
bool ledger_run_is_partial(const LedgerRun *run);

/* SQL texts, to be sent in one message with others. */
char *ledger_sql_insert(Arena *arena, const Ledger *ledger, const char *name, const char *checksum);
char *ledger_sql_delete(Arena *arena, const Ledger *ledger, const char *name);
typedef struct {
    const char *name;
    RunDirection direction;
    const char *checksum;      /* of the file that runs */
    const char *down_checksum; /* of its down; NULL for none */
    bool transactional;
    size_t statements;
    const char *backup_id; /* NULL for none */
    const char *overrides; /* JSON: guards passed by, and why; NULL for none */
} RunFacts;
/* A whole run of a transactional file, recorded inside its transaction, which lasted as long. */
char *ledger_sql_run_done(Arena *arena, const Ledger *ledger, const RunFacts *facts,
                          const char *chain);
/* A partial up whose down has run. */
char *ledger_sql_undo_partial(Arena *arena, const Ledger *ledger, const char *name);
char *ledger_sql_progress(Arena *arena, const Ledger *ledger, int64_t run, size_t completed,
                          const char *chain);
char *ledger_sql_finish(Arena *arena, const Ledger *ledger, int64_t run, int64_t duration_ms);

/* A run that proceeds statement by statement. */
bool ledger_run_begin(Arena *arena, Session *session, const Ledger *ledger, const RunFacts *facts,
                      int64_t *id, Error *err) MUST_CHECK;
bool ledger_run_resume(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                       const RunFacts *facts, Error *err) MUST_CHECK;
bool ledger_run_attempt(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                        size_t index, const char *before, Error *err) MUST_CHECK;
/* Records a failure; of a transactional file too, which then has no other trace (id 0). */
bool ledger_run_fail(Arena *arena, Session *session, const Ledger *ledger, int64_t id,
                     const RunFacts *facts, const Error *why, int64_t duration_ms,
                     Error *err) MUST_CHECK;
