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
    size_t named_in;         /* ordinal of the file that gave it its name; SIZE_MAX: the database */
    double null_fraction;    /* -1: not known */
    double distinct;         /* pg_stats.n_distinct: below 0 a share of the rows; 0: not known */
} ModelColumn;

typedef struct {
    const char *schema, *name;
    const char *definition; /* where it is known already: model_definition */
    int64_t oid;            /* 0 when made by a file */
    const char *method;
    const char *signature; /* read by model_signature: NULL until asked for where it was loaded */
    const char *const *columns; /* keys by name; NULL element: an expression */
    size_t column_count;
    bool unique, valid, primary;
    bool unnamed;           /* the server chose its name */
    const char *constraint; /* it backs; NULL */
    size_t named_in;
} ModelIndex;

typedef struct {
    const char *name;
    char kind; /* pg_constraint.contype: c f p u x t n */
    bool valid;
    const char *const *columns;
    size_t column_count;
    const char *referenced_schema, *referenced; /* of a foreign key */
    const char *const *referenced_columns;      /* as many as referenced_count; 0: primary key */
    size_t referenced_count;
    bool is_not_null; /* CHECK (column IS NOT NULL); columns has its column */
    bool unnamed;
    size_t named_in;
} ModelConstraint;

/* A trigger, rule or policy. Only those that files make are known. */
typedef struct {
    const char *kind; /* "trigger" */
    const char *name;
    size_t named_in;
} ModelAttached;

/* A view that reads a table. */
typedef struct {
    const char *schema, *name;
    const char *column; /* that it reads; NULL: some, or none in particular */
} ModelDependent;

typedef struct ModelTable {
    const char *schema, *name;
    char kind;        /* pg_class.relkind: r p v m f, S for sequences, c for composite types */
    bool is_new;      /* seen by nobody else: made by the files of this run; without a server, where
                         each file may run on another day, by the file at hand */
    size_t made_in;   /* ordinal of the file that made it, SIZE_MAX for the database */
    size_t named_in;  /* of the one that gave it its name or schema */
    bool is_guess;    /* something was done to it, and nothing that is known made it */
    bool may_be_gone; /* with what it hangs on: a column's sequence, a view under a CASCADE */
    int64_t rows;     /* an estimate; -1 not known; 0 only where there is none for sure */
    int64_t bytes;    /* with indexes; -1 not known */
    ModelColumn *columns;
    size_t column_count, column_capacity;
    ModelIndex *indexes;
    size_t index_count, index_capacity;
    ModelConstraint *constraints;
    size_t constraint_count, constraint_capacity;
    struct ModelTable **parents, **children; /* partitions and inheritance */
    size_t parent_count, parent_capacity, child_count, child_capacity;
    struct ModelTable **referencing; /* tables with a foreign key to it, each once */
    size_t referencing_count, referencing_capacity;
    ModelDependent *views;
    size_t view_count, view_capacity;
    ModelAttached *attached;
    size_t attached_count, attached_capacity;
    bool is_partition;
    bool uncertain; /* changed by something we cannot follow (a DO block, an unknown statement) */
} ModelTable;

typedef struct Model Model;

Model *model_create(Arena *arena);
/* Everything of the database in a handful of queries; session is outside a transaction, whenever
 * the model is used: definitions of indexes are read when they are asked for, because that takes
 * long and waits for whoever holds the table. */
bool model_load(Model *model, Session *session, Error *err) MUST_CHECK;
/* The effect of one statement. Of code (DO, CALL) it is not known what it did, and from then on
 * nothing is called missing. */
void model_apply(Model *model, const char *type, const json_t *node, size_t file_ordinal);
/* Of a statement that the grammar did not take: what it names is not known any more, or, where it
 * may have touched more than that, nothing is. */
void model_apply_unread(Model *model, const char *text, size_t length, size_t file_ordinal);
/* The statements that follow are of this file, which starts with the session's own search path. */
void model_begin_file(Model *model, size_t file_ordinal);

bool model_is_complete(const Model *model); /* what is not in it does not exist */
/* Something ran that cannot be followed, such as a DO block. */
bool model_is_uncertain(const Model *model);
/* Is the table there, and as the model has it? */
bool model_knows(const Model *model, const ModelTable *table);
/* Did every statement that names it have a parse tree? */
bool model_was_read(const Model *model, const char *name);
int model_server_version(const Model *model); /* 0 without a server */
/* Is it sure that there is no such table, view or sequence? Without a server only of what the files
 * made and dropped again. */
bool model_is_missing(const Model *model, const char *schema, const char *name);
/* Did a file make tables, so that a folder seems to make all it needs? */
bool model_has_tables(const Model *model);
/* NULL when there is none. */
const ModelTable *model_table(const Model *model, const char *schema, const char *name);
/* What stands where CREATE of this RangeVar would make it. */
const ModelTable *model_made_at(const Model *model, const json_t *range);
/* All of a schema, in no order. */
const ModelTable **model_tables(Arena *arena, const Model *model, const char *schema,
                                size_t *count);
/* Type and catalogue name of a TypeName, as in ModelColumn. */
void model_type_of(Arena *arena, const json_t *type_name, const char **type,
                   const char **base_type);
/* The index and, where table is not NULL, its table. */
const ModelIndex *model_index(const Model *model, const char *schema, const char *name,
                              const ModelTable **table);
const ModelColumn *model_column(const ModelTable *table, const char *name);
const ModelConstraint *model_constraint(const ModelTable *table, const char *name);
/* Volatility of a function: 'i', 's', 'v'; 0 when not known. Built-in ones are known without a
 * server. */
char model_volatility(const Model *model, const char *schema, const char *function);
bool model_schema_exists(const Model *model, const char *schema);
bool model_extension_exists(const Model *model, const char *extension);
/* Does the access method ("gin", "gist") take the type without naming an operator class? Types by
 * their catalogue name. unknown where the type is none that we know. */
typedef enum { OPCLASS_UNKNOWN, OPCLASS_NONE, OPCLASS_DEFAULT } ModelOpclass;
ModelOpclass model_opclass(const Model *model, const char *method, const char *base_type);
/* As pg_get_indexdef shows it; NULL when not known. */
const char *model_definition(const Model *model, const ModelIndex *index);
/* Fails with what kept a definition from being read, which then was not known. */
bool model_check(const Model *model, Error *err) MUST_CHECK;
/* Equal for indexes of a table that do the same: method, keys, included columns, predicate. NULL
 * when not known. */
const char *model_signature(const Model *model, const ModelIndex *index);
/* The same of an IndexStmt. The text is "METHOD(" KEY... ")" INCLUDED... "|" PREDICATE, each key
 * and column followed by a byte 31. */
char *model_signature_of(Arena *arena, const json_t *index_statement);
/* Tables of any size that others could be using: those that are not new. */
bool model_is_busy(const ModelTable *table);
