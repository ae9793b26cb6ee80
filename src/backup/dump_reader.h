/* Reads a plain-format dump of pg_dump, fed in pieces of any size, and tells its statements and
 * COPY blocks apart. It does by itself what psql would do with such a file and nothing more: a
 * backslash command can run programs (`\!`), so any but \restrict and \unrestrict is an error.
 *
 * The rules are psql's (src/fe_utils/psqlscan.l): a statement ends at a semicolon outside quotes,
 * dollar quotes, comments, parentheses and BEGIN ATOMIC bodies; after "COPY ... FROM stdin;" data
 * follows until a line that holds only "\.".
 *
 * On the way it counts rows per table and computes a digest of them that does not depend on their
 * order. All failures of the text itself are ERR_PROBLEMS with the line. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest single statement: an INSERT with a large value, a function. */
#define DUMP_MAX_STATEMENT ((size_t)256 << 20)

/* What one or more COPY blocks held of one table. */
typedef struct {
    const char *schema; /* "" when the dump does not say */
    const char *name;
    int64_t rows;
    int64_t raw_bytes;
    /* CRC-64 (ECMA-182, reflected) of each line without its newline, XORed with 0x9E3779B97F4A7C15,
     * mixed by the finaliser of MurmurHash3, summed modulo 2^64: equal for the same rows in any
     * order. */
    uint64_t digest;
} DumpTable;

/* Each may be NULL. sql is NUL-terminated, without the semicolon's rest, and lives until the call
 * returns. A false return ends the reading with that error. */
typedef struct {
    bool (*statement)(void *data, const char *sql, size_t length, int64_t line, Error *err);
    bool (*copy_begin)(void *data, const char *sql, int64_t line, Error *err);
    bool (*copy_data)(void *data, const char *bytes, size_t length, Error *err);
    bool (*copy_end)(void *data, const DumpTable *table, int64_t block_rows, Error *err);
} DumpEvents;

/* Rows of one table's COPY data, in pieces that may be cut anywhere. Begins zeroed. */
typedef struct {
    int64_t rows;
    uint64_t digest;
    uint64_t crc;      /* of the begun line */
    size_t line_bytes; /* of it so far; 0: the last piece ended with a line */
    bool ends_copy;    /* a line was "\\.", which is no row */
} DumpRows;
void dump_rows_feed(DumpRows *rows, const char *bytes, size_t length);

typedef struct DumpReader DumpReader;

/* arena holds the tables' names. events may be NULL: only count. */
DumpReader *dump_reader_create(Arena *arena, const DumpEvents *events, void *data);
bool dump_reader_feed(DumpReader *reader, const char *bytes, size_t length, Error *err) MUST_CHECK;
/* So many lines of COPY data were read by somebody else: lines in messages go on behind them. */
void dump_reader_skip_rows(DumpReader *reader, int64_t rows);
/* The line at hand, from 1. */
int64_t dump_reader_line(const DumpReader *reader);
/* At the end of the text: fails in the middle of a statement, a comment or a COPY block. */
bool dump_reader_finish(DumpReader *reader, Error *err) MUST_CHECK;
/* Was pg_dump's last line there ("-- PostgreSQL database dump complete"), and no statement after?
 */
bool dump_reader_is_complete(const DumpReader *reader);
const DumpTable *dump_reader_tables(const DumpReader *reader, size_t *count);
void dump_reader_destroy(DumpReader *reader); /* NULL is allowed */

static inline void cleanup_dump_reader(DumpReader **reader)
{
    dump_reader_destroy(*reader);
}
#define _cleanup_dump_reader_ _cleanup_(cleanup_dump_reader)
