#include "backup/row_values.h"

#include <string.h>

/* Long values go in pieces of so many bytes, so that the buffer grows with what they become and
 * not with what they might. */
#define PIECE ((size_t)16 << 10)
/* More than any value of a fixed size becomes, with its tab; also what may be written too far. */
#define FIXED 64

#define USECS_PER_SECOND INT64_C(1000000)
#define USECS_PER_DAY    (86400 * USECS_PER_SECOND)
/* 2000-01-01, from which the server counts, after 0000-03-01 of the Gregorian calendar. */
#define EPOCH_DAYS INT64_C(730425)
/* What the server takes: from 4714-11-24 BC (Julian day 0) on; dates to 5874897-12-31. */
#define FIRST_DAY INT64_C(-2451545)
#define LAST_DATE INT64_C(2145031948)

typedef struct {
    Buffer *text;
    char *at;
    char *end; /* of the memory that was reserved */
} Writer;

/* A field: data[0..length), and so many bytes may be read from data on. */
typedef struct {
    const uint8_t *data;
    size_t length;
    size_t readable;
} Field;

static bool reserve(Writer *writer, size_t length)
{
    Buffer *text = writer->text;
    if (writer->at)
        buffer_commit(text, (size_t)(writer->at - text->data) - text->length);
    writer->at = buffer_reserve(text, length);
    if (!writer->at)
        return false;
    size_t usable = text->capacity - 1 < text->max ? text->capacity - 1 : text->max;
    writer->end = text->data + usable;
    return true;
}

static inline bool room(Writer *writer, size_t length)
{
    return (size_t)(writer->end - writer->at) >= length || reserve(writer, length);
}

/* ---- numbers of the network ---------------------------------------------------------------- */

static inline uint16_t read16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static inline uint32_t read32(const uint8_t *data)
{
    uint32_t value;
    memcpy(&value, data, sizeof(value));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(value) : value;
}

static inline uint64_t read64(const uint8_t *data)
{
    uint64_t value;
    memcpy(&value, data, sizeof(value));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(value) : value;
}

/* ---- decimal digits ------------------------------------------------------------------------ */

static const char PAIRS[200] = "0001020304050607080910111213141516171819"
                               "2021222324252627282930313233343536373839"
                               "4041424344454647484950515253545556575859"
                               "6061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";

/* value < 100 */
static inline char *put2(char *at, uint32_t value)
{
    memcpy(at, PAIRS + 2 * (size_t)value, 2);
    return at + 2;
}

/* value < 10000 */
static inline char *put4(char *at, uint32_t value)
{
    return put2(put2(at, value / 100), value % 100);
}

static inline char *put_unsigned(char *at, uint64_t value)
{
    char digits[20];
    char *first = digits + sizeof(digits);
    while (value >= 100) {
        first -= 2;
        memcpy(first, PAIRS + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, PAIRS + 2 * value, 2);
    } else {
        *--first = (char)('0' + value);
    }
    size_t length = (size_t)(digits + sizeof(digits) - first);
    memcpy(at, first, length);
    return at + length;
}

static inline char *put_signed(char *at, int64_t value)
{
    if (value >= 0)
        return put_unsigned(at, (uint64_t)value);
    *at++ = '-';
    return put_unsigned(at, 0 - (uint64_t)value);
}

/* ---- days and times ------------------------------------------------------------------------ */

static inline char *put_word(char *at, const char *word)
{
    return mempcpy(at, word, strlen(word));
}

/* YYYY-MM-DD, the year with more digits where it has more; *bc: it is one before Christ, which
 * wants " BC" at the very end. days: after 2000-01-01.
 *
 * The year begins with March, so that the leap day is its last, and 400 of them have 146,097 days;
 * months from March on are 31, 30, 31, 30, 31 days long over and over, so that a month m begins at
 * day (153 m + 2) / 5. */
static char *put_date(char *at, int64_t days, bool *bc)
{
    int64_t since = days + EPOCH_DAYS;
    int64_t era = (since >= 0 ? since : since - 146096) / 146097;
    uint32_t day_of_era = (uint32_t)(since - era * 146097);
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day + 2) / 153;
    day -= (153 * march_month + 2) / 5;
    uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = era * 400 + year_of_era + (month <= 2);
    *bc = year <= 0;
    uint32_t shown = (uint32_t)(*bc ? 1 - year : year);
    at = shown < 10000 ? put4(at, shown) : put_unsigned(at, shown);
    *at++ = '-';
    at = put2(at, month);
    *at++ = '-';
    return put2(at, day + 1);
}

