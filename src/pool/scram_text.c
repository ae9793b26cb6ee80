#include "base/secret.h"
#include "pool/scram_internal.h"

bool scram_text(const void *data, size_t length, ScramText *text)
{
    const char *start = length ? data : "";
    if (length > SCRAM_MESSAGE_MAX || memchr(start, 0, length))
        return false;
    *text = (ScramText){.at = start, .end = start + length, .more = true};
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool scram_next(ScramText *text, char *name, const char **value, size_t *length)
{
    if (!text->more || text->end - text->at < 2 || !is_letter(text->at[0]) || text->at[1] != '=')
        return false;
    *name = text->at[0];
    *value = text->at + 2;
    const char *comma = memchr(*value, ',', (size_t)(text->end - *value));
    const char *end = comma ? comma : text->end;
    *length = (size_t)(end - *value);
    text->more = comma != NULL;
    text->at = comma ? comma + 1 : end;
    return true;
}

bool scram_expect(ScramText *text, char name, const char **value, size_t *length)
{
    char got = '\0';
    return scram_next(text, &got, value, length) && got == name;
}

bool scram_at_end(const ScramText *text)
{
    return !text->more && text->at == text->end;
}

bool scram_nonce_valid(const char *nonce, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (nonce[i] < 0x21 || nonce[i] > 0x7E || nonce[i] == ',')
            return false;
    }
    return length > 0;
}

void scram_nonce_put(Buffer *out)
{
    uint8_t bytes[SCRAM_NONCE_BYTES];
    secret_random(bytes, sizeof(bytes));
    (void)secret_base64_put(out, bytes, sizeof(bytes));
}
