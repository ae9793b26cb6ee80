#include "store/s3.h"

#include "base/clock.h"
#include "base/interrupt.h"

#include <string.h>

#define FIRST_PAUSE_MS    500
#define LONGEST_PAUSE_MS  30000
#define SILENCE_MS        60000
#define SKEW_TOLERATED_S  300 /* S3 refuses at 900 */
#define CONTENT_MD5_SIZE  25
#define NO_CONTENT_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* One request over its tries. */
typedef struct {
    Store *store;
    S3 *s3;
    const S3Request *request;
    Connection *connection;
    Answer *answer;
    char payload_sha256[HASH_HEX_SIZE];
    char content_md5[CONTENT_MD5_SIZE]; /* of a file; "" */
    char etag[128];  /* of the object that is being read: its second half must be of the same */
    int64_t saved;   /* bytes in the file after all tries */
    int64_t base;    /* of those, before this try */
    bool skew_fixed; /* once is enough */
    int tries;
} Attempt;

/* RFC 1864: the sixteen bytes in base64. */
static void write_content_md5(const char *hex, char text[CONTENT_MD5_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char hex_digits[] = "0123456789abcdef";
    size_t length = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (; *hex; hex++) {
        bits = bits << 4 | (uint32_t)(strchr(hex_digits, *hex) - hex_digits);
        for (have += 4; have >= 6; have -= 6)
            text[length++] = digits[bits >> (have - 6) & 63];
    }
    text[length++] = digits[bits << (6 - have) & 63]; /* 128 bits are 21 times 6, and 2 */
    text[length++] = '=';
    text[length++] = '=';
    text[length] = '\0';
}

static bool hash_payload(Attempt *attempt, Error *err)
{
    const S3Request *request = attempt->request;
    if (request->sends_file) {
        char md5[HASH_HEX_SIZE];
        if (!hash_range(request->descriptor, request->path, request->offset, request->length,
                        HASH_SHA256, attempt->payload_sha256, err) ||
            !hash_range(request->descriptor, request->path, request->offset, request->length,
                        HASH_MD5, md5, err))
            return false;
        write_content_md5(md5, attempt->content_md5);
        return true;
    }
    if (request->body)
        hash_bytes(request->body, strlen(request->body), attempt->payload_sha256);
    else
        (void)snprintf(attempt->payload_sha256, HASH_HEX_SIZE, "%s", NO_CONTENT_SHA256);
    return true;
}

typedef struct {
    Arena *arena;
    SigPair *items;
    size_t count, capacity;
} Pairs;

static void add_pair(Pairs *pairs, const char *name, const char *value)
{
    SigPair pair = {name, value};
    ARENA_PUSH(pairs->arena, pairs->items, pairs->count, pairs->capacity, pair);
}

static void add_range(const Attempt *attempt, Pairs *headers)
{
    const S3Request *request = attempt->request;
    if (request->wants_range) {
        add_pair(headers, "range",
                 arena_printf(headers->arena, "bytes=%lld-%lld", (long long)request->offset,
                              (long long)(request->offset + request->length - 1)));
    } else if (request->saves && attempt->saved) {
        add_pair(headers, "range",
                 arena_printf(headers->arena, "bytes=%lld-", (long long)attempt->saved));
        if (*attempt->etag)
            add_pair(headers, "if-match", attempt->etag);
    }
}

/* The headers of this moment, signed, as lines. */
static void sign(Arena *arena, const Attempt *attempt, const char *path, StrList *lines)
{
    const S3 *s3 = attempt->s3;
    const S3Request *request = attempt->request;
    const char *time = sigv4_time(arena, clock_unix_s() + s3->skew_s);
    Pairs headers = {.arena = arena};
    add_pair(&headers, "host", s3->host);
    add_pair(&headers, "x-amz-content-sha256", attempt->payload_sha256);
    add_pair(&headers, "x-amz-date", time);
    if (s3->session_token)
        add_pair(&headers, "x-amz-security-token", s3->session_token);
    if (request->body)
        add_pair(&headers, "content-type", "application/xml");
    else if (request->sends_file)
        add_pair(&headers, "content-type", "application/octet-stream");
    if (*attempt->content_md5) /* a bucket with an Object Lock wants it */
        add_pair(&headers, "content-md5", attempt->content_md5);
    for (size_t i = 0; i < request->header_count; i++)
        add_pair(&headers, request->headers[i].name, request->headers[i].value);
    add_range(attempt, &headers);
    SigRequest signing = {.method = request->method,
                          .path = path,
                          .query = request->query,
                          .query_count = request->query_count,
                          .headers = headers.items,
                          .header_count = headers.count,
                          .payload_sha256 = attempt->payload_sha256};
    str_list_init(lines, arena);
    for (size_t i = 0; i < headers.count; i++)
        str_list_addf(lines, "%s: %s", headers.items[i].name, headers.items[i].value);
    str_list_addf(lines, "authorization: %s", sigv4_authorization(arena, &s3->key, time, &signing));
}

static const char *request_path(Arena *arena, const S3 *s3, const S3Request *request)
{
    if (!request->name)
        return s3->base;
    const char *key = arena_printf(arena, "%s%s", s3->prefix, request->name);
    return arena_printf(arena, "%s%s", s3->base, sigv4_encode(arena, key, true));
}

/* One try: false only for Ctrl-C. */
static bool send_once(Attempt *attempt, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const S3Request *request = attempt->request;
    const char *path = request_path(arena, attempt->s3, request);
    const char *query = sigv4_query(arena, request->query, request->query_count);
    StrList lines;
    sign(arena, attempt, path, &lines);
    Transfer transfer = {
        .method = request->method,
        .url = arena_printf(arena, "%s%s%s%s", attempt->s3->origin, path, *query ? "?" : "", query),
        .headers = &lines,
        .body = request->body,
        .descriptor = request->sends_file ? request->descriptor : -1,
        .offset = request->offset,
        .length = request->body ? (int64_t)strlen(request->body) : request->length,
        .save = request->saves ? request->descriptor : -1,
        .save_offset = attempt->saved,
        .bytes_per_second = request->bytes_per_second,
        .silence_ms = request->silence_ms ? request->silence_ms : SILENCE_MS,
        .moved = request->moved,
        .context = request->context,
    };
    answer_free(attempt->answer);
    answer_init(attempt->answer);
    attempt->tries++;
    attempt->base = attempt->saved;
    bool obeyed = connection_perform(attempt->connection, &transfer, attempt->answer, err);
    attempt->saved += attempt->answer->saved;
    if (*attempt->answer->etag && !*attempt->etag)
        (void)snprintf(attempt->etag, sizeof(attempt->etag), "%s", attempt->answer->etag);
    return obeyed;
}

/* ---- what an answer means ----------------------------------------------------------------- */

/* What the server says went wrong; "" where it says nothing. */
typedef struct {
    const char *code;
    const char *message;
} Complaint;

static Complaint read_complaint(Arena *arena, const Answer *answer)
{
    Complaint complaint = {"", ""};
    XmlNode *root = NULL;
    Error ignored = {0};
    if (!answer->body.length ||
        !xml_parse(arena, answer->body.data, answer->body.length, &root, &ignored) ||
        !str_equal(root->name, "Error"))
        return complaint;
    complaint.code = str_one_line(arena, xml_text(root, "Code"), 60);
    complaint.message = str_one_line(arena, xml_text(root, "Message"), 300);
    return complaint;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (str_equal(word, *words))
            return true;
    }
    return false;
}

