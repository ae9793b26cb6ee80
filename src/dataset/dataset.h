/* The national data set of VaxTrace: generated from its arguments, and loaded into a migrated
 * database.
 *
 * The same arguments give the same bytes on every machine and for every server. The digest says so:
 * it is the SHA-256 of one line for each table in loading order, "NAME ROWS SHA256\n", whose
 * SHA-256 is that of the table's COPY BINARY stream.
 *
 * A load is one transaction, which holds the tables exclusively: interrupted or killed at any
 * moment, client or server, it leaves the data, indexes and constraints that were there. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "dataset/world.h"
#include "pg/session.h"

#include <stdbool.h>
#include <stdint.h>

/* Ten thousand million: over 50 years of the whole country. */
#define DATASET_MAX_ROWS INT64_C(10000000000)

typedef struct {
    int64_t rows; /* of stock_snapshots, 1 to DATASET_MAX_ROWS */
    uint64_t seed;
    int32_t until; /* last day, days since 1970-01-01; dataset_check_until */
} DatasetSpec;

typedef struct {
    const char *name;
    int64_t rows;
    double seconds; /* of its COPY */
    char sha256[HASH_HEX_SIZE];
} DatasetTable;

typedef struct {
    DatasetTable tables[TABLE_COUNT];
    char digest[HASH_HEX_SIZE];
    int64_t rows; /* of all tables */
    uint32_t facilities;
    uint32_t days;
    double seconds;         /* all of it, until the last table is vacuumed */
    double rebuild_seconds; /* indexes and foreign keys */
    double vacuum_seconds;
    double rows_per_second; /* snapshots by the seconds of their COPY */
    size_t indexes;         /* rebuilt */
    size_t foreign_keys;
} DatasetResult;

/* Is the last day one that the generator can do, 2000-01-01 to 2199-12-31? */
bool dataset_check_until(int32_t until, Error *err) MUST_CHECK;

/* Generates everything and throws it away: rows and digests without a database. */
bool dataset_describe(const DatasetSpec *spec, DatasetResult *result, Error *err) MUST_CHECK;

/* Are the tables there, with our columns, and is no other load at work (else ERR_REFUSED)? Does any
 * hold a row? Other loads are refused from here on, until the session ends. */
bool dataset_check_database(Session *session, Arena *arena, bool *holds_data,
                            Error *err) MUST_CHECK;

/* Replaces what the tables hold. Constraints, indexes and triggers found on them are put back as
 * they were; foreign keys are checked again unless they were NOT VALID. An index that was INVALID
 * is valid after. After the commit the tables are vacuumed and analysed. */
bool dataset_load(Session *session, Arena *arena, Log *log, const DatasetSpec *spec,
                  DatasetResult *result, Error *err) MUST_CHECK;
