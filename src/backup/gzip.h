/* gzip (RFC 1952) as a stream, by ISA-L: what `gzip` writes, read several times faster.
 *
 * A reader inflates every member of a file and accepts nothing else: a truncated stream, a wrong
 * checksum or length and bytes after the last member are ERR_PROBLEMS naming the place. */
#pragma once

#include "base/error.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a file that was written (archive.h). */
typedef struct {
    int64_t raw_bytes;
    int64_t packed_bytes;
    char sha256[HASH_HEX_SIZE]; /* of the packed bytes */
} GzipTotals;

typedef struct GzipReader GzipReader;

/* A file that cannot be opened is ERR_FAILED. */
bool gzip_reader_open(const char *path, GzipReader **reader, Error *err) MUST_CHECK;
/* Up to size bytes; *got is 0 only at the end of the last member. */
bool gzip_read(GzipReader *reader, void *data, size_t size, size_t *got, Error *err) MUST_CHECK;
int64_t gzip_reader_raw_bytes(const GzipReader *reader);    /* inflated so far */
int64_t gzip_reader_packed_bytes(const GzipReader *reader); /* consumed so far */
void gzip_reader_close(GzipReader *reader);                 /* NULL is allowed */

static inline void cleanup_gzip_reader(GzipReader **reader)
{
    gzip_reader_close(*reader);
}
#define _cleanup_gzip_reader_ _cleanup_(cleanup_gzip_reader)
