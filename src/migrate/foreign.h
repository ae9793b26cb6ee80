/* What another tool's ledger says is applied: dbmate's and golang-migrate's schema_migrations,
 * Flyway's flyway_schema_history, Sqitch's changes. Only read, never changed. */
#pragma once

#include "migrate/migrate.h"

typedef enum {
    FOREIGN_DBMATE,
    FOREIGN_GOLANG,
    FOREIGN_FLYWAY,
    FOREIGN_SQITCH,
    FOREIGN_SCRIPT, /* of the same form as ours, and in its place: an earlier script's */
} ForeignTool;

typedef struct {
    const char *name;       /* as the tool has it: a version, a script, a change */
    const char *version;    /* NULL for none */
    const char *applied_at; /* NULL where the tool keeps no time */
    const char *checksum;   /* Flyway's; NULL: not known */
    bool and_before;        /* it speaks of every older version, too */
} ForeignEntry;

typedef struct {
    ForeignTool tool;
    ForeignEntry *entries; /* in the order they were applied */
    size_t count;
} Foreign;

/* Refuses a ledger that says that something failed half way, and one in the place of ours. */
bool foreign_read(Arena *arena, Session *session, const BaselineSpec *spec,
                  const char *ledger_table, Foreign *foreign, Error *err) MUST_CHECK;
/* Where our ledger is empty: warns of those of other tools, under the names that they usually have.
 */
bool foreign_find_others(Arena *arena, Session *session, MigrateStatus *status,
                         Error *err) MUST_CHECK;
/* Says whose the table in the place of our ledger is, and what to do. Returns false. */
bool foreign_refuse_place(Session *session, const char *relation, const char *ledger_table,
                          Error *err);

/* ---- entries and files (foreign_match.c) -------------------------------------------------- */

typedef struct {
    const char *text; /* a name or a version that entries have, too */
    size_t file;      /* of the folder, by its place */
} ForeignKey;

/* The files of a folder by what an entry may call them, so that looking up is not linear. */
typedef struct {
    ForeignTool tool;
    ForeignKey *names, *versions; /* sorted */
    size_t name_count, version_count;
} ForeignIndex;

typedef struct {
    const ForeignKey *keys; /* the files that the entry says are applied */
    size_t count;
    bool named; /* one of them is what the entry names; else it speaks of older ones only */
} ForeignMatch;

void foreign_index(Arena *arena, ForeignTool tool, const MigrationFiles *files,
                   ForeignIndex *index);
ForeignMatch foreign_match(const ForeignIndex *index, const ForeignEntry *entry);
/* Is the file what the tool ran, as far as its ledger tells? */
bool foreign_same_text(Arena *arena, const ForeignEntry *entry, const MigrationFile *file,
                       bool *same, Error *err) MUST_CHECK;
