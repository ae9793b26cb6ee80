/* What row_binary.c and row_numbers.c share; nobody else includes it. */
#pragma once

#include "backup/row_values.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A line on its way. at never passes the newline, which is no part of any value and so ends each
 * loop over a value's bytes. */
typedef struct {
    const char *at;
    const char *newline;
    uint8_t *out; /* there is room for all of the line */
} RowLine;

static inline void row_put16(uint8_t *out, uint16_t value)
{
    value = htobe16(value);
    memcpy(out, &value, sizeof(value));
}

static inline void row_put32(uint8_t *out, uint32_t value)
{
    value = htobe32(value);
    memcpy(out, &value, sizeof(value));
}

static inline void row_put64(uint8_t *out, uint64_t value)
{
    value = htobe64(value);
    memcpy(out, &value, sizeof(value));
}

static inline void row_add_field32(RowLine *line, uint32_t value)
{
    row_put32(line->out, sizeof(value));
    row_put32(line->out + 4, value);
    line->out += 4 + sizeof(value);
}

static inline void row_add_field64(RowLine *line, uint64_t value)
{
    row_put32(line->out, sizeof(value));
    row_put64(line->out + 4, value);
    line->out += 4 + sizeof(value);
}

/* The bytes from out + 4 to end are the field. */
static inline void row_end_field(RowLine *line, uint8_t *end)
{
    row_put32(line->out, (uint32_t)(end - line->out - 4));
    line->out = end;
}

static inline bool row_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool row_skip(RowLine *line, char byte)
{
    bool there = *line->at == byte;
    line->at += there;
    return there;
}

/* row_numbers.c: each takes the value at hand, if it is in the form in which the server writes it,
 * and adds it as a field. */
bool row_take_bool(RowLine *line) MUST_CHECK;
bool row_take_int2(RowLine *line) MUST_CHECK;
bool row_take_int4(RowLine *line) MUST_CHECK;
bool row_take_int8(RowLine *line) MUST_CHECK;
bool row_take_oid(RowLine *line) MUST_CHECK;
bool row_take_float4(RowLine *line) MUST_CHECK;
bool row_take_float8(RowLine *line) MUST_CHECK;
bool row_take_numeric(RowLine *line) MUST_CHECK;
