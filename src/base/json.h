/* JSON, by jansson; this header adds what every command needs of it.
 *
 * A json_t is reference-counted: `_cleanup_json_ json_t *root = json_object();`. Functions that end
 * in _new (json_object_set_new, ...) take over the reference given. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

static inline void cleanup_json(json_t **value)
{
    json_decref(*value);
}
#define _cleanup_json_ _cleanup_(cleanup_json)

/* A string; NULL gives JSON null; bytes that are not UTF-8 become U+FFFD. */
json_t *json_text(const char *text);
/* Prints the value and a newline, keys in the order they were set. */
bool json_print(const json_t *value, FILE *out, Error *err) MUST_CHECK;
/* Parses a whole text; *value is the caller's. what names the text in the message. */
bool json_parse(const char *text, size_t length, const char *what, json_t **value,
                Error *err) MUST_CHECK;
/* Compact, in the arena. */
char *json_compact(Arena *arena, const json_t *value);

/* Members with a default when missing or of another type. */
const char *json_get_text(const json_t *object, const char *key, const char *fallback);
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
