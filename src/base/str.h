/* Strings: tests, checked number parsing, and numbers as people read them. */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_empty(const char *text); /* NULL or "" */
/* Cuts white space at both ends, in place; returns the new start. */
char *str_trim(char *text);

/* The whole text must be a number in range; false leaves *value alone. No sign of '+', no spaces.
 */
bool str_to_int64(const char *text, int64_t min, int64_t max, int64_t *value) MUST_CHECK;
bool str_to_double(const char *text, double *value) MUST_CHECK;
/* "512", "64k", "20M", "1.5G", "2T" with optional "B" or "iB": binary multiples. */
bool str_to_bytes(const char *text, int64_t *bytes) MUST_CHECK;
/* "250ms", "15s", "5min", "24h", "7d"; a bare number counts seconds. */
bool str_to_duration_ms(const char *text, int64_t *ms) MUST_CHECK;
/* true/yes/on/1 and false/no/off/0. */
bool str_to_bool(const char *text, bool *value) MUST_CHECK;

/* Edit distance by insertion, deletion, substitution and swap of neighbours (optimal string
 * alignment); texts over 64 bytes give 64. */
size_t str_distance(const char *a, const char *b);
/* The candidate nearest to word, or NULL when none is near enough for "did you mean". */
const char *str_nearest(const char *word, const char *const *candidates, size_t count);

/* "17.3 MiB", "512 B" */
char *str_bytes(Arena *arena, int64_t bytes);
/* "1,000,000" */
char *str_count(Arena *arena, int64_t count);
/* "0.031 ms", "12.5 ms", "3.20 s", "4 min 5 s", "2 h 3 min", "5 days" */
char *str_duration(Arena *arena, double ms);

/* A list of strings that grows in an arena. */
typedef struct {
    Arena *arena;
    const char **items;
    size_t count;
    size_t capacity;
} StrList;

void str_list_init(StrList *list, Arena *arena);
void str_list_add(StrList *list, const char *text); /* copies text into the arena */
void str_list_addf(StrList *list, const char *format, ...) PRINTF_LIKE(2, 3);
bool str_list_has(const StrList *list, const char *text);
char *str_list_join(const StrList *list, Arena *arena, const char *separator);
/* Splits at any byte of separators, trims each part, leaves out empty ones. */
void str_split(StrList *list, const char *text, const char *separators);

/* White space of every kind as single spaces, so that a statement stands on one line; cut after max
 * code points with "...". */
char *str_one_line(Arena *arena, const char *text, size_t max);

/* Columns that text takes on a terminal: UTF-8 code points, combining marks not told apart. */
size_t str_width(const char *text);
