#include "backup/row_line.h"

/* A field costs at most that many bytes more than twice its text: its length, and the most of a
 * value of fixed length, or the head of a numeric. */
#define FIELD_BYTES 32
#define FIELDS_MAX  1600 /* a table has no more */
/* A longer line has nothing to gain, and its lengths might not fit. */
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define TEXT_STEP      8 /* text is copied in such pieces, the last one past its end */
#define JSONB_VERSION  1
/* Days from 1970-01-01, and microseconds of a day. */
#define DAY_OF_2000 10957
#define DAY_US      INT64_C(86400000000)
#define SECOND_US   1000000

/* ---- text -------------------------------------------------------------------------------- */

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* How many of 8 bytes come before the first that is a backslash or below the blank. */
static unsigned plain_bytes(uint64_t bytes)
{
    uint64_t slashes = bytes ^ EVERY_BYTE('\\');
    uint64_t special =
        ((bytes - EVERY_BYTE(0x20)) & ~bytes) | ((slashes - EVERY_BYTE(1)) & ~slashes);
    special &= EVERY_BYTE(0x80);
    return special ? (unsigned)__builtin_ctzll(special) / 8 : TEXT_STEP;
}

/* Copies on to what is not plain. */
static void copy_plain(const RowLine *line, const char **from, uint8_t **to)
{
    const char *at = *from;
    uint8_t *out = *to;
    while (line->newline - at >= TEXT_STEP) {
        uint64_t bytes = 0;
        memcpy(&bytes, at, sizeof(bytes));
        unsigned plain = plain_bytes(le64toh(bytes));
        memcpy(out, &bytes, sizeof(bytes));
        at += plain;
        out += plain;
        if (plain < TEXT_STEP)
            break;
    }
    while ((unsigned char)*at >= 0x20 && *at != '\\')
        *out++ = (uint8_t)*at++;
    *from = at;
    *to = out;
}

