/* Encodes rows in the format of COPY ... (FORMAT binary), as the manual of COPY gives it: a
 * signature, then per row a count of fields and each field as a length and its bytes in network
 * order, then a trailer.
 *
 * Bytes go in whole blocks to a sink. A row is at most COPY_ROW_MAX bytes, checked by assertion.
 * What was written is hashed, so that two data sets can be compared without a database: the bytes
 * depend neither on the machine nor on how they are cut into blocks. */
#pragma once

#include "base/hash.h"
#include "dataset/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COPY_BLOCK_BYTES ((size_t)256 * 1024)
#define COPY_ROW_MAX     ((size_t)4096)

/* Takes a filled block, gives one to fill next; NULL: stop. */
typedef uint8_t *(*CopySink)(void *data, uint8_t *block, size_t length);

typedef struct {
    uint8_t *block;
    size_t used;
    int64_t rows;
    bool stopped; /* the sink wants no more */
    HashStream *hash;
    CopySink sink;
    void *sink_data;
} CopyWriter;

/* block is the first to fill, COPY_BLOCK_BYTES of it; hash stays the caller's. */
void copy_begin(CopyWriter *writer, uint8_t *block, HashStream *hash, CopySink sink, void *data);
/* Writes the trailer and hands over the last block. */
void copy_end(CopyWriter *writer);

/* Starts a row of so many fields; false when the sink wants no more. */
bool copy_row(CopyWriter *writer, uint16_t fields);

void copy_null(CopyWriter *writer);
void copy_uuid(CopyWriter *writer, const Uuid *id);
void copy_bool(CopyWriter *writer, bool value);
void copy_int16(CopyWriter *writer, int16_t value);
void copy_int32(CopyWriter *writer, int32_t value);
/* A real of value / divisor; both exact, so the one division rounds the same everywhere. */
void copy_real(CopyWriter *writer, int32_t value, int32_t divisor);
void copy_double(CopyWriter *writer, int64_t value, int32_t divisor);
/* Text, varchar, or the label of an enum. */
void copy_text(CopyWriter *writer, const char *text);
void copy_textf(CopyWriter *writer, const char *format, ...) PRINTF_LIKE(2, 3);
/* jsonb, from its text. */
void copy_jsonf(CopyWriter *writer, const char *format, ...) PRINTF_LIKE(2, 3);
void copy_bytes(CopyWriter *writer, const void *data, size_t length);
/* Days since 1970-01-01. */
void copy_date(CopyWriter *writer, int32_t days);
/* timestamptz: microseconds since 1970-01-01 00:00 UTC. */
void copy_time(CopyWriter *writer, int64_t unix_us);
