/* What a statement does to tables while it runs: locks, scans, rewrites. For rules, and for `vaxdb
 * migrate plan`. Source: the PostgreSQL manual, "Explicit Locking", ALTER TABLE and the other
 * commands' reference pages, for the server's version. */
#pragma once

#include "lint/model.h"

typedef enum {
    TABLE_LOCK_NONE,
    TABLE_LOCK_ACCESS_SHARE,
    TABLE_LOCK_ROW_SHARE,
    TABLE_LOCK_ROW_EXCLUSIVE,
    TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE,
    TABLE_LOCK_SHARE,
    TABLE_LOCK_SHARE_ROW_EXCLUSIVE,
    TABLE_LOCK_EXCLUSIVE,
    TABLE_LOCK_ACCESS_EXCLUSIVE,
} TableLock;

const char *table_lock_name(TableLock lock); /* "ACCESS EXCLUSIVE" */
/* "nobody can read or write", "nobody can write", "reads and writes go on" */
const char *table_lock_meaning(TableLock lock);

typedef struct {
    const char *schema, *table; /* as written where the model does not know it */
    TableLock lock;
    bool scans;       /* reads the whole table under the lock */
    bool rewrites;    /* writes it anew */
    bool loses;       /* rows or values are gone afterwards */
    const char *what; /* "ALTER COLUMN TYPE", "DROP TABLE" */
} Effect;

typedef struct {
    Effect *items;
    size_t count, capacity;
} Effects;

/* Appends those of one statement, given the model before it. */
void effects_of(Arena *arena, const Model *model, const char *type, const json_t *node,
                Effects *effects);

/* Must the server write a table anew when a column of type from (both names as in ModelColumn)
 * becomes to? `using` is the expression that the statement gives, NULL for none. */
bool effect_type_rewrites(const ModelColumn *from, const char *to_type, const char *to_base,
                          const json_t *using_expression);
/* Does ADD COLUMN write the table anew? By its ColumnDef. *why then says for what. */
bool effect_column_rewrites(const Model *model, const json_t *definition, const char **why);
