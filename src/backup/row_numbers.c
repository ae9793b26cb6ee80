#include "backup/row_line.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Of either side of a numeric's point: more of them are for the server. */
#define NUMERIC_DIGITS_MAX 1000
#define NUMERIC_NEGATIVE   0x4000
#define FLOAT_TEXT_MAX     63

/* ---- whole numbers ----------------------------------------------------------------------- */

/* As the server writes one: no sign, no leading zeros. */
static bool take_unsigned(RowLine *line, uint64_t most, uint64_t *value)
{
    const char *from = line->at;
    uint64_t number = 0;
    for (; row_is_digit(*line->at); line->at++) {
        if (line->at - from == 19) /* one more might not fit */
            return false;
        number = number * 10 + (uint64_t)(*line->at - '0');
    }
    *value = number;
    return line->at > from && (*from != '0' || line->at == from + 1) && number <= most;
}

/* most: of the positive ones; there is one more negative. */
static bool take_signed(RowLine *line, uint64_t most, uint64_t *value)
{
    bool negative = row_skip(line, '-');
    if (!take_unsigned(line, most + negative, value) || (negative && !*value))
        return false;
    if (negative)
        *value = 0 - *value;
    return true;
}

bool row_take_int2(RowLine *line)
{
    uint64_t value = 0;
    if (!take_signed(line, INT16_MAX, &value))
        return false;
    row_put32(line->out, sizeof(uint16_t));
    row_put16(line->out + 4, (uint16_t)value);
    line->out += 4 + sizeof(uint16_t);
    return true;
}

bool row_take_int4(RowLine *line)
{
    uint64_t value = 0;
    if (!take_signed(line, INT32_MAX, &value))
        return false;
    row_add_field32(line, (uint32_t)value);
    return true;
}

bool row_take_int8(RowLine *line)
{
    uint64_t value = 0;
    if (!take_signed(line, INT64_MAX, &value))
        return false;
    row_add_field64(line, value);
    return true;
}

bool row_take_oid(RowLine *line)
{
    uint64_t value = 0;
    if (!take_unsigned(line, UINT32_MAX, &value))
        return false;
    row_add_field32(line, (uint32_t)value);
    return true;
}

bool row_take_bool(RowLine *line)
{
    char byte = *line->at;
    if (byte != 't' && byte != 'f')
        return false;
    line->at++;
    line->out[4] = byte == 't';
    row_end_field(line, line->out + 5);
    return true;
}

/* ---- fractions --------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    size_t length;
    bool negative;
    bool exact; /* mantissa has all digits */
    uint64_t mantissa;
    int exponent; /* of ten */
} Decimal;

/* [-]digits[.digits][e(+|-)digits]: what the server writes of a number that is finite. */
static bool take_decimal(RowLine *line, Decimal *decimal)
{
    const char *from = line->at;
    int digits = 0;
    uint64_t exponent = 0;
    *decimal = (Decimal){.text = from, .negative = row_skip(line, '-')};
    for (; row_is_digit(*line->at); line->at++, digits++)
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*line->at - '0');
    if (!digits)
        return false;
    if (row_skip(line, '.')) {
        const char *point = line->at;
        for (; row_is_digit(*line->at); line->at++, digits++)
            decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*line->at - '0');
        decimal->exponent = -(int)(line->at - point);
        if (line->at == point || line->at - point > FLOAT_TEXT_MAX)
            return false;
    }
    decimal->exact = digits < 20;
    if (row_skip(line, 'e')) {
        bool negative = *line->at == '-';
        if (!row_skip(line, '-') && !row_skip(line, '+'))
            return false;
        const char *power = line->at;
        for (; row_is_digit(*line->at) && line->at - power < 4; line->at++)
            exponent = exponent * 10 + (uint64_t)(*line->at - '0');
        if (line->at == power)
            return false;
        decimal->exponent += negative ? -(int)exponent : (int)exponent;
    }
    decimal->length = (size_t)(line->at - from);
    return decimal->length <= FLOAT_TEXT_MAX;
}

/* Both numbers are exact, and so one operation rounds as it must. */
static bool is_quick(const Decimal *decimal, int mantissa_bits, int exponent_max)
{
    return FLT_EVAL_METHOD == 0 && decimal->exact && decimal->mantissa >> mantissa_bits == 0 &&
           decimal->exponent <= exponent_max && decimal->exponent >= -exponent_max;
}

