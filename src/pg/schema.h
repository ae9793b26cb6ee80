/* The schema of a database as text: every object by name with its definition, so that two
 * databases, or two moments of one, can be compared and what differs shown as DDL.
 *
 * Left out: what extensions own and their versions (the extension itself is an object), system
 * schemas, temporary objects, the ledger and its side tables, rows, statistics, sizes, OIDs,
 * tablespaces, subscriptions, names of NOT NULL constraints, whether a materialized view is filled,
 * and the order of columns, which is told apart (column_order) because a down cannot bring it back.
 * Ownership and grants are objects of their own kind ("grant"), which only an option reads: they
 * differ by design between environments.
 *
 * Definitions are what the server deparses (pg_get_indexdef, ...), read with search_path empty, so
 * they can differ between majors: a fingerprint is comparable only with one of the same major. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *kind;       /* "table", "column", "index", "constraint", "view", "function", ... */
    const char *name;       /* "public.alerts", "public.alerts.severity"; quoted as SQL wants it */
    const char *part_of;    /* the table that it stands and falls with; NULL: none */
    const char *definition; /* canonical; one or more lines */
} SchemaObject;

typedef struct {
    SchemaObject *items; /* by kind, name (bytewise) */
    size_t count;
    StrList column_order;            /* "public.alerts: id, name, ..." ; not in the fingerprint */
    char fingerprint[HASH_HEX_SIZE]; /* SHA-256 over the items */
    int major;                       /* of the server */
} Schema;

typedef struct {
    const char *ledger_table; /* left out with its side tables; NULL: none */
    /* Listed drift: patterns with * of "kind name" or "name", the name with or without its schema;
     * a table takes what is part of it along. May be NULL. */
    const StrList *ignore;
    bool with_grants; /* owners and privileges too */
} SchemaScope;

/* Reads it in one REPEATABLE READ, read-only transaction of its own; the session must be outside of
 * one. */
bool schema_read(Arena *arena, Session *session, const SchemaScope *scope, Schema *schema,
                 Error *err) MUST_CHECK;

/* Takes listed drift out of a schema that was read without it; its fingerprint is then another. */
void schema_leave_out(Arena *arena, Schema *schema, const StrList *ignore);

/* A copy without objects of kind "grant". */
Schema schema_without_grants(Arena *arena, const Schema *schema);
/* One hash over the fingerprint and the order of columns: schemas with equal ones have no diff. */
void schema_digest(const Schema *schema, char digest[HASH_HEX_SIZE]);

/* As it is stored and sent; schema_from_json checks the fingerprint. */
json_t *schema_to_json(const Schema *schema);
bool schema_from_json(Arena *arena, const json_t *json, Schema *schema, Error *err) MUST_CHECK;

typedef enum { SCHEMA_ADDED, SCHEMA_DROPPED, SCHEMA_CHANGED } SchemaChangeKind;
typedef struct {
    SchemaChangeKind change;
    const char *kind, *name, *part_of;
    const char *before, *after; /* definitions; NULL where it is not there */
} SchemaChange;

typedef struct {
    SchemaChange *items; /* by kind, name */
    size_t count;
    StrList reordered; /* tables whose columns stand in another order */
} SchemaDiff;

/* Texts of the diff are those of the schemas. */
void schema_diff(Arena *arena, const Schema *before, const Schema *after, SchemaDiff *diff);
/* Lines for people: "+ index public.i: CREATE INDEX ...", "- column ...", "~ table ...: a -> b". A
 * table that is not there on one side swallows its columns, indexes and constraints. At most max
 * changes, then "... and N more". */
void schema_diff_lines(Arena *arena, const SchemaDiff *diff, size_t max, StrList *lines);
/* {"changes": [{"change": "added", "kind", "name", "before", "after"}], "reordered": [table]} */
json_t *schema_diff_json(const SchemaDiff *diff);
