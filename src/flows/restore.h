/* Restores a backup: the guide's five steps, into a new database that takes the place of the old
 * one only when it was verified.
 *
 * 1 a backup of what is there (the safety net), 2 a new database beside it, 3 the data, 4 the check
 * of its tables, row counts and indexes against the manifest and the swap, 5 the rows of each
 * table. Whatever fails or is killed before the swap leaves the database as it was; the swap is one
 * transaction. */
#pragma once

#include "backup/backup.h"
#include "flows/target.h"

typedef struct {
    const char *path;
    const char *database;         /* another name than the target's; NULL: the target's */
    const char *confirm;          /* --confirm; may be NULL */
    const char *critical_tables;  /* by commas; NULL: all that the manifest names */
    const char *no_safety_backup; /* the reason why none is made; NULL: one is made */
    int jobs;                     /* sessions that load; 0: as LoadOptions has it */
    const StrList *tables;        /* only these, into a database that does not exist; NULL: all */
    bool keep_old;                /* the replaced database stays, under another name */
    const char *backup_directory; /* of the safety backup */
    const char *backup_name;
    const char *pg_bindir;
    BackupKeys *keys; /* that open the backup and encrypt the safety backup; may be NULL */
} RestoreSpec;

typedef struct {
    const char *database;
    bool created; /* it did not exist before */
    size_t tables;
    int64_t rows;
    size_t indexes;
    const char *safety_backup; /* NULL: none was made */
    const char *kept_old;      /* what the replaced database is called now; NULL: dropped */
    StrList roles_created;
    StrList notes; /* statements that were left out */
    TableRows *table_rows;
    size_t table_count;
    double seconds;
} RestoreResult;

/* The file is verified before anything is touched: a damaged one is ERR_PROBLEMS. Production wants
 * --confirm, or the words RESTORE PRODUCTION DATABASE on a terminal. */
bool restore_run(Arena *arena, Log *log, State *state, const Target *target,
                 const RestoreSpec *spec, RestoreResult *result, Error *err) MUST_CHECK;
