#include "backup/dump_reader.h"

#include "backup/dump_lexer.h"
#include "base/buffer.h"
#include "base/str.h"

#include <assert.h>
#include <ctype.h>
#include <isa-l/crc64.h>
#include <string.h>
#include <strings.h>

#define END_MARKER "-- PostgreSQL database dump complete"
/* "\.", "\r" and a byte more decide whether a line ends a COPY block. */
#define HELD_MAX 4

struct DumpReader {
    Arena *arena;
    DumpEvents events;
    void *data;
    Lexer lexer;
    Buffer line; /* the begun line of text, carried over from the last piece */
    int64_t line_number;
    int64_t statement_line;
    bool in_copy;
    bool complete;
    size_t table; /* index of the COPY block's table */
    DumpRows block;
    char held[HELD_MAX]; /* start of a line of COPY data that may be its end */
    size_t held_length;
    DumpTable *tables;
    size_t table_count;
    size_t table_capacity;
};

DumpReader *dump_reader_create(Arena *arena, const DumpEvents *events, void *data)
{
    DumpReader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        abort();
    reader->arena = arena;
    if (events)
        reader->events = *events;
    reader->data = data;
    reader->line_number = 1;
    lexer_init(&reader->lexer, DUMP_MAX_STATEMENT);
    buffer_init(&reader->line, DUMP_MAX_STATEMENT);
    return reader;
}

void dump_reader_destroy(DumpReader *reader)
{
    if (!reader)
        return;
    lexer_free(&reader->lexer);
    buffer_free(&reader->line);
    free(reader);
}

const DumpTable *dump_reader_tables(const DumpReader *reader, size_t *count)
{
    *count = reader->table_count;
    return reader->tables;
}

bool dump_reader_is_complete(const DumpReader *reader)
{
    return reader->complete;
}

/* ---- names ------------------------------------------------------------------------------- */

static const char *skip_space(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* One identifier as pg_dump writes it; NULL when there is none. */
static const char *parse_identifier(Arena *arena, const char **text)
{
    const char *at = skip_space(*text);
    if (*at != '"') {
        size_t length = strcspn(at, " \t\r\n.(;\"");
        *text = at + length;
        return length ? arena_strndup(arena, at, length) : NULL;
    }
    char *name = arena_alloc(arena, strlen(at));
    size_t length = 0;
    for (at++; *at; at++) {
        if (*at == '"' && at[1] != '"') {
            *text = at + 1;
            return name;
        }
        if (*at == '"')
            at++;
        name[length++] = *at;
    }
    return NULL;
}

/* "public.orders" of "COPY public.orders (a, b) FROM stdin"; false when sql is no COPY. */
static bool parse_copy(Arena *arena, const char *sql, const char **schema, const char **name)
{
    if (strncasecmp(sql, "copy", 4) != 0 || !isspace((unsigned char)sql[4]))
        return false;
    const char *at = sql + 5;
    const char *first = parse_identifier(arena, &at);
    if (!first)
        return false;
    if (*at != '.') {
        *schema = "";
        *name = first;
        return true;
    }
    at++;
    *schema = first;
    *name = parse_identifier(arena, &at);
    return *name != NULL;
}

/* ---- COPY blocks ------------------------------------------------------------------------- */

static bool find_table(DumpReader *reader, const char *sql, Error *err)
{
    const char *schema = NULL;
    const char *name = NULL;
    if (!parse_copy(reader->arena, sql, &schema, &name))
        return error_set(err, ERR_PROBLEMS, "line %lld: cannot tell the table of this COPY",
                         (long long)reader->statement_line);
    for (size_t i = reader->table_count; i-- > 0;) {
        if (str_equal(reader->tables[i].name, name) &&
            str_equal(reader->tables[i].schema, schema)) {
            reader->table = i;
            return true;
        }
    }
    DumpTable table = {.schema = schema, .name = name};
    ARENA_PUSH(reader->arena, reader->tables, reader->table_count, reader->table_capacity, table);
    reader->table = reader->table_count - 1;
    return true;
}

/* Finaliser of MurmurHash3 (fmix64): makes the sum sensitive to more than the CRC's linear part.
 * The constant is there for the empty row, whose CRC is 0. */
static uint64_t mix(uint64_t value)
{
    value ^= 0x9E3779B97F4A7C15U;
    value ^= value >> 33;
    value *= 0xFF51AFD7ED558CCDU;
    value ^= value >> 33;
    value *= 0xC4CEB9FE1A85EC53U;
    return value ^ (value >> 33);
}

static uint64_t crc_of(uint64_t crc, const char *bytes, size_t length)
{
    return length ? crc64_ecma_refl(crc, (const unsigned char *)bytes, length) : crc;
}

/* Is the line "\.", with or without the carriage return of another system? Of so few bytes no two
 * have the same CRC-64. */
static bool ends_copy(uint64_t crc, size_t line_bytes)
{
    return (line_bytes == 2 || line_bytes == 3) && crc == crc_of(0, "\\.\r", line_bytes);
}

void dump_rows_feed(DumpRows *rows, const char *bytes, size_t length)
{
    const char *at = bytes;
    const char *end = bytes + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t part = (size_t)((newline ? newline : end) - at);
        rows->crc = crc_of(rows->crc, at, part);
        rows->line_bytes += part;
        if (!newline)
            return;
        rows->ends_copy = rows->ends_copy || ends_copy(rows->crc, rows->line_bytes);
        rows->digest += mix(rows->crc);
        rows->rows++;
        rows->crc = 0;
        rows->line_bytes = 0;
        at = newline + 1;
    }
}

