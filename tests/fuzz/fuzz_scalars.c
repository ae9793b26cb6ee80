#include "fuzz.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#include <assert.h>

/* What people type as numbers, sizes, durations and times, and any text on its way into JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *text = arena_strndup(arena, (const char *)data, size);
    int64_t number = 0;
    double real = 0;
    int32_t days = 0;
    bool flag = false;
    if (str_to_int64(text, -100, 100, &number))
        assert(number >= -100 && number <= 100);
    if (str_to_bytes(text, &number))
        assert(number >= 0 && str_bytes(arena, number));
    if (str_to_duration_ms(text, &number))
        assert(number >= 0 && str_duration(arena, (double)number));
    if (str_to_double(text, &real))
        assert(real == real);
    if (clock_parse_date(text, &days))
        assert(str_equal(clock_date(arena, days), text));
    if (clock_parse_utc(text, &number))
        assert(str_equal(clock_iso_utc(arena, number), text) ||
               str_equal(clock_name_utc(arena, number), text));
    if (str_to_bool(text, &flag))
        assert(strlen(text) <= 5);
    _cleanup_json_ json_t *value = json_text(text);
    assert(json_is_string(value));
    return 0;
}
