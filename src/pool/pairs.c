#include "pool/pairs.h"

#include <string.h>

static const char blanks[] = " \t";

static const char *quoted(PairReader *reader, Arena *arena)
{
    const char *at = reader->at + 1;
    char *value = arena_alloc(arena, strlen(at) + 1);
    size_t length = 0;
    for (; *at; at++) {
        if (*at == '\'' && *++at != '\'') {
            reader->at = at;
            return value;
        }
        value[length++] = *at;
    }
    return NULL;
}

PairStep pairs_next(PairReader *reader, Arena *arena, Pair *pair, const char **reason)
{
    reader->at += strspn(reader->at, blanks);
    if (!*reader->at)
        return PAIR_END;
    size_t length = strcspn(reader->at, "= \t");
    pair->key = arena_strndup(arena, reader->at, length);
    reader->at += length;
    reader->at += strspn(reader->at, blanks);
    if (*reader->at != '=' || !length) {
        *reason = length ? "a word without \"=\"" : "a \"=\" without a key before it";
        return PAIR_WRONG;
    }
    reader->at++;
    reader->at += strspn(reader->at, blanks);
    if (*reader->at == '\'') {
        pair->value = quoted(reader, arena);
        if (!pair->value) {
            *reason = "a quote that is not closed";
            return PAIR_WRONG;
        }
        if (*reader->at && !strchr(blanks, *reader->at)) {
            *reason = "a quoted value with something right behind it";
            return PAIR_WRONG;
        }
    } else {
        length = strcspn(reader->at, blanks);
        pair->value = arena_strndup(arena, reader->at, length);
        reader->at += length;
    }
    if (*pair->value)
        return PAIR_READ;
    *reason = "an empty value";
    return PAIR_WRONG;
}
