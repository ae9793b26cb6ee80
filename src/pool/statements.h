/* Prepared statements over many clients and servers.
 *
 * A statement is its query text and parameter types, byte for byte; clients that prepare the same
 * one share it, and on servers it has one name of ours. Three structures:
 *
 *     StatementTable   one for the process; any thread. What is prepared, counted by reference.
 *     StatementNames   one a client, of its worker's thread. The client's names.
 *     PreparedSet      one a server, of its worker's thread. Which are prepared there.
 *
 * What no client refers to stays in the table as long as there is room, for the next client with
 * the same query; the longest unused go first. An id is never given twice, so what a server has
 * prepared can never be taken for another statement, whatever the table has forgotten. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEMENT_NAME_SIZE 32 /* "PGBOUNCER_", 20 digits, NUL */

/* ---- All statements ---- */

typedef struct StatementTable StatementTable;

/* Does not change while the caller has a reference. */
typedef struct {
    uint64_t id;        /* from 1 */
    const uint8_t *key; /* query, NUL, count of types, their OIDs: what stands in a Parse */
    size_t key_length;
    char name[STATEMENT_NAME_SIZE]; /* on servers */
} Statement;

/* max_bytes: of everything in it, strictly. */
StatementTable *statement_table_create(size_t max_bytes);
/* No references may be left (assert). NULL is allowed. */
void statement_table_destroy(StatementTable *table);

/* The statement with this key, made where there is none, with a reference for the caller. NULL: the
 * table is full of statements in use, or memory is; the client gets an error. */
const Statement *statement_acquire(StatementTable *table, const void *key, size_t key_length);
/* One more reference, to be released on its own. */
const Statement *statement_retain(StatementTable *table, const Statement *statement);
void statement_release(StatementTable *table, const Statement *statement);

size_t statement_table_count(const StatementTable *table);
size_t statement_table_bytes(const StatementTable *table);

/* The name of id on servers, as Statement has it. */
void statement_name(uint64_t id, char name[STATEMENT_NAME_SIZE]);

/* ---- A client's names ---- */

typedef struct NameSlot NameSlot;

/* Zeroed is empty, and then it holds no memory. */
typedef struct {
    NameSlot *slots;
    uint32_t count;
    uint32_t capacity; /* 0 or a power of two */
    size_t bytes;      /* of the names */
} StatementNames;

typedef struct {
    uint32_t count_max;
    size_t bytes_max;
} NameLimits;

typedef enum { NAME_ADDED, NAME_TAKEN, NAME_FULL } NameStatus;

/* NAME_ADDED takes over the caller's reference; otherwise the caller still has it. */
NameStatus statement_names_add(StatementTable *table, StatementNames *names,
                               const NameLimits *limits, const char *name, size_t length,
                               const Statement *statement);
/* NULL where there is none. The reference stays with names. */
const Statement *statement_names_find(const StatementTable *table, const StatementNames *names,
                                      const char *name, size_t length);
/* False where there was none: for PostgreSQL, too, closing it is no error. */
bool statement_names_remove(StatementTable *table, StatementNames *names, const char *name,
                            size_t length);
/* Releases all, and the memory: at DISCARD ALL, DEALLOCATE ALL, and the client's end. */
void statement_names_clear(StatementTable *table, StatementNames *names);

/* ---- What a server has prepared ---- */

typedef struct PreparedNode PreparedNode;

/* Holds ids, not references: a name on the server is all that is needed to close it. */
typedef struct {
    PreparedNode *nodes;
    uint32_t *buckets;
    uint32_t count;
    uint32_t capacity; /* of both arrays: 0 or a power of two */
    uint32_t max;
    uint32_t newest, oldest, unused; /* places in nodes plus one */
} PreparedSet;

/* max is at least 1. Holds no memory until something is added. */
void prepared_set_init(PreparedSet *set, uint32_t max);
void prepared_set_free(PreparedSet *set);
/* Whether it is prepared; it is then the one used last. */
bool prepared_set_use(PreparedSet *set, uint64_t id);
/* Adds what is not in it. *evicted is what must be closed on the server to keep to the maximum, or
 * 0. False where memory is full: nothing has changed then. */
bool prepared_set_add(PreparedSet *set, uint64_t id, uint64_t *evicted) MUST_CHECK;
/* Where the server refused the Parse, or was told to close it. */
bool prepared_set_remove(PreparedSet *set, uint64_t id);
/* After DISCARD ALL or DEALLOCATE ALL. */
void prepared_set_clear(PreparedSet *set);
/* Another maximum; call prepared_set_trim until it gives 0, and close what it gives. */
void prepared_set_limit(PreparedSet *set, uint32_t max);
uint64_t prepared_set_trim(PreparedSet *set);
