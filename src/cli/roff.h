/* Writes a manual page: the man(7) macros that groff and mandoc share, every character escaped so
 * that what is to be typed can be copied from the page (a "-" stays a minus sign). */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    FILE *out;
    bool fresh; /* a heading stands just above */
} Roff;

void roff_title(Roff *roff, const char *page, int section);
/* The section that man -k and apropos read. */
void roff_name(Roff *roff, const char *name, const char *summary);
void roff_section(Roff *roff, const char *title);
void roff_subsection(Roff *roff, const char *title);
/* Begins a paragraph; one right under a heading needs no sign. */
void roff_paragraph_start(Roff *roff);
/* Paragraphs and lines as they stand: text.h. */
void roff_text(Roff *roff, const char *text);
/* A usage line by itself, "vaxdb migrate down [N] [FLAGS]": the command's words bold, names of
 * arguments in italics. Several stand under one another. */
void roff_usage(Roff *roff, const char *usage);
/* What follows begins on a line of its own. */
void roff_break(Roff *roff);
/* A term, drawn as a usage line; a sentence follows. */
void roff_item(Roff *roff, const char *term);
/* A term in bold whatever it holds. */
void roff_item_typed(Roff *roff, const char *term, size_t length);
/* The text of an item as a sentence: a capital first, a full stop last. */
void roff_sentence(Roff *roff, const char *text, size_t length);
/* "See vaxdb(1)." from "See ", "vaxdb(1)" and ".". */
void roff_reference(Roff *roff, const char *before, const char *page, const char *after);
