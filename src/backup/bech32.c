#include "backup/bech32.h"

#include <ctype.h>
#include <string.h>

#define CHECK_DIGITS    6
#define NAME_MAX_LENGTH 16
#define DIGITS_MAX      128

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t step(uint32_t sum, uint32_t value)
{
    static const uint32_t generator[] = {0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD,
                                         0x2A1462B3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1FFFFFF) << 5 ^ value;
    for (size_t i = 0; i < COUNT_OF(generator); i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

/* Over the name and digits; 1 of a text with its checksum. */
static uint32_t checksum(const char *name, const uint8_t *digits, size_t count)
{
    uint32_t sum = 1;
    for (const char *c = name; *c; c++)
        sum = step(sum, (uint32_t)*c >> 5);
    sum = step(sum, 0);
    for (const char *c = name; *c; c++)
        sum = step(sum, (uint32_t)*c & 31);
    for (size_t i = 0; i < count; i++)
        sum = step(sum, digits[i]);
    return sum;
}

char *bech32_encode(Arena *arena, const char *name, const uint8_t *bytes, size_t length)
{
    size_t count = (length * 8 + 4) / 5;
    uint8_t *digits = arena_alloc(arena, count + CHECK_DIGITS);
    for (size_t bit = 0; bit < length * 8; bit++) {
        if (bytes[bit / 8] >> (7 - bit % 8) & 1)
            digits[bit / 5] |= (uint8_t)(16 >> bit % 5);
    }
    uint32_t sum = checksum(name, digits, count + CHECK_DIGITS) ^ 1;
    for (size_t i = 0; i < CHECK_DIGITS; i++)
        digits[count + i] = (uint8_t)(sum >> 5 * (CHECK_DIGITS - 1 - i) & 31);
    char *text = arena_alloc(arena, strlen(name) + 1 + count + CHECK_DIGITS + 1);
    char *at = stpcpy(text, name);
    *at++ = '1';
    for (size_t i = 0; i < count + CHECK_DIGITS; i++)
        *at++ = alphabet[digits[i]];
    return text;
}

/* Lower case into lowered; false where both cases are mixed. */
static bool lower(const char *text, char *lowered)
{
    bool small = false;
    bool large = false;
    for (; *text; text++) {
        small = small || islower((unsigned char)*text);
        large = large || isupper((unsigned char)*text);
        *lowered++ = (char)tolower((unsigned char)*text);
    }
    *lowered = '\0';
    return !(small && large);
}

bool bech32_decode(const char *text, const char *name, uint8_t *bytes, size_t length)
{
    char lowered[NAME_MAX_LENGTH + 1 + DIGITS_MAX + 1];
    uint8_t digits[DIGITS_MAX] = {0};
    size_t name_length = strlen(name);
    size_t count = (length * 8 + 4) / 5;
    if (name_length > NAME_MAX_LENGTH || count + CHECK_DIGITS > DIGITS_MAX ||
        strlen(text) != name_length + 1 + count + CHECK_DIGITS || !lower(text, lowered) ||
        strncmp(lowered, name, name_length) != 0 || lowered[name_length] != '1')
        return false;
    for (size_t i = 0; i < count + CHECK_DIGITS; i++) {
        const char *found = strchr(alphabet, lowered[name_length + 1 + i]);
        if (!found)
            return false;
        digits[i] = (uint8_t)(found - alphabet);
    }
    if (checksum(name, digits, count + CHECK_DIGITS) != 1)
        return false;
    memset(bytes, 0, length);
    for (size_t bit = 0; bit < count * 5; bit++) {
        bool set = digits[bit / 5] >> (4 - bit % 5) & 1;
        if (bit >= length * 8 && set)
            return false; /* what is left over is 0: each key has one text */
        if (set)
            bytes[bit / 8] |= (uint8_t)(128 >> bit % 8);
    }
    return true;
}
