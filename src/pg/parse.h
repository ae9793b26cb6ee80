/* What one SQL statement is: libpg_query (PostgreSQL 15's own grammar) behind one header, included
 * nowhere else. What it rejects may still be SQL of a newer server: such a statement is told apart
 * by its first words only, `analysed` is false and the server has the last word
 * (session_check_syntax). So is one that is nested too deeply to be read here. Linear in the length
 * of the statement. libpg_query keeps its state by thread; any thread may call. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* Kinds that somebody treats apart; everything else is ORDINARY. */
typedef enum {
    STATEMENT_ORDINARY,
    STATEMENT_NEUTRAL,     /* ANALYZE, SHOW, CHECKPOINT: as good inside a transaction as outside */
    STATEMENT_SET,         /* changes the session: SET, RESET, set_config, LOAD, PREPARE, DISCARD */
    STATEMENT_BEGIN,       /* without options */
    STATEMENT_COMMIT,      /* COMMIT, END */
    STATEMENT_TRANSACTION, /* other transaction control: ROLLBACK, BEGIN with options, ... */
    STATEMENT_SAVEPOINT,   /* SAVEPOINT, RELEASE, ROLLBACK TO */
    STATEMENT_COPY_OUT,    /* COPY ... TO STDOUT */
    STATEMENT_CALL,        /* CALL, DO: code that may commit by itself */
    /* The following cannot run in a transaction. */
    STATEMENT_CREATE_INDEX_CONCURRENTLY,
    STATEMENT_DROP_INDEX_CONCURRENTLY,
    STATEMENT_DETACH_CONCURRENTLY,
    STATEMENT_REINDEX,
    STATEMENT_REPEATABLE, /* VACUUM, CLUSTER, ALTER SYSTEM, DISCARD ALL: run twice is run once */
    STATEMENT_CREATE_DATABASE,
    STATEMENT_DROP_DATABASE,
    STATEMENT_CREATE_TABLESPACE,
    STATEMENT_DROP_TABLESPACE,
    STATEMENT_CREATE_SUBSCRIPTION,
    STATEMENT_DROP_SUBSCRIPTION,
    STATEMENT_PREPARED_TRANSACTION, /* COMMIT PREPARED, ROLLBACK PREPARED; name is its gid */
    STATEMENT_CALL_COMMITS,         /* DO with a COMMIT or ROLLBACK in its text */
    STATEMENT_OUTSIDE_OTHER,        /* known by its words only */
} StatementKind;

typedef struct {
    StatementKind kind;
    const char *tag;    /* "CREATE INDEX CONCURRENTLY"; for messages */
    bool analysed;      /* the grammar took it */
    const char *schema; /* of the object that a kind above is about; NULL where not written */
    const char *name;   /* likewise: index, database, partition, gid */
    const char *table_schema, *table; /* indexed or partitioned table, where the statement says */
    bool if_exists;                   /* IF EXISTS or IF NOT EXISTS */
    bool unique;                      /* a unique index */
    bool strings_off;                 /* turns standard_conforming_strings off */
    bool sets_lock_timeout;
    bool loads_library; /* LOAD: the session cannot be made clean again */
} Statement;

bool statement_needs_no_transaction(StatementKind kind);

/* Classifies one statement (text needs no NUL). A statement that the grammar rejects is no failure:
 * analysed is false and *syntax (may be NULL) says why, with its position in characters. Texts are
 * in the arena. */
void statement_classify(Arena *arena, const char *text, size_t length, Statement *statement,
                        Error *syntax);
/* The same, and its parse tree (the caller's; *tree stays as it is where there is none: not
 * analysed, or data of more than a megabyte). Parses once. */
void statement_read(Arena *arena, const char *text, size_t length, Statement *statement,
                    json_t **tree, Error *syntax);

/* The parse tree of a text (libpg_query's JSON, "stmts": [...]); the caller owns it. ERR_PROBLEMS
 * with position when the grammar rejects it. */
bool statement_tree(const char *text, json_t **tree, Error *err) MUST_CHECK;
