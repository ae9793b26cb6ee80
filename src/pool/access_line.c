#include "pool/access_line.h"

#include "base/str.h"

#include <ctype.h>

void access_init(AccessLines *lines, Arena *arena, const char *text, size_t length)
{
    *lines = (AccessLines){
        .arena = arena, .at = text, .line_end = text, .end = text + length, .text = ""};
}

static void read_quoted(AccessLines *lines)
{
    const char *from = lines->at + 1;
    char *text = arena_alloc(lines->arena, (size_t)(lines->line_end - lines->at));
    size_t length = 0;
    for (; from < lines->line_end; from++) {
        if (*from == '"') {
            if (from + 1 == lines->line_end || from[1] != '"') {
                lines->at = from + 1;
                lines->kind = ACCESS_QUOTED;
                lines->text = text;
                return;
            }
            from++;
        }
        text[length++] = *from;
    }
    lines->kind = ACCESS_BROKEN;
}

static void read_word(AccessLines *lines)
{
    const char *start = lines->at;
    while (lines->at < lines->line_end && !isspace((unsigned char)*lines->at) &&
           *lines->at != ',' && *lines->at != '#' && *lines->at != '"')
        lines->at++;
    lines->kind = ACCESS_WORD;
    lines->text = arena_strndup(lines->arena, start, (size_t)(lines->at - start));
}

void access_next(AccessLines *lines)
{
    lines->text = "";
    if (lines->kind == ACCESS_BROKEN)
        return;
    while (lines->at < lines->line_end && isspace((unsigned char)*lines->at))
        lines->at++;
    if (lines->at == lines->line_end || *lines->at == '#') {
        lines->kind = ACCESS_END;
    } else if (*lines->at == ',') {
        lines->at++;
        lines->kind = ACCESS_COMMA;
    } else if (*lines->at == '"') {
        read_quoted(lines);
    } else {
        read_word(lines);
    }
}

bool access_next_line(AccessLines *lines)
{
    const char *start = lines->line ? lines->line_end + 1 : lines->at;
    while (start < lines->end) {
        const char *newline = memchr(start, '\n', (size_t)(lines->end - start));
        lines->at = start;
        lines->line_end = newline ? newline : lines->end;
        lines->line++;
        lines->kind = ACCESS_END;
        if (memchr(start, '\0', (size_t)(lines->line_end - start)))
            lines->kind = ACCESS_BROKEN;
        access_next(lines);
        if (lines->kind != ACCESS_END)
            return true;
        start = lines->line_end + 1;
    }
    return false;
}

bool access_take_word(AccessLines *lines, const char *word)
{
    if (lines->kind != ACCESS_WORD || !str_equal(lines->text, word))
        return false;
    access_next(lines);
    return true;
}
