/* What a statement behind the rows of a dump is: which a restore on several sessions may run beside
 * others, and what it waits for. Works on tokens (pg/lex.h) and knows the forms that pg_dump
 * writes; every other statement is LOAD_OTHER, which runs alone and in its place, so that not to
 * know one costs time and nothing else. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>

typedef enum {
    LOAD_SETTING,   /* SET, set_config: how what follows is understood */
    LOAD_DATA,      /* of sequences and large objects, and the transactions around these */
    LOAD_INDEX,     /* CREATE INDEX */
    LOAD_KEY,       /* ALTER TABLE ... ADD CONSTRAINT ... PRIMARY KEY or UNIQUE */
    LOAD_EXCLUSION, /* likewise EXCLUDE */
    LOAD_REFERENCE, /* likewise FOREIGN KEY */
    LOAD_COMMENT,   /* nothing waits for it */
    LOAD_SESSION,   /* changes its session in a way that others cannot follow */
    LOAD_OTHER,
} LoadKind;

typedef struct {
    LoadKind kind;
    const char *setting; /* of LOAD_SETTING: its name */
    /* The table of an index or a constraint; schema NULL where the statement does not say. */
    const char *schema;
    const char *name;
    const char *to_schema; /* of LOAD_REFERENCE: the table that is referenced */
    const char *to_name;
    /* A key in two statements that give the same catalogue: an index, which can be built beside
     * others of the table, and the constraint that takes it over. NULL: it must be as it stands. */
    const char *index_sql;
    const char *attach_sql;
    bool opens;  /* of LOAD_DATA: BEGIN */
    bool closes; /* COMMIT */
} LoadStatement;

void load_statement_read(Arena *arena, const char *sql, LoadStatement *statement);
