/* A growable byte buffer with a maximum.
 *
 * data is never NULL and always followed by a NUL byte that length does not count, so that text can
 * be read as a string. A buffer cannot be initialised without its maximum. An append that would
 * pass it appends nothing, sets `overflow` and returns false; so a run of appends can be checked
 * once at the end. Embedded NUL bytes are data. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Maxima of the whole program stand together here. */
#define BUFFER_MAX_LINE ((size_t)1 << 20)  /* one line of text, one message */
#define BUFFER_MAX_FILE ((size_t)64 << 20) /* a file read whole: a migration, a configuration */

typedef struct {
    char *data;
    size_t length;
    size_t capacity;
    size_t max;
    bool overflow;
} Buffer;

void buffer_init(Buffer *buffer, size_t max_bytes);
void buffer_free(Buffer *buffer);  /* also of a zeroed struct */
void buffer_clear(Buffer *buffer); /* keeps the memory */

bool buffer_append(Buffer *buffer, const void *data, size_t length);
bool buffer_append_str(Buffer *buffer, const char *text);
bool buffer_append_char(Buffer *buffer, char byte);
bool buffer_printf(Buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Makes room for length more bytes and returns where they go; NULL past the maximum. The caller
 * writes there and then calls buffer_commit with what it wrote. */
char *buffer_reserve(Buffer *buffer, size_t length);
void buffer_commit(Buffer *buffer, size_t length);
/* Removes the first length bytes. */
void buffer_consume(Buffer *buffer, size_t length);
/* False with ERR_FAILED "WHAT is larger than N bytes" when an append was refused. */
bool buffer_check(const Buffer *buffer, const char *what, Error *err) MUST_CHECK;

#define _cleanup_buffer_ _cleanup_(buffer_free)
