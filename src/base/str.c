#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>

bool str_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool str_empty(const char *text)
{
    return !text || !*text;
}

char *str_trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

bool str_to_int64(const char *text, int64_t min, int64_t max, int64_t *value)
{
    if (str_empty(text) || (!isdigit((unsigned char)*text) && *text != '-'))
        return false;
    char *end = NULL;
    errno = 0;
    intmax_t parsed = strtoimax(text, &end, 10);
    if (errno || *end || end == text || parsed < min || parsed > max)
        return false;
    *value = parsed;
    return true;
}

bool str_to_double(const char *text, double *value)
{
    /* strtod would also take spaces, a plus, hexadecimal, infinities and not-a-numbers */
    if (str_empty(text) || text[strspn(text, "0123456789.eE+-")] || *text == '+')
        return false;
    char *end = NULL;
    errno = 0;
    double parsed = strtod(text, &end);
    if (errno || *end || end == text || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

/* A number at the start of text; *rest is what follows it, spaces skipped. */
static bool leading_number(const char *text, double *number, const char **rest)
{
    if (str_empty(text) || (!isdigit((unsigned char)*text) && *text != '.'))
        return false;
    size_t digits = strspn(text, "0123456789.");
    char digits_text[32];
    if (digits >= sizeof(digits_text))
        return false;
    memcpy(digits_text, text, digits);
    digits_text[digits] = '\0';
    if (!str_to_double(digits_text, number))
        return false;
    text += digits;
    while (*text == ' ')
        text++;
    *rest = text;
    return true;
}

bool str_to_bytes(const char *text, int64_t *bytes)
{
    double number = 0;
    const char *unit = NULL;
    if (!leading_number(text, &number, &unit))
        return false;
    static const char prefixes[] = "kmgt";
    if (*unit) {
        const char *found = strchr(prefixes, tolower((unsigned char)*unit));
        if (found) {
            number *= pow(1024, (double)(found - prefixes + 1));
            unit++;
            if (*unit == 'i')
                unit++;
        }
        if (*unit == 'B' || *unit == 'b')
            unit++;
    }
    if (*unit || number > 9e18)
        return false;
    *bytes = (int64_t)number;
    return true;
}

bool str_to_duration_ms(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1e3},   {"ms", 1},    {"s", 1e3},     {"min", 6e4},   {"m", 6e4},
                 {"h", 36e5}, {"d", 864e5}, {"day", 864e5}, {"days", 864e5}};
    double number = 0;
    const char *unit = NULL;
    if (!leading_number(text, &number, &unit))
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (str_equal(unit, units[i].unit) && number * units[i].ms < 9e18) {
            *ms = (int64_t)(number * units[i].ms);
            return true;
        }
    }
    return false;
}

bool str_to_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; text && i < COUNT_OF(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

#define DISTANCE_MAX 64

size_t str_distance(const char *a, const char *b)
{
    size_t rows = strlen(a);
    size_t columns = strlen(b);
    if (rows > DISTANCE_MAX || columns > DISTANCE_MAX)
        return DISTANCE_MAX;
    size_t cost[DISTANCE_MAX + 1][DISTANCE_MAX + 1];
    for (size_t i = 0; i <= rows; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= columns; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (cost[i - 1][j] + 1 < best)
                best = cost[i - 1][j] + 1;
            if (cost[i][j - 1] + 1 < best)
                best = cost[i][j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && cost[i - 2][j - 2] + 1 < best)
                best = cost[i - 2][j - 2] + 1;
            cost[i][j] = best;
        }
    }
    return cost[rows][columns];
}

const char *str_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2; /* one slip in a short word, more in a long one */
    for (size_t i = 0; i < count; i++) {
        size_t distance = str_distance(word, candidates[i]);
        if (strlen(word) >= 3 && str_starts(candidates[i], word))
            distance = 1;
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

char *str_bytes(Arena *arena, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit = 0;
    /* 1023.95 would be printed as 1024.0 */
    while (fabs(value) >= (unit ? 1023.95 : 1024) && unit + 1 < COUNT_OF(units)) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        return arena_printf(arena, "%" PRId64 " B", bytes);
    return arena_printf(arena, "%.1f %s", value, units[unit]);
}

char *str_count(Arena *arena, int64_t count)
{
    char digits[32];
    (void)snprintf(digits, sizeof(digits), "%" PRId64, count);
    size_t length = strlen(digits);
    size_t sign = digits[0] == '-' ? 1 : 0;
    char *text = arena_alloc(arena, length + length / 3 + 1);
    size_t out = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > sign && (length - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = digits[i];
    }
    return text;
}

char *str_duration(Arena *arena, double ms)
{
    if (ms < 1)
        return arena_printf(arena, "%.3f ms", ms);
    if (ms < 999.95) /* what is above would be printed as 1000.0 ms */
        return arena_printf(arena, "%.1f ms", ms);
    double seconds = ms / 1000;
    if (seconds < 59.995)
        return arena_printf(arena, "%.2f s", seconds);
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole < 3600)
        return arena_printf(arena, "%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
    if (whole < 48 * 3600)
        return arena_printf(arena, "%" PRId64 " h %" PRId64 " min", whole / 3600,
                            whole % 3600 / 60);
    return arena_printf(arena, "%" PRId64 " days", whole / 86400);
}

void str_list_init(StrList *list, Arena *arena)
{
    *list = (StrList){.arena = arena};
}

void str_list_add(StrList *list, const char *text)
{
    const char *copy = arena_strdup(list->arena, text);
    ARENA_PUSH(list->arena, list->items, list->count, list->capacity, copy);
}

void str_list_addf(StrList *list, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprintf(list->arena, format, arguments);
    va_end(arguments);
    ARENA_PUSH(list->arena, list->items, list->count, list->capacity, text);
}

bool str_list_has(const StrList *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0)
            return true;
    }
    return false;
}

char *str_list_join(const StrList *list, Arena *arena, const char *separator)
{
    size_t length = 0;
    for (size_t i = 0; i < list->count; i++)
        length += strlen(list->items[i]) + strlen(separator);
    char *joined = arena_alloc(arena, length + 1);
    char *out = joined;
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            out = mempcpy(out, separator, strlen(separator));
        out = mempcpy(out, list->items[i], strlen(list->items[i]));
    }
    return joined;
}

void str_split(StrList *list, const char *text, const char *separators)
{
    while (*text) {
        size_t length = strcspn(text, separators);
        char *part = arena_strndup(list->arena, text, length);
        part = str_trim(part);
        if (*part)
            ARENA_PUSH(list->arena, list->items, list->count, list->capacity, part);
        text += length;
        if (*text)
            text++;
    }
}

size_t str_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++) {
        if (((unsigned char)*text & 0xC0) != 0x80)
            width++;
    }
    return width;
}

char *str_one_line(Arena *arena, const char *text, size_t max)
{
    char *line = arena_alloc(arena, strlen(text) + sizeof("..."));
    size_t length = 0;
    size_t columns = 0;
    for (const char *byte = text; *byte; byte++) {
        bool is_space = (unsigned char)*byte <= ' ';
        if (is_space && (length == 0 || line[length - 1] == ' '))
            continue;
        columns += ((unsigned char)*byte & 0xC0) != 0x80;
        if (columns > max) {
            (void)memcpy(line + length, "...", sizeof("..."));
            return line;
        }
        line[length++] = is_space ? ' ' : *byte;
    }
    while (length && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    return line;
}
