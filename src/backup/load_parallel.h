/* Restores a file of members by several sessions. In this order:
 *
 * 1 the statements before the rows, by the leader's session; where only some tables are wanted, the
 *   others are then dropped, so that types, functions and sequences are there for those that stay
 *   (load_tables.c)
 * 2 by all sessions: rows, the biggest tables first; the indexes of a table and its primary, unique
 *   and exclusion constraints as soon as its rows are in; sequences and large objects
 *   (load_schedule.h)
 * 3 all other statements in their order, by the leader: what makes up partitioned indexes, views,
 *   triggers, rules, policies, privileges, materialized views, event triggers; foreign keys that
 *   stand together by all sessions, as far as they share no table (load_late.c)
 * 4 ANALYZE, by all sessions
 *
 * An index that cannot be built early because it needs what comes later (a function that was put
 * off) is left to phase 3, where it stands. Nothing runs earlier than what pg_restore --jobs would
 * run it after. */
#pragma once

#include "backup/backup.h"
#include "backup/load_crew.h"
#include "backup/load_schedule.h"

/* What all of load*.c share. */
typedef struct {
    Arena *arena;
    Log *log;
    Session *session; /* the leader's */
    const LoadOptions *options;
    LoadResult *result;
    bool in_copy;
    StrList forgiven; /* settings that this server does not have */
    bool partial;     /* only some tables are wanted: statements about others may fail */
} Loading;

/* A statement by the leader's session, with what may be forgiven. */
bool load_execute(Loading *loading, const char *sql, int64_t line, Error *err) MUST_CHECK;

/* The restore at hand. */
typedef struct {
    Loading *loading;
    const LoadFile *file;
    LoadPlan *plan;
    LoadRelations relations;
    LoadCrew *crew;
    const LoadSettings *settings; /* in force in the leader's session */
    int64_t done_bytes;           /* of rows, under the lock of the crew */
} ParallelLoad;

bool load_parallel(Loading *loading, const LoadFile *file, LoadPlan *plan, Error *err) MUST_CHECK;

/* load_rows.c: the members of a table that nobody else takes, into the table. */
bool load_rows(ParallelLoad *load, LoadWorker *worker, LoadRows *rows, Error *err) MUST_CHECK;

/* load_columns.c: what rows can be given in binary. */
bool load_read_columns(ParallelLoad *load, Error *err) MUST_CHECK;
/* Those of the columns that a "COPY ... FROM stdin" names; NULL where it must be text. relation may
 * be NULL. */
const ValueKind *load_row_kinds(Arena *arena, const LoadRelation *relation, const char *sql,
                                size_t *count);

/* load_tables.c: marks the tables that are wanted, by options->tables, and those that must stay for
 * them; a pattern that meets none is ERR_USAGE. */
bool load_select_tables(ParallelLoad *load, Error *err) MUST_CHECK;
/* Drops all others, as far as nothing that stays needs them. */
bool load_drop_others(ParallelLoad *load, Error *err) MUST_CHECK;

/* load_late.c: phases 3 and 4. */
bool load_late(ParallelLoad *load, Error *err) MUST_CHECK;
bool load_analyze(ParallelLoad *load, Error *err) MUST_CHECK;
