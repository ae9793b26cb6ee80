#include "store/sigv4.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/str.h"

#include <assert.h>
#include <string.h>

#define ALGORITHM   "AWS4-HMAC-SHA256"
#define DATE_LENGTH 8 /* of "20130524T000000Z" */

char *sigv4_encode(Arena *arena, const char *text, bool keep_slash)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc(arena, strlen(text) * 3 + 1);
    char *to = encoded;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (strchr(unreserved, *text) || (keep_slash && byte == '/')) {
            *to++ = *text;
            continue;
        }
        *to++ = '%';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return encoded;
}

static int compare_pairs(const void *a, const void *b)
{
    const SigPair *left = a;
    const SigPair *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->value, right->value);
}

char *sigv4_query(Arena *arena, const SigPair *query, size_t count)
{
    StrList parts;
    SigPair *pairs = arena_array(arena, count, sizeof(*pairs));
    str_list_init(&parts, arena);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = (SigPair){sigv4_encode(arena, query[i].name, false),
                             sigv4_encode(arena, query[i].value, false)};
    }
    if (count)
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < count; i++)
        str_list_addf(&parts, "%s=%s", pairs[i].name, pairs[i].value);
    return str_list_join(&parts, arena, "&");
}

char *sigv4_time(Arena *arena, int64_t unix_s)
{
    char *time = clock_name_utc(arena, unix_s); /* "20130524-000000" */
    assert(time[DATE_LENGTH] == '-');
    time[DATE_LENGTH] = 'T';
    return arena_printf(arena, "%sZ", time);
}

/* Without white space at its ends, and one space for each run of them within. */
static char *header_value(Arena *arena, const char *value)
{
    char *copy = str_trim(arena_strdup(arena, value));
    char *to = copy;
    for (const char *from = copy; *from; from++) {
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    }
    *to = '\0';
    return copy;
}

char *sigv4_canonical_request(Arena *arena, const SigRequest *request, char **signed_headers)
{
    StrList lines;
    StrList names;
    SigPair *headers = arena_array(arena, request->header_count, sizeof(*headers));
    str_list_init(&lines, arena);
    str_list_init(&names, arena);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = request->headers[i];
    if (request->header_count)
        qsort(headers, request->header_count, sizeof(*headers), compare_pairs);
    for (size_t i = 0; i < request->header_count; i++) {
        str_list_addf(&lines, "%s:%s\n", headers[i].name, header_value(arena, headers[i].value));
        str_list_add(&names, headers[i].name);
    }
    *signed_headers = str_list_join(&names, arena, ";");
    return arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s", request->method, request->path,
                        sigv4_query(arena, request->query, request->query_count),
                        str_list_join(&lines, arena, ""), *signed_headers, request->payload_sha256);
}

static char *scope(Arena *arena, const SigKey *key, const char *time)
{
    return arena_printf(arena, "%.*s/%s/%s/aws4_request", DATE_LENGTH, time, key->region,
                        key->service);
}

char *sigv4_string_to_sign(Arena *arena, const SigKey *key, const char *time,
                           const char *canonical_request)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(canonical_request, strlen(canonical_request), hex);
    return arena_printf(arena, ALGORITHM "\n%s\n%s\n%s", time, scope(arena, key, time), hex);
}

void sigv4_signature(const SigKey *key, const char *time, const char *string_to_sign,
                     char hex[HASH_HEX_SIZE])
{
    _cleanup_arena_ Arena *arena = arena_create();
    unsigned char mac[HASH_BYTES];
    const char *first = arena_printf(arena, "AWS4%s", key->secret_key);
    const char *const rest[] = {key->region, key->service, "aws4_request", string_to_sign};
    hash_hmac(first, strlen(first), time, DATE_LENGTH, mac);
    for (size_t i = 0; i < COUNT_OF(rest); i++)
        hash_hmac(mac, sizeof(mac), rest[i], strlen(rest[i]), mac);
    hash_to_hex(mac, sizeof(mac), hex);
}

char *sigv4_authorization(Arena *arena, const SigKey *key, const char *time,
                          const SigRequest *request)
{
    char *signed_headers = NULL;
    char signature[HASH_HEX_SIZE];
    const char *canonical = sigv4_canonical_request(arena, request, &signed_headers);
    sigv4_signature(key, time, sigv4_string_to_sign(arena, key, time, canonical), signature);
    return arena_printf(arena, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                        key->access_key, scope(arena, key, time), signed_headers, signature);
}
