#include "pool/settings.h"

#include "base/str.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <strings.h>

#define SECOND_US        1000000
#define SECONDS_MAX      1e9
#define SUGGESTIONS_MAX  128
#define AUTH_QUERY_WIDTH 4096

const SettingSpec *setting_find(const SettingSpec *specs, const char *name)
{
    for (const SettingSpec *spec = specs; spec->name; spec++) {
        if (str_equal(spec->name, name) || (spec->alias && str_equal(spec->alias, name)))
            return spec;
    }
    return NULL;
}

const char *setting_suggestion(Arena *arena, const SettingSpec *specs, const char *name)
{
    const char *names[SUGGESTIONS_MAX];
    size_t count = 0;
    for (const SettingSpec *spec = specs; spec->name; spec++) {
        assert(count < SUGGESTIONS_MAX);
        names[count++] = spec->name;
    }
    const char *nearest = str_nearest(name, names, count);
    return nearest ? arena_printf(arena, "did you mean %s?", nearest) : "";
}

static void *field_of(const SettingSpec *spec, void *object)
{
    return (char *)object + spec->offset;
}

static const void *const_field_of(const SettingSpec *spec, const void *object)
{
    return (const char *)object + spec->offset;
}

static const char *assign_int(const SettingSpec *spec, Arena *arena, const char *value, int *field)
{
    char *end = NULL;
    errno = 0;
    bool digits = isdigit((unsigned char)value[*value == '-' || *value == '+']);
    long number = digits ? strtol(value, &end, spec->decimal ? 10 : 0) : 0;
    if (!digits || *end)
        return "it is not a whole number";
    if (errno || number < spec->min || number > spec->max)
        return arena_printf(arena, "it must be between %jd and %jd", (intmax_t)spec->min,
                            (intmax_t)spec->max);
    *field = (int)number;
    return NULL;
}

static const char *assign_seconds(const char *value, int64_t *field)
{
    double seconds = 0;
    if (!str_to_double(value, &seconds) || seconds < 0)
        return "it is not a number of seconds";
    if (seconds > SECONDS_MAX)
        return "it is more seconds than 1000000000";
    *field = (int64_t)(seconds * SECOND_US);
    return NULL;
}

static const char *assign_word(const SettingSpec *spec, Arena *arena, const char *value, int *field)
{
    StrList known;
    str_list_init(&known, arena);
    for (const SettingWord *row = spec->words; row->word; row++) {
        if (strcasecmp(row->word, value) == 0) {
            if (row->refusal)
                return row->refusal;
            *field = row->value;
            return NULL;
        }
        if (!row->refusal)
            str_list_add(&known, row->word);
    }
    return arena_printf(arena, "it must be one of %s", str_list_join(&known, arena, ", "));
}

static const char *assign_text(const SettingSpec *spec, Arena *arena, const char *value,
                               const char **field)
{
    const char *reason = spec->check ? spec->check(arena, value) : NULL;
    if (!reason)
        *field = arena_strdup(arena, value);
    return reason;
}

const char *setting_assign(const SettingSpec *spec, Arena *arena, const char *value, void *object)
{
    void *field = field_of(spec, object);
    switch (spec->kind) {
    case SETTING_INT:
        return assign_int(spec, arena, value, field);
    case SETTING_SECONDS:
        return assign_seconds(value, field);
    case SETTING_WORD:
        return assign_word(spec, arena, value, field);
    case SETTING_TEXT:
        break;
    }
    return assign_text(spec, arena, value, field);
}

const char *setting_default(const SettingSpec *spec, Arena *arena)
{
    if (!spec->sql)
        return spec->fallback;
    const char *text = spec->sql;
    while (str_starts(text, "--")) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return str_one_line(arena, text, AUTH_QUERY_WIDTH);
}

void settings_set_defaults(const SettingSpec *specs, Arena *arena, void *object)
{
    for (const SettingSpec *spec = specs; spec->name; spec++) {
        const char *value = setting_default(spec, arena);
        const char *reason = value ? setting_assign(spec, arena, value, object) : NULL;
        assert(!reason);
        (void)reason;
    }
}

static const char *word_of(const SettingSpec *spec, int value)
{
    for (const SettingWord *row = spec->words; row->word; row++) {
        if (row->value == value && !row->refusal)
            return row->word;
    }
    return NULL;
}

const char *setting_text(const SettingSpec *spec, Arena *arena, const void *object)
{
    const void *field = const_field_of(spec, object);
    switch (spec->kind) {
    case SETTING_INT:
        return arena_printf(arena, "%d", *(const int *)field);
    case SETTING_SECONDS:
        return arena_printf(arena, "%g", (double)*(const int64_t *)field / SECOND_US);
    case SETTING_WORD:
        return word_of(spec, *(const int *)field);
    case SETTING_TEXT:
        break;
    }
    return *(const char *const *)field;
}

static unsigned tls_versions(const char *word, size_t length)
{
    static const struct {
        const char *name;
        unsigned versions;
    } names[] = {
        {"tlsv1.0", TLS_1_0},
        {"tlsv1.1", TLS_1_1},
        {"tlsv1.2", TLS_1_2},
        {"tlsv1.3", TLS_1_3},
        {"tlsv1", TLS_1_0 | TLS_1_1 | TLS_1_2 | TLS_1_3},
        {"all", TLS_1_0 | TLS_1_1 | TLS_1_2 | TLS_1_3},
        {"legacy", TLS_1_0 | TLS_1_1 | TLS_1_2 | TLS_1_3},
        {"secure", TLS_1_2 | TLS_1_3},
        {"default", TLS_1_2 | TLS_1_3},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strlen(names[i].name) == length && strncasecmp(names[i].name, word, length) == 0)
            return names[i].versions;
    }
    return 0;
}

bool tls_protocols_parse(const char *text, unsigned *versions)
{
    unsigned found = *text ? 0 : TLS_1_2 | TLS_1_3;
    while (*text) {
        text += strspn(text, " \t");
        bool without = *text == '!';
        text += without;
        size_t length = strcspn(text, " \t,:");
        unsigned named = tls_versions(text, length);
        if (!named)
            return false;
        found = without ? found & ~named : found | named;
        text += length;
        text += strspn(text, " \t");
        if (*text && !strchr(",:", *text))
            return false;
        text += *text != '\0';
    }
    if (found)
        *versions = found;
    return found != 0;
}

bool pool_list_has(const char *list, const char *word)
{
    static const char separators[] = ", \t\r\n\v\f";
    size_t wanted = strlen(word);
    for (const char *at = list ? list : ""; *at;) {
        at += strspn(at, separators);
        size_t length = strcspn(at, separators);
        if (length && length == wanted && memcmp(at, word, length) == 0)
            return true;
        at += length;
    }
    return false;
}