bool row_take_float4(RowLine *line)
{
    static const float powers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F,
                                   1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
    Decimal decimal;
    float value = 0;
    if (!take_decimal(line, &decimal))
        return false;
    if (is_quick(&decimal, FLT_MANT_DIG, 10)) {
        value = (float)decimal.mantissa;
        value = decimal.exponent < 0 ? value / powers[-decimal.exponent]
                                     : value * powers[decimal.exponent];
        value = decimal.negative ? -value : value;
    } else {
        char text[FLOAT_TEXT_MAX + 1] = {0};
        memcpy(text, decimal.text, decimal.length);
        value = strtof(text, NULL);
        if (!isnormal(value))
            return false;
    }
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    row_add_field32(line, bits);
    return true;
}

bool row_take_float8(RowLine *line)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    Decimal decimal;
    double value = 0;
    if (!take_decimal(line, &decimal))
        return false;
    if (is_quick(&decimal, DBL_MANT_DIG, 22)) {
        value = (double)decimal.mantissa;
        value = decimal.exponent < 0 ? value / powers[-decimal.exponent]
                                     : value * powers[decimal.exponent];
        value = decimal.negative ? -value : value;
    } else {
        char text[FLOAT_TEXT_MAX + 1] = {0};
        memcpy(text, decimal.text, decimal.length);
        value = strtod(text, NULL);
        if (!isnormal(value))
            return false;
    }
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    row_add_field64(line, bits);
    return true;
}

/* ---- numeric ----------------------------------------------------------------------------- */

/* Digits to the base 10,000, without zeros at either end. */
typedef struct {
    uint8_t *out;
    int count; /* without what may prove to be zeros at the end */
    int next;
    int weight; /* of the first one, as a power of 10,000 */
} Groups;

static void add_group(Groups *groups, unsigned value)
{
    if (!groups->next && !value) {
        groups->weight--;
        return;
    }
    row_put16(groups->out + (ptrdiff_t)2 * groups->next, (uint16_t)value);
    groups->next++;
    if (value)
        groups->count = groups->next;
}

/* Digits, padded with zeros to whole groups: in front, or behind. */
static void add_groups(Groups *groups, const char *digits, ptrdiff_t count, bool pad_in_front)
{
    unsigned value = 0;
    ptrdiff_t padding = (4 - count % 4) % 4;
    ptrdiff_t from = pad_in_front ? -padding : 0;
    ptrdiff_t to = pad_in_front ? count : count + padding;
    for (ptrdiff_t i = from; i < to; i++) {
        value = value * 10 + (i >= 0 && i < count ? (unsigned)(digits[i] - '0') : 0);
        if ((i - from) % 4 == 3) {
            add_group(groups, value);
            value = 0;
        }
    }
}

bool row_take_numeric(RowLine *line)
{
    bool negative = row_skip(line, '-');
    const char *whole = line->at;
    const char *fraction = NULL;
    while (row_is_digit(*line->at))
        line->at++;
    ptrdiff_t whole_digits = line->at - whole;
    ptrdiff_t scale = 0;
    if (row_skip(line, '.')) {
        fraction = line->at;
        while (row_is_digit(*line->at))
            line->at++;
        scale = line->at - fraction;
    }
    if (!whole_digits || whole_digits > NUMERIC_DIGITS_MAX || scale > NUMERIC_DIGITS_MAX ||
        (fraction && !scale) || (*whole == '0' && whole_digits > 1))
        return false;
    Groups groups = {.out = line->out + 12, .weight = (int)((whole_digits + 3) / 4) - 1};
    add_groups(&groups, whole, whole_digits, true);
    add_groups(&groups, fraction, scale, false);
    if (negative && !groups.count)
        return false;
    row_put16(line->out + 4, (uint16_t)groups.count);
    row_put16(line->out + 6, (uint16_t)(groups.count ? groups.weight : 0));
    row_put16(line->out + 8, negative ? NUMERIC_NEGATIVE : 0);
    row_put16(line->out + 10, (uint16_t)scale);
    row_end_field(line, groups.out + (ptrdiff_t)2 * groups.count);
    return true;
}
