#include "store/sftp_listing.h"

#include <string.h>

#define FIELDS_BEFORE_NAME 8
#define SIZE_FIELD         4

/* Cuts the next field off *at; false at the end of the line. */
static bool next_field(const char **at, const char *end, const char **field, size_t *length)
{
    while (*at < end && **at == ' ')
        ++*at;
    *field = *at;
    while (*at < end && **at != ' ')
        ++*at;
    *length = (size_t)(*at - *field);
    return *length > 0;
}

/* *regular false: the line is of something else. */
static bool parse_line(Arena *arena, const char *line, const char *end, bool *regular,
                       StoreObject *object)
{
    const char *at = line;
    for (int i = 0; i < FIELDS_BEFORE_NAME; i++) {
        const char *field = NULL;
        size_t length = 0;
        if (!next_field(&at, end, &field, &length))
            return false;
        if (i == 0)
            *regular = *field == '-';
        if (i == SIZE_FIELD && *regular &&
            !str_to_int64(arena_strndup(arena, field, length), 0, INT64_MAX, &object->bytes))
            return false;
    }
    if (at + 1 >= end) /* one space, and at least one byte of a name, which may hold more of both */
        return false;
    object->name = arena_strndup(arena, at + 1, (size_t)(end - at - 1));
    return !*regular || !strchr(object->name, '/');
}

bool sftp_listing_parse(Arena *arena, const char *text, size_t length, StoreList *list, Error *err)
{
    const char *stop = text + length;
    *list = (StoreList){0};
    for (const char *line = text; line < stop;) {
        const char *newline = memchr(line, '\n', (size_t)(stop - line));
        const char *end = newline ? newline : stop;
        StoreObject object = {0};
        bool regular = false;
        if (memchr(line, '\0', (size_t)(end - line)) ||
            !parse_line(arena, line, end, &regular, &object))
            return error_set(
                err, ERR_FAILED, "the listing of the server makes no sense: \"%s\"",
                str_one_line(arena, arena_strndup(arena, line, (size_t)(end - line)), 100));
        if (regular)
            ARENA_PUSH(arena, list->items, list->count, list->capacity, object);
        line = newline ? newline + 1 : stop;
    }
    return true;
}