/* What a backslash and this byte stand for; 0: nothing that a server writes. */
static uint8_t unescaped(char byte)
{
    switch (byte) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

/* Of a value whose first bytes are already there, up to out. */
static bool take_text(RowLine *line, uint8_t *out)
{
    const char *at = line->at;
    for (;;) {
        copy_plain(line, &at, &out);
        uint8_t byte = (uint8_t)*at;
        if (byte == '\t' || byte == '\n')
            break;
        if (byte == '\\')
            byte = unescaped(*++at);
        else if (byte >= '\b' && byte <= '\r')
            return false; /* a server escapes it; some take it for the end of the line */
        if (!byte)
            return false;
        *out++ = byte;
        at++;
    }
    line->at = at;
    row_end_field(line, out);
    return true;
}

static bool take_jsonb(RowLine *line)
{
    line->out[4] = JSONB_VERSION;
    return take_text(line, line->out + 5);
}

/* ---- hexadecimal digits ------------------------------------------------------------------ */

static bool skip_all(RowLine *line, const char *text)
{
    while (*text && row_skip(line, *text))
        text++;
    return !*text;
}

/* Small letters, as the server writes them. Each is one more than its value: 0 is none. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* A byte of two digits; false where one is none. */
static bool hex_byte(const char *digits, uint8_t *byte)
{
    unsigned high = hex_digits[(uint8_t)digits[0]];
    unsigned low = hex_digits[(uint8_t)digits[1]];
    *byte = (uint8_t)((high - 1) << 4 | (low - 1));
    return high && low;
}

#define UUID_TEXT_BYTES 36

static bool take_uuid(RowLine *line)
{
    static const uint8_t places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    const char *at = line->at;
    bool right = true;
    if (line->newline - at < UUID_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < sizeof(places); i++)
        right &= hex_byte(at + places[i], &line->out[4 + i]);
    if (!right || at[8] != '-' || at[13] != '-' || at[18] != '-' || at[23] != '-')
        return false;
    line->at += UUID_TEXT_BYTES;
    row_end_field(line, line->out + 4 + sizeof(places));
    return true;
}

/* "\x00ff", its backslash escaped. */
static bool take_bytea(RowLine *line)
{
    uint8_t *out = line->out + 4;
    if (!skip_all(line, "\\\\x"))
        return false;
    for (; *line->at != '\t' && *line->at != '\n'; line->at += 2) {
        if (!hex_byte(line->at, out++))
            return false;
    }
    row_end_field(line, out);
    return true;
}

/* ---- dates and times --------------------------------------------------------------------- */

/* So many digits. */
static bool take_digits(RowLine *line, int count, unsigned *value)
{
    *value = 0;
    for (; count; count--, line->at++) {
        if (!row_is_digit(*line->at))
            return false;
        *value = *value * 10 + (unsigned)(*line->at - '0');
    }
    return true;
}

/* Since 1970-01-01, by the Gregorian calendar. Years begin in March, so that a leap day is the last
 * of its year. */
static int count_days(int year, int month, int day)
{
    year -= month <= 2;
    month += month <= 2 ? 9 : -3;
    int century = year / 100;
    return year * 365 + year / 4 - century + century / 4 + (153 * month + 2) / 5 + day - 719469;
}

static bool is_leap_year(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 2000-01-01 of a year from 0001 to 9999. */
static bool take_days(RowLine *line, int *days)
{
    static const uint8_t lengths[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (!take_digits(line, 4, &year) || !row_skip(line, '-') || !take_digits(line, 2, &month) ||
        !row_skip(line, '-') || !take_digits(line, 2, &day))
        return false;
    if (!year || month < 1 || month > 12 || day < 1 ||
        day > lengths[month] + (unsigned)(month == 2 && is_leap_year(year)))
        return false;
    *days = count_days((int)year, (int)month, (int)day) - DAY_OF_2000;
    return true;
}

/* Microseconds of a day, below 24:00; a fraction has at most six digits, no zeros at its end. */
static bool take_clock(RowLine *line, int64_t *time)
{
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    if (!take_digits(line, 2, &hour) || !row_skip(line, ':') || !take_digits(line, 2, &minute) ||
        !row_skip(line, ':') || !take_digits(line, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *time = (int64_t)(hour * 3600 + minute * 60 + second) * SECOND_US;
    if (!row_skip(line, '.'))
        return true;
    const char *fraction = line->at;
    for (int64_t unit = SECOND_US / 10; unit && row_is_digit(*line->at); unit /= 10, line->at++)
        *time += unit * (*line->at - '0');
    return line->at > fraction && line->at[-1] != '0';
}

static bool take_date(RowLine *line)
{
    int days = 0;
    if (!take_days(line, &days))
        return false;
    row_add_field32(line, (uint32_t)days);
    return true;
}

static bool take_time(RowLine *line)
{
    int64_t time = 0;
    if (!take_clock(line, &time))
        return false;
    row_add_field64(line, (uint64_t)time);
    return true;
}

static bool take_timestamp(RowLine *line, bool in_utc)
{
    int days = 0;
    int64_t time = 0;
    if (!take_days(line, &days) || !row_skip(line, ' ') || !take_clock(line, &time))
        return false;
    if (in_utc && !skip_all(line, "+00"))
        return false;
    row_add_field64(line, (uint64_t)(days * DAY_US + time));
    return true;
}

/* ---- lines ------------------------------------------------------------------------------- */

static bool take_null(RowLine *line)
{
    const char *at = line->at;
    if (at[0] != '\\' || at[1] != 'N' || (at[2] != '\t' && at[2] != '\n'))
        return false;
    line->at += 2;
    row_put32(line->out, UINT32_MAX);
    line->out += 4;
    return true;
}

static bool take_value(RowLine *line, ValueKind kind)
{
    switch (kind) {
    case VALUE_UNKNOWN:
        return false;
    case VALUE_BOOL:
        return row_take_bool(line);
    case VALUE_INT2:
        return row_take_int2(line);
    case VALUE_INT4:
        return row_take_int4(line);
    case VALUE_INT8:
        return row_take_int8(line);
    case VALUE_OID:
        return row_take_oid(line);
    case VALUE_FLOAT4:
        return row_take_float4(line);
    case VALUE_FLOAT8:
        return row_take_float8(line);
    case VALUE_NUMERIC:
        return row_take_numeric(line);
    case VALUE_TEXT:
        return take_text(line, line->out + 4);
    case VALUE_BYTEA:
        return take_bytea(line);
    case VALUE_UUID:
        return take_uuid(line);
    case VALUE_DATE:
        return take_date(line);
    case VALUE_TIME:
        return take_time(line);
    case VALUE_TIMESTAMP:
        return take_timestamp(line, false);
    case VALUE_TIMESTAMPTZ:
        return take_timestamp(line, true);
    case VALUE_JSONB:
        break;
    }
    return take_jsonb(line);
}

static bool take_fields(RowLine *line, const ValueKind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i && !row_skip(line, '\t'))
            return false;
        if (!take_null(line) && !take_value(line, kinds[i]))
            return false;
    }
    return line->at == line->newline;
}

bool row_binary_append(const ValueKind *kinds, size_t count, const char *line, size_t length,
                       Buffer *binary)
{
    if (!count || count > FIELDS_MAX || !length || length > LINE_MAX_BYTES ||
        line[length - 1] != '\n')
        return false;
    char *out = buffer_reserve(binary, 2 + count * FIELD_BYTES + 2 * length);
    if (!out)
        return false;
    RowLine taken = {.at = line, .newline = line + length - 1, .out = (uint8_t *)out};
    row_put16(taken.out, (uint16_t)count);
    taken.out += 2;
    if (!take_fields(&taken, kinds, count)) {
        *out = '\0'; /* which ends what was there */
        return false;
    }
    buffer_commit(binary, (size_t)(taken.out - (uint8_t *)out));
    return true;
}