/* HH:MM:SS, and the microseconds without zeros at their end. */
static char *put_time(char *at, uint64_t usecs)
{
    uint32_t seconds = (uint32_t)(usecs / USECS_PER_SECOND);
    uint32_t fraction = (uint32_t)(usecs % USECS_PER_SECOND);
    at = put2(at, seconds / 3600);
    *at++ = ':';
    at = put2(at, seconds / 60 % 60);
    *at++ = ':';
    at = put2(at, seconds % 60);
    if (!fraction)
        return at;
    *at++ = '.';
    at = put4(put2(at, fraction / 10000), fraction % 10000);
    while (at[-1] == '0')
        at--;
    return at;
}

static char *put_date_value(char *at, int32_t days)
{
    if (days == INT32_MAX)
        return put_word(at, "infinity");
    if (days == INT32_MIN)
        return put_word(at, "-infinity");
    if (days < FIRST_DAY || days > LAST_DATE)
        return NULL;
    bool bc = false;
    at = put_date(at, days, &bc);
    return bc ? put_word(at, " BC") : at;
}

static char *put_timestamp(char *at, int64_t value, const char *zone)
{
    if (value == INT64_MAX)
        return put_word(at, "infinity");
    if (value == INT64_MIN)
        return put_word(at, "-infinity");
    int64_t days = value / USECS_PER_DAY;
    int64_t usecs = value % USECS_PER_DAY;
    if (usecs < 0) {
        days--;
        usecs += USECS_PER_DAY;
    }
    if (days < FIRST_DAY)
        return NULL;
    bool bc = false;
    at = put_date(at, days, &bc);
    *at++ = ' ';
    at = put_word(put_time(at, (uint64_t)usecs), zone);
    return bc ? put_word(at, " BC") : at;
}

static char *put_time_value(char *at, uint64_t usecs)
{
    return usecs <= (uint64_t)USECS_PER_DAY ? put_time(at, usecs) : NULL; /* 24:00:00 is one */
}

/* ---- bytes in hexadecimal ------------------------------------------------------------------ */

typedef uint8_t Bytes16 __attribute__((vector_size(16)));

static inline Bytes16 hex_digits(Bytes16 nibbles)
{
    return nibbles + '0' + ((Bytes16)(nibbles > 9) & ('a' - '0' - 10));
}

/* 32 digits of 16 bytes. */
static inline void put_hex16(char *at, const uint8_t *data)
{
    Bytes16 bytes;
    memcpy(&bytes, data, sizeof(bytes));
    Bytes16 high = hex_digits(bytes >> 4);
    Bytes16 low = hex_digits(bytes & 15);
    Bytes16 first =
        __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    Bytes16 second = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                             29, 14, 30, 15, 31);
    memcpy(at, &first, sizeof(first));
    memcpy(at + 16, &second, sizeof(second));
}

static char *put_uuid(char *at, const uint8_t *data)
{
    char digits[32];
    put_hex16(digits, data);
    memcpy(at, digits, 8);
    at[8] = '-';
    memcpy(at + 9, digits + 8, 4);
    at[13] = '-';
    memcpy(at + 14, digits + 12, 4);
    at[18] = '-';
    memcpy(at + 19, digits + 16, 4);
    at[23] = '-';
    memcpy(at + 24, digits + 20, 12);
    return at + 36;
}

/* The value is \x..., of which COPY doubles the backslash. */
static bool put_bytea(Writer *writer, Field field)
{
    if (!room(writer, FIXED))
        return false;
    writer->at = put_word(writer->at, "\\\\x");
    while (field.length) {
        size_t piece = field.length < PIECE ? field.length : PIECE;
        if (!room(writer, 2 * piece + FIXED))
            return false;
        size_t done = 0;
        for (; piece - done >= 16; done += 16)
            put_hex16(writer->at + 2 * done, field.data + done);
        if (done < piece) {
            uint8_t rest[16] = {0};
            memcpy(rest, field.data + done, piece - done);
            put_hex16(writer->at + 2 * done, rest);
        }
        writer->at += 2 * piece;
        field.data += piece;
        field.length -= piece;
    }
    return true;
}

/* ---- text ---------------------------------------------------------------------------------- */

