#include "pg/session_internal.h"

#include "base/str.h"

#include <assert.h>

size_t result_rows(const Result *rows)
{
    return (size_t)PQntuples(rows);
}

size_t result_columns(const Result *rows)
{
    return (size_t)PQnfields(rows);
}

const char *result_cell(const Result *rows, size_t row, size_t column)
{
    assert(row < result_rows(rows) && column < result_columns(rows));
    if (PQgetisnull(rows, (int)row, (int)column))
        return NULL;
    return PQgetvalue(rows, (int)row, (int)column);
}

const char *result_text(const Result *rows, size_t row, const char *column)
{
    int number = PQfnumber(rows, column);
    assert(number >= 0 && "a column that the query does not return");
    return result_cell(rows, row, (size_t)number);
}

bool result_is_null(const Result *rows, size_t row, const char *column)
{
    return result_text(rows, row, column) == NULL;
}

int64_t result_int64(const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    int64_t value = 0;
    if (text && !str_to_int64(text, INT64_MIN, INT64_MAX, &value)) {
        double real = 0; /* numeric and double columns */
        bool number = str_to_double(text, &real);
        assert(number && "not a number");
        value = (int64_t)real;
    }
    return value;
}

double result_double(const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    double value = 0;
    if (text && !str_to_double(text, &value))
        value = 0; /* NaN and infinities */
    return value;
}

bool result_bool(const Result *rows, size_t row, const char *column)
{
    return str_equal(result_text(rows, row, column), "t");
}

int64_t result_affected(const Result *rows)
{
    int64_t value = 0;
    /* PQcmdTuples reads the result only; its declaration forgot const */
    const char *text = PQcmdTuples((PGresult *)(uintptr_t)rows);
    return str_to_int64(text, 0, INT64_MAX, &value) ? value : 0;
}

void result_free(Result *rows)
{
    PQclear(rows);
}

/* Quoting that does not depend on a connection: identifiers double their quotes; literals double
 * theirs, and with a backslash inside are written E'' so that standard_conforming_strings does not
 * matter. */
static char *quote(Arena *arena, const char *text, char mark, bool escape_backslash)
{
    char *quoted = arena_alloc(arena, strlen(text) * 2 + 4);
    char *out = quoted;
    if (escape_backslash)
        *out++ = 'E';
    *out++ = mark;
    for (; *text; text++) {
        if (*text == mark || (escape_backslash && *text == '\\'))
            *out++ = *text;
        *out++ = *text;
    }
    *out++ = mark;
    return quoted;
}

char *sql_identifier(Arena *arena, const char *name)
{
    return quote(arena, name, '"', false);
}

char *sql_qualified(Arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "%s.%s", sql_identifier(arena, schema), sql_identifier(arena, name));
}

char *sql_literal(Arena *arena, const char *text)
{
    return quote(arena, text, '\'', strchr(text, '\\') != NULL);
}
