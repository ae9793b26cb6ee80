#include "base/str.h"
#include "conf/ini.h"

#include <ctype.h>

void ini_reader_init(IniReader *reader, const char *path, const char *text, size_t length)
{
    *reader = (IniReader){.path = path, .at = text, .end = text + length, .line = 1};
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        reader->at += 3;
}

static char peek(const IniReader *reader)
{
    return reader->at < reader->end ? *reader->at : '\n';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(IniReader *reader)
{
    while (is_blank(peek(reader)))
        reader->at++;
}

static const char *line_end(const IniReader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && *at != '\n')
        at++;
    return at;
}

/* To the first byte of something: white space, line ends and comments are skipped. */
static bool find_item(IniReader *reader)
{
    while (reader->at < reader->end) {
        char byte = *reader->at;
        if (byte == ';' || byte == '#') {
            reader->at = line_end(reader);
        } else if (isspace((unsigned char)byte)) {
            reader->line += byte == '\n';
            reader->at++;
        } else {
            return true;
        }
    }
    return false;
}

static IniStep wrong(IniReader *reader, Error *err, const char *reason)
{
    (void)error_set(err, ERR_USAGE, "%s:%d: %s", reader->path, reader->line, reason);
    (void)error_hint(err,
                     "lines are \"[section]\", \"key = value\", \"%%include FILE\", or comments "
                     "that start with ';' or '#'");
    reader->at = line_end(reader);
    return INI_WRONG;
}

/* The rest of the line without the white space around it. */
static const char *rest_of_line(IniReader *reader, Arena *arena)
{
    skip_blanks(reader);
    const char *end = line_end(reader);
    const char *last = end;
    while (last > reader->at && isspace((unsigned char)last[-1]))
        last--;
    const char *text = arena_strndup(arena, reader->at, (size_t)(last - reader->at));
    reader->at = end;
    return text;
}

static IniStep read_section(IniReader *reader, Arena *arena, IniItem *item, Error *err)
{
    const char *start = reader->at + 1;
    const char *close = memchr(start, ']', (size_t)(line_end(reader) - start));
    if (!close)
        return wrong(reader, err, "a section is written [name]");
    item->kind = INI_SECTION;
    item->name = str_trim(arena_strndup(arena, start, (size_t)(close - start)));
    if (!*item->name)
        return wrong(reader, err, "a section needs a name");
    reader->at = close + 1;
    return INI_ITEM;
}

/* NULL when it does not end on this line. */
static const char *quoted_key(IniReader *reader, Arena *arena)
{
    char quote = *reader->at++;
    const char *end = line_end(reader);
    char *key = arena_alloc(arena, (size_t)(end - reader->at) + 1);
    size_t length = 0;
    for (const char *at = reader->at; at < end; at++) {
        if (*at == quote) {
            bool doubled = quote == '"' && at + 1 < end && at[1] == quote;
            if (!doubled) {
                reader->at = at + 1;
                return key;
            }
            at++;
        }
        key[length++] = *at;
    }
    return NULL;
}

static const char *plain_key(IniReader *reader, Arena *arena)
{
    const char *start = reader->at;
    while (isalnum((unsigned char)peek(reader)) ||
           (peek(reader) != '\0' && strchr("_.-*", peek(reader))))
        reader->at++;
    return arena_strndup(arena, start, (size_t)(reader->at - start));
}

static IniStep read_value(IniReader *reader, Arena *arena, IniItem *item, Error *err)
{
    char first = *reader->at;
    bool quoted = first == '"' || first == '\'';
    item->kind = INI_VALUE;
    item->name = quoted ? quoted_key(reader, arena) : plain_key(reader, arena);
    if (!item->name)
        return wrong(reader, err, "a quote that is not closed");
    if (!*item->name && (quoted || peek(reader) == '='))
        return wrong(reader, err, "a value without a key");
    skip_blanks(reader);
    if (peek(reader) != '=') {
        bool later = memchr(reader->at, '=', (size_t)(line_end(reader) - reader->at));
        return wrong(reader, err,
                     later ? "a key with characters other than letters, digits and \"_.-*\" is "
                             "written in double quotes"
                           : "neither a section nor \"key = value\"");
    }
    reader->at++;
    item->value = rest_of_line(reader, arena);
    return INI_ITEM;
}

IniStep ini_reader_next(IniReader *reader, Arena *arena, IniItem *item, Error *err)
{
    static const char include[] = "%include";
    if (!find_item(reader))
        return INI_END;
    *item = (IniItem){.line = reader->line};
    const char *end = line_end(reader);
    if (memchr(reader->at, '\0', (size_t)(end - reader->at)))
        return wrong(reader, err, "a NUL byte");
    if (*reader->at == '[')
        return read_section(reader, arena, item, err);
    size_t length = sizeof(include) - 1;
    if ((size_t)(end - reader->at) > length && memcmp(reader->at, include, length) == 0 &&
        isspace((unsigned char)reader->at[length])) {
        reader->at += length;
        item->kind = INI_INCLUDE;
        item->name = rest_of_line(reader, arena);
        return *item->name ? INI_ITEM : wrong(reader, err, "%include without a file");
    }
    return read_value(reader, arena, item, err);
}
