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
