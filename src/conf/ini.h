/* One INI file: "[section]", "key = value", blank lines, comment lines that start with ';' or '#'.
 *
 * The format is pgbouncer.ini's: a value runs to the end of its line, whatever ';', '#', '=' or
 * quotes it holds, without the white space around it; lines and values of any length; "\r\n" is a
 * line end; a UTF-8 byte order mark is skipped. A key before the first section, a line without '=',
 * an unclosed '[' and a NUL byte are errors with file and line. Repeated sections continue; a
 * repeated key is an error. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *section;
    const char *key;
    const char *value;
    int line; /* 1-based */
} IniEntry;

typedef struct {
    const char *path;
    IniEntry *entries; /* in the order of the file */
    size_t count;
    size_t capacity;
} Ini;

/* Everything is in the arena. Errors are ERR_USAGE. path only names the text. */
bool ini_parse(Arena *arena, const char *path, const char *text, size_t length, Ini *ini,
               Error *err) MUST_CHECK;
bool ini_read(Arena *arena, const char *path, Ini *ini, Error *err) MUST_CHECK;
/* NULL when there is none. */
const IniEntry *ini_find(const Ini *ini, const char *section, const char *key);

/* ---- PgBouncer's reading of the same format ---------------------------------------------------
 *
 * What a pgbouncer.ini may hold goes beyond the above: keys repeat (the last one wins, and a value
 * may be right or wrong before another replaces it), a section's header may be followed by a key on
 * its line, keys may be quoted ("a b", with "" for a quote; 'a b'), "%include FILE" stands anywhere
 * and goes on in the section that the line before it was in, and whoever writes such a file wants
 * to hear of every mistake in it at once. So this one is read an item at a time, and what the items
 * mean is the caller's. */
typedef enum {
    INI_SECTION, /* name */
    INI_VALUE,   /* name, value */
    INI_INCLUDE, /* name: the file's */
} IniItemKind;

typedef struct {
    IniItemKind kind;
    const char *name;
    const char *value;
    int line;
} IniItem;

typedef struct {
    const char *path;
    const char *at;
    const char *end;
    int line;
} IniReader;

typedef enum { INI_ITEM, INI_END, INI_WRONG } IniStep;

/* text must outlive the reader. */
void ini_reader_init(IniReader *reader, const char *path, const char *text, size_t length);
/* After INI_WRONG (*err is ERR_USAGE, "FILE:LINE: ...") the next call goes on with the next line.
 * Texts of the item are in the arena. */
IniStep ini_reader_next(IniReader *reader, Arena *arena, IniItem *item, Error *err) MUST_CHECK;
