/* Inside of model*.c. */
#pragma once

#include "base/str.h"
#include "lint/model.h"
#include "pg/node.h"

#define NAME_MAX_BYTES 63

/* Names of two parts to anything; open addressing. A value of NULL stands for "was there once". */
typedef struct {
    const char *schema, *name;
    void *value;
} NameEntry;
typedef struct {
    NameEntry *entries;
    size_t count, capacity; /* a power of two, or 0 */
} NameMap;

void *name_map_get(const NameMap *map, const char *schema, const char *name);
bool name_map_has(const NameMap *map, const char *schema, const char *name); /* also once */
/* The texts must live as long as the map. */
void name_map_put(Arena *arena, NameMap *map, const char *schema, const char *name, void *value);

typedef struct {
    ModelTable *table;
    const char *schema, *name;
} IndexHome;

/* A schema, extension, function or type that a file made or named. */
typedef struct {
    const NameMap *map; /* that has it, if it is still there */
    const char *kind;   /* "function" */
    const char *schema, *name;
    size_t file;
} NamedObject;
/* Where definitions of indexes are read when they are asked for. */
typedef struct {
    Session *session;    /* NULL: nowhere */
    NameMap definitions; /* "", oid: const char *, NULL where there is none */
    Error failure;
} ModelSource;

struct Model {
    Arena *arena;
    ModelSource *source;
    bool loaded;
    bool uncertain; /* something ran that we cannot follow */
    bool guesses;   /* tables that nothing made are taken to be there */
    bool cascaded;  /* a DROP took with it what it did not name */
    int version;
    NameMap relations; /* ModelTable */
    NameMap indexes;   /* IndexHome */
    NameMap functions; /* const char *: a letter of volatility, '?' where overloads differ */
    NameMap schemas, extensions;
    NameMap opclasses;   /* method, type: where there is a default */
    NameMap user_types;  /* schema, name */
    NameMap unread;      /* "", name: in a statement that the grammar did not take; NULL: one that
                            changes no table */
    NameMap *signatures; /* "", definition: char *; filled when asked */
    StrList path, default_path;
    size_t file;
    NamedObject *named; /* in the order they came; one may come again */
    size_t named_count, named_capacity;
    ModelTable **made; /* by the file at hand */
    size_t made_count, made_capacity;
    size_t tables_made;
    bool extensions_made; /* by the files: they may bring operator classes */
    int depth;            /* of recursion through inheritance and views */
};

const char *model_copy(const Model *model, const char *text);
/* Where a name is looked up (or made, with the first of the path) when it has no schema. */
const char *model_home(const Model *model, const char *schema);
ModelTable *model_find(const Model *model, const char *schema, const char *name);
/* By a RangeVar; NULL when there is none. */
ModelTable *model_find_range(const Model *model, const json_t *range);
/* The same, or a guess where the model makes guesses. */
ModelTable *model_need_table(Model *model, const json_t *range);
IndexHome *model_find_index(const Model *model, const char *schema, const char *name);
ModelIndex *model_index_in(const IndexHome *home);
ModelColumn *model_find_column(const ModelTable *table, const char *name);

ModelTable *model_add_table(Model *model, const char *schema, const char *name, char kind);
void model_remove_table(Model *model, ModelTable *table);
void model_rename_table(Model *model, ModelTable *table, const char *schema, const char *name);
ModelIndex *model_add_index(Model *model, ModelTable *table, const ModelIndex *index);
void model_remove_index(Model *model, ModelTable *table, const char *name);
void model_remove_constraint(ModelTable *table, const char *name);
void model_link(Model *model, ModelTable *parent, ModelTable *child);
void model_unlink(ModelTable *parent, ModelTable *child);
void model_add_reference(Model *model, ModelTable *referenced, ModelTable *by);
/* "t_a_b_idx" as PostgreSQL makes it, unlike any relation of the schema. */
const char *model_make_name(const Model *model, const char *schema, const char *first,
                            const char *second, const char *label);

/* An array of names from a list of String nodes. */
const char *const *model_names(const Model *model, const json_t *list, size_t *count);

/* Goes one level down; false at a depth that no database has. The caller takes it back. */
bool model_descend(Model *model);
void model_make_sequence(Model *model, const ModelTable *table, const char *column);
void model_add_column(Model *model, ModelTable *table, const json_t *definition);
void model_add_column_constraints(Model *model, ModelTable *table, const json_t *definition);
/* The signature of the index behind a PRIMARY KEY or UNIQUE. */
char *model_signature_of_key(Arena *arena, const json_t *constraint, const ModelIndex *index);

/* model_table.c: what CREATE TABLE and ALTER TABLE do. */
void model_create_table(Model *model, const json_t *statement, char kind);
void model_create_as(Model *model, const json_t *query, const json_t *into, char kind);
void model_alter_table(Model *model, const json_t *statement);
void model_add_constraint(Model *model, ModelTable *table, const json_t *node, const char *column);
void model_create_index(Model *model, const json_t *statement);
/* model_objects.c: DROP, RENAME, SET SCHEMA, views. */
void model_create_view(Model *model, const json_t *statement);
void model_drop(Model *model, const json_t *statement);
void model_rename(Model *model, const json_t *statement);
void model_set_schema(Model *model, const json_t *statement);
void model_note_views(Model *model, const ModelTable *view, const json_t *query);
/* model_named.c: schemas, extensions, functions and types. */
void model_put_named(Model *model, const char *kind, const char *schema, const char *name,
                     void *value);
/* Of DROP, RENAME and SET SCHEMA by their kind, "OBJECT_FUNCTION" and so on; one that is not of
 * these kinds, or not there, changes nothing. */
void model_drop_named(Model *model, const char *object, const char *schema, const char *name);
void model_move_named(Model *model, const char *object, const char *schema, const char *name,
                      const char *new_schema, const char *new_name);
/* All of a schema; new_schema NULL: they are dropped. */
void model_move_all_named(Model *model, const char *schema, const char *new_schema);
/* model_attached.c: triggers, rules, policies. */
void model_create_trigger(Model *model, const json_t *statement);
void model_create_rule(Model *model, const json_t *statement);
void model_create_policy(Model *model, const json_t *statement);
void model_drop_attached(Model *model, const char *object, const json_t *parts);
void model_rename_attached(Model *model, const char *object, ModelTable *table, const char *from,
                           const char *to);