/* Is it one that COPY writes as two: a backslash, or one of \b \t \n \v \f \r? */
static inline bool is_escaped(uint8_t byte)
{
    return byte == '\\' || (uint8_t)(byte - '\b') <= '\r' - '\b';
}

static char *put_escaping(char *at, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_escaped(data[i])) {
            *at++ = '\\';
            *at++ = data[i] == '\\' ? '\\' : "btnvfr"[data[i] - '\b'];
        } else {
            *at++ = (char)data[i];
        }
    }
    return at;
}

/* Copies 16 bytes and says whether one of the first used ones needs more than that. */
static inline bool copy_plain16(char *at, const uint8_t *data, size_t used)
{
    static const Bytes16 places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    Bytes16 bytes;
    memcpy(&bytes, data, sizeof(bytes));
    memcpy(at, &bytes, sizeof(bytes));
    Bytes16 found = (Bytes16)(bytes == '\\') | (Bytes16)((bytes - '\b') <= ('\r' - '\b'));
    found &= (Bytes16)(places < (uint8_t)used);
    uint64_t halves[2];
    memcpy(halves, &found, sizeof(halves));
    return (halves[0] | halves[1]) == 0;
}

static bool put_text(Writer *writer, Field field)
{
    while (field.length) {
        size_t piece = field.length < PIECE ? field.length : PIECE;
        if (!room(writer, 2 * piece + FIXED))
            return false;
        char *at = writer->at;
        for (size_t done = 0; done < piece; done += 16) {
            size_t used = piece - done < 16 ? piece - done : 16;
            if (field.readable - done >= 16 && copy_plain16(at, field.data + done, used))
                at += used;
            else
                at = put_escaping(at, field.data + done, used);
        }
        writer->at = at;
        field.data += piece;
        field.length -= piece;
        field.readable -= piece;
    }
    return true;
}

/* ---- numeric ------------------------------------------------------------------------------- */

#define NUMERIC_NEGATIVE     0x4000
#define NUMERIC_NAN          0xC000
#define NUMERIC_INFINITY     0xD000
#define NUMERIC_NEG_INFINITY 0xF000
#define NUMERIC_MAX_SCALE    0x3FFF
#define NUMERIC_HEADER       8

/* Digits to the base of 10000; the first has the weight 10000 ^ weight. */
typedef struct {
    const uint8_t *digits;
    int32_t count;
    int32_t weight;
    int32_t scale; /* so many decimal digits stand after the point */
} Numeric;

/* The digit of the weight 10000 ^ weight. */
static inline uint32_t numeric_digit(const Numeric *number, int32_t weight)
{
    int32_t place = number->weight - weight;
    return place >= 0 && place < number->count ? read16(number->digits + 2 * (size_t)place) : 0;
}

static bool put_digits(Writer *writer, const Numeric *number)
{
    size_t whole = number->weight > 0 ? (size_t)number->weight : 0;
    if (!room(writer, 4 * whole + (size_t)number->scale + FIXED))
        return false;
    char *at = writer->at;
    uint32_t first = numeric_digit(number, (int32_t)whole);
    if (first > 9999)
        return false;
    at = put_unsigned(at, first);
    for (int32_t weight = (int32_t)whole - 1; weight >= 0; weight--) {
        uint32_t digit = numeric_digit(number, weight);
        if (digit > 9999)
            return false;
        at = put4(at, digit);
    }
    if (number->scale) {
        *at++ = '.';
        char *end = at + number->scale;
        for (int32_t weight = -1; at < end; weight--) {
            uint32_t digit = numeric_digit(number, weight);
            if (digit > 9999)
                return false;
            at = put4(at, digit);
        }
        at = end;
    }
    writer->at = at;
    return true;
}

