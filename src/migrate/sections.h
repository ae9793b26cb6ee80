/* A migration and its way back in one file, as dbmate, goose and sql-migrate write them:
 *
 *     -- migrate:up [transaction:false]        -- +goose Up        -- +migrate Up [notransaction]
 *     -- migrate:down [transaction:false]      -- +goose Down      -- +migrate Down [notransaction]
 *
 * A marker is a line of its own, and it counts wherever the line is, inside a quoted text too: a
 * quote that somebody forgot to close must not make the down a part of the up. Without an up marker
 * a file has no sections. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { SECTION_UP, SECTION_DOWN } SectionKind;

typedef struct {
    bool found;
    size_t start, end; /* with its marker, up to the next marker or the end of the text */
    bool holds_sql;    /* more than comments and empty lines */
} Section;

typedef struct {
    Section items[2];  /* by SectionKind */
    size_t first;      /* where the first marker is */
    size_t repeated;   /* where a marker stands that was there already */
    bool has_repeated; /* such a file is refused */
} Sections;

void sections_find(const char *text, size_t length, Sections *sections);
/* The text with the other section blanked, so that lines keep their numbers, and cut behind the
 * wanted one. */
char *sections_cut(Arena *arena, const char *text, const Sections *sections, SectionKind kind,
                   size_t *length);
/* Is the comment (what follows "--") a marker? */
bool section_is_marker(const char *comment, size_t length, SectionKind *kind);