/* An answer that another try can change. */
static bool is_passing(const Attempt *attempt, const Complaint *complaint)
{
    static const char *const codes[] = {
        "InternalError", "ServiceUnavailable",   "SlowDown",         "RequestTimeout",
        "Throttling",    "RequestLimitExceeded", "OperationAborted", NULL};
    const Answer *answer = attempt->answer;
    if (!answer->status)
        return answer->again;
    return is_one_of(complaint->code, codes) || answer->status == 408 || answer->status == 429 ||
           (answer->status >= 500 && answer->status != 501);
}

/* A signature is good for 15 minutes. When our clock is wrong the server's own Date says by how
 * much. */
static bool mend_clock(Attempt *attempt)
{
    const Answer *answer = attempt->answer;
    if (answer->status != 403 || !answer->date || attempt->skew_fixed)
        return false;
    int64_t skew_s = answer->date - clock_unix_s();
    int64_t change_s = skew_s - attempt->s3->skew_s;
    if (change_s >= -SKEW_TOLERATED_S && change_s <= SKEW_TOLERATED_S)
        return false;
    attempt->s3->skew_s = skew_s;
    attempt->skew_fixed = true;
    return true;
}

/* A 2xx that is what was asked for. */
static bool is_good(const Attempt *attempt, const Complaint *complaint)
{
    const Answer *answer = attempt->answer;
    if (answer->status < 200 || answer->status > 299)
        return false;
    if (attempt->request->saves && attempt->base)
        return answer->status == 206;
    return !attempt->request->xml_answer || !*complaint->code;
}