static bool put_numeric(Writer *writer, Field field)
{
    if (field.length < NUMERIC_HEADER || !room(writer, FIXED))
        return false;
    Numeric number = {.digits = field.data + NUMERIC_HEADER,
                      .count = (int16_t)read16(field.data),
                      .weight = (int16_t)read16(field.data + 2),
                      .scale = read16(field.data + 6)};
    if (number.count < 0 || field.length != NUMERIC_HEADER + 2 * (size_t)number.count ||
        number.scale > NUMERIC_MAX_SCALE)
        return false;
    switch (read16(field.data + 4)) {
    case 0:
        return put_digits(writer, &number);
    case NUMERIC_NEGATIVE:
        *writer->at++ = '-';
        return put_digits(writer, &number);
    case NUMERIC_NAN:
        writer->at = put_word(writer->at, "NaN");
        return true;
    case NUMERIC_INFINITY:
        writer->at = put_word(writer->at, "Infinity");
        return true;
    case NUMERIC_NEG_INFINITY:
        writer->at = put_word(writer->at, "-Infinity");
        return true;
    default:
        return false;
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* How many bytes a value of this kind has; 0: it depends. */
static size_t fixed_length(ValueKind kind)
{
    switch (kind) {
    case VALUE_BOOL:
        return 1;
    case VALUE_INT2:
        return 2;
    case VALUE_INT4:
    case VALUE_OID:
    case VALUE_DATE:
        return 4;
    case VALUE_INT8:
    case VALUE_TIME:
    case VALUE_TIMESTAMP:
    case VALUE_TIMESTAMPTZ:
        return 8;
    case VALUE_UUID:
        return 16;
    default:
        return 0;
    }
}

/* A value of that many bytes; there is room for FIXED. NULL: it is none. */
static inline char *put_fixed(char *at, ValueKind kind, const uint8_t *data)
{
    switch (kind) {
    case VALUE_BOOL:
        *at = *data ? 't' : 'f';
        return *data <= 1 ? at + 1 : NULL;
    case VALUE_INT2:
        return put_signed(at, (int16_t)read16(data));
    case VALUE_INT4:
        return put_signed(at, (int32_t)read32(data));
    case VALUE_OID:
        return put_unsigned(at, read32(data));
    case VALUE_DATE:
        return put_date_value(at, (int32_t)read32(data));
    case VALUE_INT8:
        return put_signed(at, (int64_t)read64(data));
    case VALUE_TIME:
        return put_time_value(at, read64(data));
    case VALUE_TIMESTAMP:
        return put_timestamp(at, (int64_t)read64(data), "");
    case VALUE_TIMESTAMPTZ:
        return put_timestamp(at, (int64_t)read64(data), "+00");
    case VALUE_UUID:
        return put_uuid(at, data);
    default:
        return NULL;
    }
}

static bool put_varying(Writer *writer, ValueKind kind, Field field)
{
    switch (kind) {
    case VALUE_TEXT:
        return put_text(writer, field);
    case VALUE_BYTEA:
        return put_bytea(writer, field);
    case VALUE_NUMERIC:
        return put_numeric(writer, field);
    case VALUE_JSONB: /* behind the number of its format */
        if (!field.length || *field.data != 1)
            return false;
        return put_text(writer, (Field){field.data + 1, field.length - 1, field.readable - 1});
    default:
        return false;
    }
}

static inline bool put_value(Writer *writer, ValueKind kind, Field field)
{
    size_t fixed = fixed_length(kind);
    if (!fixed)
        return put_varying(writer, kind, field);
    if (field.length != fixed || !room(writer, FIXED))
        return false;
    writer->at = put_fixed(writer->at, kind, field.data);
    return writer->at;
}

/* Puts fields, each followed by a tab. */
static bool put_fields(Writer *writer, const ValueKind *kinds, size_t count, const uint8_t *at,
                       const uint8_t *end)
{
    for (size_t i = 0; i < count; i++) {
        if (end - at < 4)
            return false;
        uint32_t length = read32(at);
        at += 4;
        if (length == UINT32_MAX) { /* NULL */
            if (!room(writer, FIXED))
                return false;
            writer->at = put_word(writer->at, "\\N");
        } else {
            size_t readable = (size_t)(end - at);
            if (length > readable || !put_value(writer, kinds[i], (Field){at, length, readable}) ||
                !room(writer, FIXED))
                return false;
            at += length;
        }
        *writer->at++ = '\t';
    }
    return at == end;
}

bool row_text_append(const ValueKind *kinds, size_t count, const void *tuple, size_t length,
                     Buffer *text)
{
    const uint8_t *at = tuple;
    Writer writer = {.text = text};
    if (length < 2 || read16(at) != count || !reserve(&writer, FIXED) ||
        !put_fields(&writer, kinds, count, at + 2, at + length))
        return false;
    if (count)
        writer.at--; /* the last tab */
    *writer.at++ = '\n';
    buffer_commit(text, (size_t)(writer.at - text->data) - text->length);
    return true;
}
