#include "base/json.h"

#include "base/buffer.h"

/* Length of the valid UTF-8 sequence at text, 0 when it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max;
        size_t length;
    } forms[] = {
        {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (text[0] < forms[i].first_min || text[0] > forms[i].first_max)
            continue;
        if (forms[i].length >= 2 &&
            (text[1] < forms[i].second_min || text[1] > forms[i].second_max))
            return 0;
        for (size_t at = 2; at < forms[i].length; at++) {
            if ((text[at] & 0xC0) != 0x80)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    _cleanup_buffer_ Buffer clean;
    buffer_init(&clean, strlen(text) * 3 + 1);
    while (*text) {
        size_t length = utf8_length((const unsigned char *)text);
        (void)(length ? buffer_append(&clean, text, length)
                      : buffer_append_str(&clean, "\xEF\xBF\xBD"));
        text += length ? length : 1;
    }
    return json_string(clean.data);
}

bool json_print(const json_t *value, FILE *out, Error *err)
{
    if (json_dumpf(value, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) != 0 ||
        fputc('\n', out) == EOF || fflush(out) != 0)
        return error_set(err, ERR_FAILED, "cannot write the JSON output");
    return true;
}

bool json_parse(const char *text, size_t length, const char *what, json_t **value, Error *err)
{
    json_error_t error;
    json_t *parsed = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!parsed)
        return error_set(err, ERR_PROBLEMS, "%s is not valid JSON: line %d, column %d: %s", what,
                         error.line, error.column, error.text);
    *value = parsed;
    return true;
}

char *json_compact(Arena *arena, const json_t *value)
{
    _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    return arena_strdup(arena, text ? text : "null");
}

const char *json_get_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}
