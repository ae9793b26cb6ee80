/* Deflate (RFC 1951) for rows as COPY writes them: fields between tabs, UUIDs, times, numbers,
 * short words, which repeat from row to row and column to column. It takes any other bytes too, and
 * packs them about as other deflaters do.
 *
 * The same bytes make the same stream, on every machine and whatever was packed before. */
#pragma once

#include "base/buffer.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { DEFLATE_FAST, DEFLATE_BALANCED } DeflateLevel;

/* One a thread. Never fails. */
typedef struct Deflater Deflater;

Deflater *deflater_create(void);
/* Appends raw[0..length) as a whole stream; false where out would be too long. */
bool deflate_rows(Deflater *deflater, DeflateLevel level, const void *raw, size_t length,
                  Buffer *out);
void deflater_destroy(Deflater *deflater); /* NULL is allowed */

static inline void cleanup_deflater(Deflater **deflater)
{
    deflater_destroy(*deflater);
}
#define _cleanup_deflater_ _cleanup_(cleanup_deflater)
