#include "cli/text.h"

#include <string.h>

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

bool text_next_block(const char **text, TextBlock *block)
{
    const char *at = *text;
    bool apart = false;
    for (; *at == '\n'; at++)
        apart = true;
    if (!*at)
        return false;
    const char *end = line_end(at);
    *block = (TextBlock){.start = at, .verbatim = *at == ' ', .apart = apart};
    if (block->verbatim) {
        block->start += strspn(at, " ");
    } else {
        while (*end && end[1] && end[1] != '\n' && end[1] != ' ')
            end = line_end(end + 1);
    }
    block->length = (size_t)(end - block->start);
    *text = *end ? end + 1 : end;
    return true;
}

bool text_next_example(const char **text, TextExample *example)
{
    const char *line = *text + strspn(*text, "\n");
    if (!*line)
        return false;
    const char *end = line_end(line);
    const char *gap = strstr(line, "   ");
    if (!gap || gap > end)
        gap = end;
    const char *what = gap + strspn(gap, " ");
    *example = (TextExample){.line = line,
                             .line_length = (size_t)(end - line),
                             .command_length = (size_t)(gap - line),
                             .what = what,
                             .what_length = (size_t)(end - what)};
    *text = end;
    return true;
}
