/* Between the files of roundtrip.h. */
#pragma once

#include "flows/copy.h"
#include "flows/roundtrip.h"

/* A table whose rows are looked at, and the copy of them. */
typedef struct {
    const char *schema, *name;
    bool partitioned;
    StrList columns, keys; /* names; keys: of its primary key */
    size_t copy;           /* number in ROUNDTRIP_SCHEMA */
} RowTable;

typedef struct {
    RowTable *items; /* by schema, name */
    size_t count, capacity;
} RowTables;

typedef struct {
    Arena *arena;
    Log *log;
    const RoundtripSpec *spec;
    RoundtripReport *report;
    Copy copy; /* the scratch database; copy.session is with it */
    MigrateOptions options;
    StrList ignore;      /* listed drift, and what we keep there ourselves */
    int64_t ran_ms;      /* of the file that ran last */
    Schema now;          /* of the scratch database */
    StrList skipped;     /* not possible: what follows may miss them */
    RowTables kept;      /* rows as they were before the up */
    const char *stopped; /* why nothing can run any more; NULL: it can */
} Roundtrip;

/* Is the migration among the names, which may lack their ".sql"? */
bool roundtrip_is_named(const StrList *names, const char *migration);

/* ---- roundtrip_scratch.c: makes the scratch database ------------------------------------- */

/* *why: no scratch database could be made; NULL: it is there, with its ledger. */
bool roundtrip_make_scratch(Roundtrip *trip, const char **why, Error *err) MUST_CHECK;

/* ---- roundtrip_globals.c ----------------------------------------------------------------- */

/* What a file does beyond its database, which the scratch database beside it shares; *reason NULL:
 * nothing that can be seen. */
bool roundtrip_find_globals(Arena *arena, const MigrationFile *file, const char **reason,
                            Error *err) MUST_CHECK;

/* ---- roundtrip_data.c: rows that were there ---------------------------------------------- */

/* Where copies of the rows are kept meanwhile, in the scratch database. */
#define ROUNDTRIP_SCHEMA "vaxdb_roundtrip"

bool roundtrip_keep_rows(Roundtrip *trip, Error *err) MUST_CHECK;
/* Adds to lost what is not as it was kept. */
bool roundtrip_compare_rows(Roundtrip *trip, StrList *lost, Error *err) MUST_CHECK;
