#include "migrate/sections.h"

#include "base/cleanup.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool section_is_marker(const char *comment, size_t length, SectionKind *kind)
{
    static const struct {
        const char *word;
        SectionKind kind;
    } markers[] = {
        {"migrate:up", SECTION_UP},  {"migrate:down", SECTION_DOWN},
        {"+goose up", SECTION_UP},   {"+goose down", SECTION_DOWN},
        {"+migrate up", SECTION_UP}, {"+migrate down", SECTION_DOWN},
    };
    while (length > 0 && is_blank(*comment)) {
        comment++;
        length--;
    }
    for (size_t i = 0; i < COUNT_OF(markers); i++) {
        size_t width = strlen(markers[i].word);
        if (length < width || strncasecmp(comment, markers[i].word, width) != 0 ||
            (length > width && !is_blank(comment[width])))
            continue;
        *kind = markers[i].kind;
        return true;
    }
    return false;
}

typedef struct {
    bool marker, sql;
    SectionKind kind;
} Line;

static Line read_line(const char *line, size_t length)
{
    while (length > 0 && is_blank(*line)) {
        line++;
        length--;
    }
    Line found = {0};
    bool comment = length >= 2 && line[0] == '-' && line[1] == '-';
    if (comment)
        found.marker = section_is_marker(line + 2, length - 2, &found.kind);
    found.sql = length > 0 && !comment;
    return found;
}

static void see_marker(Sections *sections, SectionKind kind, size_t at, Section **current)
{
    Section *section = &sections->items[kind];
    if (*current)
        (*current)->end = at;
    else
        sections->first = at;
    if (section->found && !sections->has_repeated) {
        sections->has_repeated = true;
        sections->repeated = at;
    }
    *section = (Section){.found = true, .start = at};
    *current = section;
}

void sections_find(const char *text, size_t length, Sections *sections)
{
    *sections = (Sections){0};
    Section *current = NULL;
    for (size_t at = 0; at < length;) {
        const char *newline = memchr(text + at, '\n', length - at);
        size_t stop = newline ? (size_t)(newline - text) : length;
        Line line = read_line(text + at, stop - at);
        if (line.marker)
            see_marker(sections, line.kind, at, &current);
        else if (current)
            current->holds_sql |= line.sql;
        at = stop + 1;
    }
    if (current)
        current->end = length;
}

char *sections_cut(Arena *arena, const char *text, const Sections *sections, SectionKind kind,
                   size_t *length)
{
    const Section *wanted = &sections->items[kind];
    *length = wanted->end;
    char *cut = arena_strndup(arena, text, wanted->end);
    for (size_t i = sections->first; i < wanted->start; i++) {
        if (cut[i] != '\n')
            cut[i] = ' ';
    }
    return cut;
}
