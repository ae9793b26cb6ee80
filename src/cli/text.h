/* The texts of the command tables, which --help and the manual pages both draw.
 *
 * A text is paragraphs. Line breaks in one mean nothing; an empty line ends it; a line that begins
 * with a space stands as it is (a command to type). `backquotes` hold what is typed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *start;
    size_t length;
    bool verbatim; /* one line, without its indentation; else a paragraph */
    bool apart;    /* an empty line stands before it */
} TextBlock;

/* Takes the next block; false at the end. */
bool text_next_block(const char **text, TextBlock *block);

/* A line of a command's examples: "vaxdb dev stop     stops it". */
typedef struct {
    const char *line;
    size_t line_length;
    size_t command_length; /* of the command in front of three spaces or more */
    const char *what;      /* what it does */
    size_t what_length;    /* 0: not said */
} TextExample;

bool text_next_example(const char **text, TextExample *example);
