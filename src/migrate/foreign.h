/* What another tool's ledger says is applied: dbmate's and golang-migrate's schema_migrations,
 * Flyway's flyway_schema_history, Sqitch's changes. Only read, never changed. */
#pragma once

#include "migrate/migrate.h"

typedef enum { FOREIGN_DBMATE, FOREIGN_GOLANG, FOREIGN_FLYWAY, FOREIGN_SQITCH } ForeignTool;

typedef struct {
    const char *name;       /* as the tool has it: a version, a script, a change */
    const char *version;    /* NULL for none */
    const char *applied_at; /* NULL where the tool keeps no time */
    const char *checksum;   /* Flyway's; NULL: not known */
} ForeignEntry;

typedef struct {
    ForeignTool tool;
    ForeignEntry *entries; /* in the order they were applied */
    size_t count;
} Foreign;

/* Refuses a ledger that says that something failed half way. */
bool foreign_read(Arena *arena, Session *session, const char *from, const char *ledger_table,
                  Foreign *foreign, Error *err) MUST_CHECK;
/* Does the entry say that this file is applied? */
bool foreign_matches(const Foreign *foreign, const ForeignEntry *entry, const MigrationFile *file);
/* Is it the very file that the entry names? golang-migrate names only the newest. */
bool foreign_names(const Foreign *foreign, const ForeignEntry *entry, const MigrationFile *file);
/* Is the file what the tool ran, as far as its ledger tells? */
bool foreign_same_text(Arena *arena, const ForeignEntry *entry, const MigrationFile *file,
                       bool *same, Error *err) MUST_CHECK;
