/* What a file of members (archive.h) holds for a restore on several sessions, read from its
 * statements and labels alone: the rows of each table, where they lie, and the statements behind
 * them.
 *
 * A dump that is not of the plain form "statements, tables, statements", or whose statements change
 * their session in a way that others cannot follow, is not for several sessions: plan->obstacle
 * says why, and it is loaded by one, as any dump is. */
#pragma once

#include "backup/archive.h"
#include "backup/dump_reader.h"
#include "backup/load_statement.h"

typedef struct {
    int descriptor;
    const char *path; /* for messages */
    const ArchiveIndex *index;
} LoadFile;

/* The settings in force for a statement, each as the statement that makes it. */
typedef struct {
    const char **statements;
    const int64_t *lines;
    size_t count;
} LoadSettings;

typedef struct {
    LoadStatement what;
    const char *sql;
    int64_t line;
    size_t settings; /* in plan->settings */
    bool built;      /* of a key: its index is there */
    bool done;
} LoadStep;

/* The rows of one COPY statement; the blocks of several partitions may share it. */
typedef struct {
    const char *sql; /* "COPY ... FROM stdin" */
    const char *schema;
    const char *name;
    int64_t line;
    size_t *members; /* of rows, in the index */
    size_t member_count;
    size_t member_capacity;
    int64_t rows;
    int64_t raw_bytes;
} LoadTable;

typedef struct {
    const char *obstacle; /* NULL: none */
    size_t before_end;    /* members of statements before the rows */
    size_t after_begin;   /* and behind them, to the end */
    int64_t after_line;   /* where those begin */
    LoadTable *tables;
    size_t table_count;
    LoadStep *steps; /* statements behind the rows, but settings and data */
    size_t step_count;
    LoadSettings *settings; /* [0] is for the rows */
    size_t settings_count;
    bool has_data; /* there are statements of LOAD_DATA */
    bool complete; /* pg_dump's last line was there */
} LoadPlan;

bool load_plan_read(Arena *arena, const LoadFile *file, LoadPlan *plan, Error *err) MUST_CHECK;
/* The statements of members [from, to), which are all text, the first one on that line. */
bool load_plan_walk(const LoadFile *file, size_t from, size_t to, int64_t line,
                    const DumpEvents *events, void *data, Error *err) MUST_CHECK;
