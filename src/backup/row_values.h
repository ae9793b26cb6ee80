/* Values of COPY in PostgreSQL's two formats: rows of text, which a dump is made of, and binary
 * ones, which cost the server a half (to write) and a third (to read) of the work. What is here
 * makes each from the other, to the byte as the server itself would with the settings of a dump
 * (DateStyle ISO, TimeZone UTC, bytea_output hex).
 *
 * Formats: "COPY", "File Formats" in PostgreSQL's manual; of values, the type's send, recv and out
 * functions. Types that are not here keep their table's COPY in text. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum {
    VALUE_UNKNOWN, /* only the server can */
    VALUE_BOOL,
    VALUE_INT2,
    VALUE_INT4,
    VALUE_INT8,
    VALUE_OID,
    VALUE_FLOAT4, /* to binary only: its shortest text is the server's art */
    VALUE_FLOAT8,
    VALUE_NUMERIC,
    VALUE_TEXT, /* also varchar, char(n), name, json and enums: the binary form is the text */
    VALUE_BYTEA,
    VALUE_UUID,
    VALUE_DATE,
    VALUE_TIME,
    VALUE_TIMESTAMP,
    VALUE_TIMESTAMPTZ,
    VALUE_JSONB,
} ValueKind;

/* type: the OID of a type that is built in, of a domain that of its base; is_enum: it is an enum,
 * whatever its OID. */
ValueKind value_kind(uint32_t type, bool is_enum);

/* ---- binary to text (row_text.c) ----------------------------------------------------------- */

/* Appends to text one line of COPY in text, with its newline, made of one tuple of COPY in binary:
 * a count of fields (2), and of each field its length (4, -1: NULL) and bytes. kinds has one item
 * for each of count fields, none of them UNKNOWN or of floats. False: the tuple is not one of these
 * fields (nothing a server would send), or the text is more than the buffer may hold
 * (text->overflow); what was appended is then to be dropped. */
bool row_text_append(const ValueKind *kinds, size_t count, const void *tuple, size_t length,
                     Buffer *text) MUST_CHECK;

/* ---- text to binary (row_binary.c) --------------------------------------------------------- */

/* Appends to binary the tuple of one line of COPY in text, which ends with its newline. Takes only
 * what a server writes, in its most usual form (no infinity, no BC): false where a value is
 * another, and may well be right; the server must then be given the text. What was appended is
 * dropped. */
bool row_binary_append(const ValueKind *kinds, size_t count, const char *line, size_t length,
                       Buffer *binary) MUST_CHECK;