static void add_hint(const Attempt *attempt, const char *code, Error *err)
{
    static const char *const keys[] = {"SignatureDoesNotMatch", "InvalidAccessKeyId",
                                       "AccessDenied",          "ExpiredToken",
                                       "InvalidToken",          NULL};
    static const char *const regions[] = {"AuthorizationHeaderMalformed", "PermanentRedirect",
                                          "IllegalLocationConstraintException", NULL};
    const char *region = attempt->answer->region;
    if (is_one_of(code, keys) || (!*code && attempt->answer->status == 403))
        (void)error_hint(err, "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the "
                              "credentials file), and what they may do in this bucket");
    else if (is_one_of(code, regions) || attempt->answer->status == 301)
        (void)error_hint(err, "set s3_region = %s in vaxdb.ini",
                         *region ? region : "the region of the bucket");
    else if (str_equal(code, "NoSuchBucket"))
        (void)error_hint(err, "make the bucket, or mend backup_url");
}

/* Fills err with what happened. */
static S3Outcome explain(const Attempt *attempt, const Complaint *complaint, bool passing,
                         Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const Answer *answer = attempt->answer;
    const S3Request *request = attempt->request;
    const char *url = attempt->store->url;
    const char *what = arena_printf(arena, "%s%s%s", request->method, request->name ? " " : "",
                                    request->name ? request->name : "");
    ErrorCode code = passing ? ERR_UNREACHABLE : answer->status == 403 ? ERR_REFUSED : ERR_FAILED;
    if (!answer->status) {
        (void)error_set(err, code, "%s: %s did not succeed: %s", url, what, answer->failure);
        if (passing)
            (void)error_hint(err, "it was tried %d times; type it again when the network is back",
                             attempt->tries);
        return passing ? S3_AWAY : S3_FAILED;
    }
    if (answer->status >= 200 && answer->status <= 299 && !*complaint->code) {
        (void)error_set(err, ERR_FAILED, "%s: %s: the server does not continue where it was cut",
                        url, what);
        return S3_FAILED;
    }
    (void)error_set(err, code, "%s: %s: the server answers %ld%s%s%s%s", url, what, answer->status,
                    *complaint->code ? " " : "", complaint->code, *complaint->message ? ": " : "",
                    complaint->message);
    add_hint(attempt, complaint->code, err);
    if (passing)
        return S3_AWAY;
    return answer->status == 404 ? S3_MISSING : answer->status == 403 ? S3_DENIED : S3_FAILED;
}

S3Outcome s3_request(Store *store, Connection *connection, const S3Request *request, Answer *answer,
                     Error *err)
{
    Attempt attempt = {.store = store,
                       .s3 = store->own,
                       .request = request,
                       .connection = connection,
                       .answer = answer};
    int64_t pause_ms = FIRST_PAUSE_MS;
    int64_t until = clock_monotonic_ms() + store->settings.retry_ms;
    if (!hash_payload(&attempt, err))
        return S3_FAILED;
    for (;;) {
        _cleanup_arena_ Arena *arena = arena_create();
        if (!send_once(&attempt, err))
            return S3_STOPPED;
        Complaint complaint = read_complaint(arena, answer);
        if (is_good(&attempt, &complaint)) {
            answer->saved = attempt.saved;
            return S3_OK;
        }
        if (mend_clock(&attempt))
            continue;
        bool passing = is_passing(&attempt, &complaint);
        if (attempt.saved > attempt.base) { /* it moves: patience begins anew */
            until = clock_monotonic_ms() + store->settings.retry_ms;
            pause_ms = FIRST_PAUSE_MS;
        }
        int64_t wait_ms = clock_jittered_ms(pause_ms);
        if (!passing || clock_monotonic_ms() + wait_ms > until)
            return explain(&attempt, &complaint, passing, err);
        if (!clock_sleep_ms(wait_ms) && !interrupt_check(err))
            return S3_STOPPED;
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

bool s3_connection(S3 *s3, Connection **connection, Error *err)
{
    if (!s3->connection && !connection_open(&s3->connection, err))
        return false;
    *connection = s3->connection;
    return true;
}

bool s3_call(Store *store, const S3Request *request, Answer *answer, Error *err)
{
    Connection *connection = NULL;
    return s3_connection(store->own, &connection, err) &&
           s3_request(store, connection, request, answer, err) == S3_OK;
}

bool s3_answer_xml(Arena *arena, const Answer *answer, const char *name, XmlNode **root, Error *err)
{
    if (!xml_parse(arena, answer->body.data, answer->body.length, root, err))
        return error_context(err, "the answer of the S3 server");
    if (!str_equal((*root)->name, name))
        return error_set(err, ERR_FAILED, "the S3 server answered <%s> where <%s> was expected",
                         str_one_line(arena, (*root)->name, 40), name);
    return true;
}