/* Counts and passes on data of the block that holds no end line. */
static bool take_data(DumpReader *reader, const char *bytes, size_t length, Error *err)
{
    DumpTable *table = &reader->tables[reader->table];
    DumpRows before = reader->block;
    dump_rows_feed(&reader->block, bytes, length);
    table->digest += reader->block.digest - before.digest;
    table->rows += reader->block.rows - before.rows;
    reader->line_number += reader->block.rows - before.rows;
    table->raw_bytes += (int64_t)length;
    return !length || !reader->events.copy_data ||
           reader->events.copy_data(reader->data, bytes, length, err);
}

static bool begin_copy(DumpReader *reader, Error *err)
{
    const char *sql = reader->lexer.statement.data;
    if (!find_table(reader, sql, err))
        return false;
    reader->in_copy = true;
    reader->block = (DumpRows){0};
    reader->held_length = 0;
    return !reader->events.copy_begin ||
           reader->events.copy_begin(reader->data, sql, reader->statement_line, err);
}

static bool end_copy(DumpReader *reader, Error *err)
{
    reader->in_copy = false;
    reader->line_number++;
    return !reader->events.copy_end ||
           reader->events.copy_end(reader->data, &reader->tables[reader->table], reader->block.rows,
                                   err);
}

typedef enum { END_NO, END_YES, END_UNDECIDED } EndLine;

/* Is the line that starts with these bytes "\."? */
static EndLine classify_line(const char *bytes, size_t length)
{
    if (bytes[0] != '\\' || (length > 1 && bytes[1] != '.'))
        return END_NO;
    if (length < 3)
        return END_UNDECIDED;
    if (bytes[2] == '\n')
        return END_YES;
    if (bytes[2] != '\r')
        return END_NO;
    return length < 4 ? END_UNDECIDED : bytes[3] == '\n' ? END_YES : END_NO;
}

/* A line whose start was held back goes on with bytes; takes as many as decide it. */
static bool feed_held(DumpReader *reader, const char *bytes, size_t length, size_t *used,
                      Error *err)
{
    EndLine decision = END_UNDECIDED;
    *used = 0;
    while (decision == END_UNDECIDED && *used < length) {
        assert(reader->held_length < sizeof(reader->held));
        reader->held[reader->held_length++] = bytes[(*used)++];
        decision = classify_line(reader->held, reader->held_length);
    }
    if (decision == END_UNDECIDED)
        return true;
    size_t held = reader->held_length;
    reader->held_length = 0;
    return decision == END_YES ? end_copy(reader, err) : take_data(reader, reader->held, held, err);
}

/* The start of the next line in bytes (from 0 when at_start) that begins with a backslash and may
 * be the end of the block; length when there is none. */
static size_t find_candidate(const char *bytes, size_t length, bool at_start)
{
    if (at_start && bytes[0] == '\\')
        return 0;
    const char *end = bytes + length;
    const char *at = bytes;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at == end)
            return length;
        if (*at == '\\' && classify_line(at, (size_t)(end - at)) != END_NO)
            return (size_t)(at - bytes);
    }
    return length;
}

/* Takes data up to the end of the block or of bytes. */
static bool feed_copy(DumpReader *reader, const char *bytes, size_t length, size_t *used,
                      Error *err)
{
    if (reader->held_length)
        return feed_held(reader, bytes, length, used, err);
    size_t candidate = find_candidate(bytes, length, reader->block.line_bytes == 0);
    if (candidate > 0) {
        *used = candidate;
        return take_data(reader, bytes, candidate, err);
    }
    return feed_held(reader, bytes, length, used, err);
}

/* ---- statements -------------------------------------------------------------------------- */

