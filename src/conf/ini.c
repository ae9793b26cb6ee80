#include "conf/ini.h"

#include "base/file.h"
#include "base/str.h"

static bool parse_error(const char *path, int line, const char *reason, Error *err)
{
    (void)error_set(err, ERR_USAGE, "%s:%d: %s", path, line, reason);
    return error_hint(err, "lines are \"[section]\", \"key = value\", or comments that start with "
                           "';' or '#'");
}

static bool parse_line(Arena *arena, char *line, int number, const char **section, Ini *ini,
                       Error *err)
{
    line = str_trim(line);
    if (!*line || *line == ';' || *line == '#')
        return true;
    if (*line == '[') {
        char *close = strchr(line, ']');
        if (!close || close[1])
            return parse_error(ini->path, number, "a section is written [name]", err);
        *close = '\0';
        *section = str_trim(line + 1);
        if (!**section)
            return parse_error(ini->path, number, "a section needs a name", err);
        return true;
    }
    char *equals = strchr(line, '=');
    if (!equals)
        return parse_error(ini->path, number, "neither a section nor \"key = value\"", err);
    *equals = '\0';
    const char *key = str_trim(line);
    const char *value = str_trim(equals + 1);
    if (!*key)
        return parse_error(ini->path, number, "a value without a key", err);
    if (!**section)
        return parse_error(ini->path, number, "a key before the first [section]", err);
    const IniEntry *earlier = ini_find(ini, *section, key);
    if (earlier)
        return error_set(err, ERR_USAGE, "%s:%d: %s is set twice, first on line %d", ini->path,
                         number, key, earlier->line);
    IniEntry entry = {*section, key, value, number};
    ARENA_PUSH(arena, ini->entries, ini->count, ini->capacity, entry);
    return true;
}

bool ini_parse(Arena *arena, const char *path, const char *text, size_t length, Ini *ini,
               Error *err)
{
    *ini = (Ini){.path = arena_strdup(arena, path)};
    char *copy = arena_strndup(arena, text, length);
    char *at = copy;
    const char *end = copy + length;
    if (str_starts(at, "\xEF\xBB\xBF"))
        at += 3;
    const char *section = "";
    for (int line = 1; at < end; line++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline ? newline : copy + length;
        if (memchr(at, '\0', (size_t)(stop - at)))
            return parse_error(path, line, "a NUL byte", err);
        *stop = '\0';
        if (!parse_line(arena, at, line, &section, ini, err))
            return false;
        at = stop + 1;
    }
    return true;
}

bool ini_read(Arena *arena, const char *path, Ini *ini, Error *err)
{
    char *text = NULL;
    size_t length = 0;
    if (!file_read(arena, path, BUFFER_MAX_FILE, &text, &length, err)) {
        err->code = ERR_USAGE;
        return false;
    }
    return ini_parse(arena, path, text, length, ini, err);
}

const IniEntry *ini_find(const Ini *ini, const char *section, const char *key)
{
    for (size_t i = 0; i < ini->count; i++) {
        if (str_equal(ini->entries[i].section, section) && str_equal(ini->entries[i].key, key))
            return &ini->entries[i];
    }
    return NULL;
}
