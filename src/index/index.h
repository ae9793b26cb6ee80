/* The indexes of one database: what there is, what is used, what is broken, and how to mend it.
 *
 * The guide's index maintenance section with its SQL corrected. Every function that looks wants a
 * session prepared by watch_begin (pg/watch.h); rebuild and analyze set it up for themselves. All
 * results are in the arena. Sizes are bytes, times of the server "2026-11-23 02:00:00" in the
 * session's time zone. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_DEFAULT_MAX_SCANS 10    /* the guide: fewer than 10 scans */
#define INDEX_WINDOW_DAYS       30    /* a shorter time of counting proves little */
#define INDEX_TARGET_MAX        10000 /* of SET STATISTICS */

/* Kinds as the guide tells them apart. Where an index is several at once the first of this order
 * wins: brin, partial, covering, composite, btree. A method that is neither btree nor brin is
 * INDEX_OTHER and named as it is (gin, gist, hash, spgist, bloom ...). */
typedef enum {
    INDEX_BRIN,
    INDEX_PARTIAL,
    INDEX_COVERING,
    INDEX_COMPOSITE,
    INDEX_BTREE,
    INDEX_OTHER,
} IndexKind;

#define INDEX_KIND_COUNT 6

typedef struct {
    int64_t oid, table_oid;
    const char *schema, *table, *name;
    const char *method;     /* "btree" */
    const char *definition; /* CREATE INDEX ... */
    IndexKind kind;
    int64_t key_columns, all_columns; /* all_columns counts INCLUDE too */
    bool is_partial, has_expression;
    bool is_unique, is_primary, is_exclusion, is_valid, is_clustered, is_replica_identity;
    bool is_partitioned;         /* of a partitioned table: has no storage and no counts */
    bool is_attached;            /* part of such an index */
    bool has_statistics;         /* ANALYZE keeps statistics of its expressions */
    const char *constraint_name; /* it backs; NULL when none */
    const char *referenced_by;   /* a table whose foreign key rests on it; NULL when none */
    int64_t bytes;               /* -1: locked by another session, not asked */
    int64_t scans, entries_read, rows_fetched;
    const char *last_scan; /* PostgreSQL 16 and newer; NULL when never or not known */
    int64_t table_rows;    /* the planner's estimate, -1 before the first ANALYZE */
} IndexInfo;

typedef struct {
    IndexInfo *items; /* by schema, table, name */
    size_t count;
} IndexList;

IndexKind index_kind_of(const char *method, bool is_partial, int64_t key_columns,
                        int64_t all_columns);
/* "btree", "partial", ...; of INDEX_OTHER the method. */
const char *index_kind_name(const IndexInfo *index);
/* What the guide says a kind is for: two or three short lines, each under 76 columns. */
const char *index_kind_explanation(IndexKind kind);
/* "schema.name", the schema left out where it is public. For people; use sql_qualified for SQL. */
char *index_display_name(Arena *arena, const char *schema, const char *name);

/* pattern NULL: all; else only those of the table so named ("t" in any schema, or "schema.t"). */
bool index_list(Session *session, Arena *arena, const char *table, IndexList *list,
                Error *err) MUST_CHECK;

/* How long the server has counted scans. */
typedef struct {
    const char *since;
    int64_t since_unix_s;
    double days;
    bool was_reset;    /* since a reset of the statistics; else since the server's start */
    bool enough;       /* INDEX_WINDOW_DAYS or more */
    bool has_replicas; /* other servers scan these indexes too, and their counts are not here */
} IndexWindow;

bool index_window_read(Session *session, Arena *arena, IndexWindow *window, Error *err) MUST_CHECK;

typedef struct {
    const IndexInfo *index;
    const char *drop_sql; /* DROP INDEX CONCURRENTLY ... */
} UnusedIndex;

typedef struct {
    const IndexInfo *index;
    const char *reason; /* why it is never called unused, however seldom it is scanned */
} KeptIndex;

typedef struct {
    UnusedIndex *unused; /* largest first */
    size_t unused_count;
    int64_t unused_bytes;
    KeptIndex *kept; /* scanned as seldom, but needed */
    size_t kept_count;
} UnusedReport;

/* Which indexes of list had fewer than max_scans scans and serve nothing else. Needs a session for
 * the foreign keys. Points into list. */
bool index_find_unused(Session *session, Arena *arena, const IndexList *list, int64_t max_scans,
                       UnusedReport *report, Error *err) MUST_CHECK;

/* A foreign key without an index that supports it. */
typedef struct {
    const char *schema, *table, *constraint, *columns, *referenced_table;
    int64_t table_rows;
    const char *create_sql;
} BareForeignKey;

bool index_find_bare_foreign_keys(Session *session, Arena *arena, BareForeignKey **keys,
                                  size_t *count, Error *err) MUST_CHECK;

/* An index the planner does not use because its build failed; builds in progress are left out. */
typedef struct {
    const char *schema, *name, *table_schema, *table;
    int64_t oid;
    int64_t bytes;    /* -1: locked by another session */
    bool is_leftover; /* _ccnew or _ccold of an interrupted REINDEX CONCURRENTLY: drop it */
    const char *why;
    const char *mend_sql;
    const char *definition;
} InvalidIndex;

bool index_find_invalid(Session *session, Arena *arena, InvalidIndex **indexes, size_t *count,
                        Error *err) MUST_CHECK;
/* Is this the name that REINDEX CONCURRENTLY gives its work in progress? */
bool index_is_leftover_name(const char *name);

/* Finds a table or index by "name" or "schema.name" (as PostgreSQL stores it, no quotes needed).
 * More than one of that name is ERR_USAGE naming them; none is ERR_FAILED. */
typedef struct {
    int64_t oid;
    const char *schema, *name;
    char kind; /* pg_class.relkind */
} Relation;
bool index_resolve_table(Session *session, Arena *arena, const char *name, Relation *table,
                         Error *err) MUST_CHECK;
bool index_resolve_index(Session *session, Arena *arena, const char *name, Relation *index,
                         Error *err) MUST_CHECK;

typedef struct {
    const char *schema, *name;
    int64_t bytes_before, bytes_after;
    bool is_valid;
} RebuiltIndex;

typedef struct {
    const char *sql; /* the REINDEX that ran, or would run */
    RebuiltIndex *indexes;
    size_t count;
    int64_t duration_ms;
} Rebuild;

/* REINDEX INDEX|TABLE CONCURRENTLY: exactly one of index and table is given. Readers and writers go
 * on meanwhile. A failure drops the leftovers of this run (and only those) before it returns, and
 * the hint names what could not be dropped. dry_run fills sql and bytes_before only.
 * lock_timeout_ms bounds each wait for another transaction; 0 waits for ever. */
bool index_rebuild(Session *session, Arena *arena, Log *log, const char *index, const char *table,
                   int64_t lock_timeout_ms, bool dry_run, Rebuild *rebuild, Error *err) MUST_CHECK;

typedef struct {
    const char *table;  /* NULL: every table of the database */
    const char *column; /* with target: keep it for this column from now on */
    int64_t target;     /* 0: as set; without column: for this one ANALYZE */
} AnalyzeSpec;

/* The statements, each a string of sql, in order. Runs them unless dry_run. */
bool index_analyze(Session *session, Arena *arena, const AnalyzeSpec *spec, bool dry_run,
                   const char ***sql, size_t *count, Error *err) MUST_CHECK;