static bool blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isspace((unsigned char)text[i]))
            return false;
    }
    return true;
}

static bool take_statement(DumpReader *reader, const char *rest, size_t rest_length, Error *err)
{
    Lexer *lexer = &reader->lexer;
    reader->complete = false;
    bool taken = true;
    if (lexer->copies_from_stdin) {
        if (!blank(rest, rest_length))
            return error_set(err, ERR_PROBLEMS, "line %lld: text after COPY ... FROM stdin;",
                             (long long)reader->line_number);
        taken = begin_copy(reader, err);
    } else {
        if (str_starts(lexer->statement.data, "SET standard_conforming_strings"))
            lexer->scanner.backslash_is_escape = strstr(lexer->statement.data, "off") != NULL;
        if (reader->events.statement)
            taken = reader->events.statement(reader->data, lexer->statement.data,
                                             lexer->statement.length, reader->statement_line, err);
    }
    lexer_next(lexer);
    return taken;
}

/* \restrict KEY and \unrestrict KEY only protect psql from what comes between; we run no
 * backslash command at all. */
static bool take_backslash(const DumpReader *reader, const char *line, size_t length, Error *err)
{
    bool alone = lexer_is_idle(&reader->lexer);
    if (alone && (str_starts(line, "\\restrict ") || str_starts(line, "\\unrestrict ")))
        return true;
    size_t word = 1;
    while (word < length && word < 32 && !isspace((unsigned char)line[word]))
        word++;
    (void)error_set(err, ERR_PROBLEMS, "line %lld: the dump holds the psql command %.*s",
                    (long long)reader->line_number, (int)word, line);
    return error_hint(err, "such commands can run programs on this machine, so they are never "
                           "obeyed; take the line out if you know the file");
}

/* line is NUL-terminated behind length; ends in a newline but for the last one of the text. */
static bool take_line(DumpReader *reader, const char *line, size_t length, Error *err)
{
    Lexer *lexer = &reader->lexer;
    if (lexer_is_idle(lexer) && str_starts(line, END_MARKER))
        reader->complete = true;
    size_t at = 0;
    for (;;) {
        bool was_idle = lexer->statement.length == 0;
        if (was_idle)
            reader->statement_line = reader->line_number;
        switch (lexer_scan(lexer, line, length, &at)) {
        case LEX_LINE_DONE:
            return true;
        case LEX_BACKSLASH:
            return take_backslash(reader, line + at, length - at, err);
        case LEX_TOO_LONG:
            return error_set(err, ERR_PROBLEMS, "line %lld: a statement longer than %zu MiB",
                             (long long)reader->statement_line, DUMP_MAX_STATEMENT >> 20);
        case LEX_STATEMENT:
            if (!take_statement(reader, line + at, length - at, err))
                return false;
            if (reader->in_copy)
                return true;
            break;
        }
    }
}

/* Takes one line of text, or the begin of it, which is kept for the next piece. */
static bool feed_text(DumpReader *reader, const char *bytes, size_t length, size_t *used,
                      Error *err)
{
    const char *newline = memchr(bytes, '\n', length);
    *used = newline ? (size_t)(newline - bytes) + 1 : length;
    if (!buffer_append(&reader->line, bytes, *used))
        return buffer_check(&reader->line, "a line of the dump", err);
    if (!newline)
        return true;
    bool taken = take_line(reader, reader->line.data, reader->line.length, err);
    reader->line_number++;
    buffer_clear(&reader->line);
    return taken;
}

bool dump_reader_feed(DumpReader *reader, const char *bytes, size_t length, Error *err)
{
    while (length) {
        size_t used = 0;
        bool fed = reader->in_copy ? feed_copy(reader, bytes, length, &used, err)
                                   : feed_text(reader, bytes, length, &used, err);
        if (!fed)
            return false;
        assert(used > 0);
        bytes += used;
        length -= used;
    }
    return true;
}

void dump_reader_skip_rows(DumpReader *reader, int64_t rows)
{
    reader->line_number += rows;
}

int64_t dump_reader_line(const DumpReader *reader)
{
    return reader->line_number;
}

bool dump_reader_finish(DumpReader *reader, Error *err)
{
    if (reader->in_copy)
        return error_set(err, ERR_PROBLEMS, "the dump ends in the middle of the data of table %s",
                         reader->tables[reader->table].name);
    if (reader->line.length && !take_line(reader, reader->line.data, reader->line.length, err))
        return false;
    buffer_clear(&reader->line);
    if (!lexer_is_idle(&reader->lexer))
        return error_set(err, ERR_PROBLEMS,
                         "the dump ends in the middle of the statement of line %lld",
                         (long long)reader->statement_line);
    return true;
}
