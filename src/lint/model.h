/* Inside of the room: the schema before a statement.
 *
 * Read from the catalogue once (model_load), then changed by model_apply with each statement in the
 * order they run. Without a server it holds only what the files themselves made: then what is not
 * in it is unknown rather than missing (model->complete is false).
 *
 * Names are as PostgreSQL stores them. A NULL schema is resolved by the search path. Lookups are by
 * hash: the work stays linear in the number of objects. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    const char *type;      /* "character varying(20)", as format_type or the file spells it */
    const char *base_type; /* "varchar", "int4": the catalogue's name */
    bool not_null, has_default, generated, identity;
    bool has_not_null_check; /* a valid CHECK (column IS NOT NULL) */
    double null_fraction;    /* -1: not known */
} ModelColumn;

typedef struct {
    const char *schema, *name;
    const char *definition; /* pg_get_indexdef, or NULL when made by a file */
    const char *method;
    const char
        *signature; /* equal for indexes that do the same: method, keys, include, predicate */
    const char *const *columns; /* keys by name; NULL element: an expression */
    size_t column_count;
    bool unique, valid, primary;
    const char *constraint; /* it backs; NULL */
} ModelIndex;

typedef struct {
    const char *name;
    char kind; /* pg_constraint.contype: c f p u x t n */
    bool valid;
    const char *const *columns;
    size_t column_count;
    const char *referenced_schema, *referenced; /* of a foreign key */
    const char *definition;                     /* NULL when made by a file */
} ModelConstraint;

typedef struct {
    const char *schema, *name;
    char kind;      /* pg_class.relkind: r p v m f, S for sequences */
    bool is_new;    /* made by the files of this run: empty, seen by nobody else */
    size_t made_in; /* ordinal of the file that made it, SIZE_MAX for the database */
    int64_t rows;   /* the planner's estimate; -1 not known; 0 for new ones */
    int64_t bytes;  /* with indexes; -1 not known */
    ModelColumn *columns;
    size_t column_count, column_capacity;
    ModelIndex *indexes;
    size_t index_count, index_capacity;
    ModelConstraint *constraints;
    size_t constraint_count, constraint_capacity;
    bool uncertain; /* changed by something we cannot follow (a DO block, an unknown statement) */
} ModelTable;

typedef struct Model Model;

Model *model_create(Arena *arena);
/* Everything of the database in a handful of queries; session is outside a transaction. */
bool model_load(Model *model, Session *session, Error *err) MUST_CHECK;
/* The effect of one statement. type NULL: one that the grammar did not take, or code (DO, CALL):
 * what it did is not known, and from then on nothing is called missing. */
void model_apply(Model *model, const char *type, const json_t *node, size_t file_ordinal);

bool model_is_complete(const Model *model);   /* what is not in it does not exist */
int model_server_version(const Model *model); /* 0 without a server */
/* NULL when there is none. */
const ModelTable *model_table(const Model *model, const char *schema, const char *name);
/* The index and, where table is not NULL, its table. */
const ModelIndex *model_index(const Model *model, const char *schema, const char *name,
                              const ModelTable **table);
const ModelColumn *model_column(const ModelTable *table, const char *name);
const ModelConstraint *model_constraint(const ModelTable *table, const char *name);
/* Volatility of a function: 'i', 's', 'v'; 0 when not known. Built-in ones are known without a
 * server. */
char model_volatility(const Model *model, const char *schema, const char *function);
bool model_schema_exists(const Model *model, const char *schema);
/* Tables of any size that others could be using: those that are not new. */
bool model_is_busy(const ModelTable *table);
