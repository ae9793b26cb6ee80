/* The requests of which a multipart upload is made. */
#include "store/s3.h"

#include <string.h>

#define COPY_SILENCE_MS 600000 /* the server may put the parts together only now */

static void set_etag(char etag[ETAG_SIZE], const char *text)
{
    size_t quote = *text == '"';
    (void)snprintf(etag, ETAG_SIZE, "%.*s", (int)strcspn(text + quote, "\""), text + quote);
}

/* ---- beginning and end ---------------------------------------------------------------------- */

bool multipart_begin(Arena *arena, Multipart *multipart, const char *sha256, Error *err)
{
    _cleanup_answer_ Answer answer;
    XmlNode *root = NULL;
    SigPair query[] = {{"uploads", ""}};
    SigPair headers[] = {{"x-amz-meta-sha256", sha256}};
    S3Request request = {.method = "POST",
                         .name = multipart->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .headers = headers,
                         .header_count = sha256 ? COUNT_OF(headers) : 0,
                         .body = ""};
    answer_init(&answer);
    if (s3_request(multipart->store, multipart->connection, &request, &answer, err) != S3_OK ||
        !s3_answer_xml(arena, &answer, "InitiateMultipartUploadResult", &root, err))
        return false;
    multipart->id = xml_text(root, "UploadId");
    return *multipart->id ||
           error_set(err, ERR_FAILED, "%s began an upload without a name", multipart->store->url);
}

void multipart_abort(const Multipart *multipart)
{
    _cleanup_answer_ Answer answer;
    Error ignored = {0};
    SigPair query[] = {{"uploadId", multipart->id}};
    S3Request request = {.method = "DELETE",
                         .name = multipart->name,
                         .query = query,
                         .query_count = COUNT_OF(query)};
    answer_init(&answer);
    if (s3_request(multipart->store, multipart->connection, &request, &answer, &ignored) != S3_OK)
        log_debug(multipart->store->log, "an unfinished upload of %s stays: %s", multipart->name,
                  ignored.message);
}

static void add_escaped(Buffer *body, const char *text)
{
    for (; *text; text++) {
        if (*text == '&' || *text == '<' || *text == '>')
            (void)buffer_printf(body, "&#%d;", *text);
        else
            (void)buffer_append_char(body, *text);
    }
}

S3Outcome multipart_complete(Arena *arena, const Multipart *multipart,
                             const char (*etags)[ETAG_SIZE], size_t count, Error *err)
{
    _cleanup_answer_ Answer answer;
    _cleanup_buffer_ Buffer body;
    XmlNode *root = NULL;
    buffer_init(&body, BUFFER_MAX_FILE);
    (void)buffer_append_str(
        &body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < count; i++) {
        (void)buffer_printf(&body, "<Part><PartNumber>%zu</PartNumber><ETag>\"", i + 1);
        add_escaped(&body, etags[i]);
        (void)buffer_append_str(&body, "\"</ETag></Part>");
    }
    (void)buffer_append_str(&body, "</CompleteMultipartUpload>");
    SigPair query[] = {{"uploadId", multipart->id}};
    S3Request request = {.method = "POST",
                         .name = multipart->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .body = body.data,
                         .xml_answer = true,
                         .silence_ms = COPY_SILENCE_MS};
    answer_init(&answer);
    if (!buffer_check(&body, "the list of parts", err))
        return S3_FAILED;
    S3Outcome outcome = s3_request(multipart->store, multipart->connection, &request, &answer, err);
    if (outcome == S3_OK &&
        !s3_answer_xml(arena, &answer, "CompleteMultipartUploadResult", &root, err))
        return S3_FAILED;
    return outcome;
}

/* ---- parts ---------------------------------------------------------------------------------- */

bool multipart_send(const Multipart *multipart, size_t number, const S3File *file, int64_t offset,
                    int64_t length, const MultipartPace *pace, char etag[ETAG_SIZE], Error *err)
{
    _cleanup_answer_ Answer answer;
    char text[24];
    (void)snprintf(text, sizeof(text), "%zu", number);
    SigPair query[] = {{"partNumber", text}, {"uploadId", multipart->id}};
    S3Request request = {.method = "PUT",
                         .name = multipart->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .sends_file = true,
                         .descriptor = file->descriptor,
                         .path = file->path,
                         .offset = offset,
                         .length = length,
                         .bytes_per_second = pace->bytes_per_second,
                         .moved = pace->moved,
                         .context = pace->context};
    answer_init(&answer);
    if (s3_request(multipart->store, multipart->connection, &request, &answer, err) != S3_OK)
        return false;
    pace->moved(pace->context, length);
    set_etag(etag, answer.etag);
    return *etag || error_set(err, ERR_FAILED, "%s took part %zu of %s and did not name it",
                              multipart->store->url, number, multipart->name);
}

/* The headers that say what is copied. */
static void name_source(Arena *arena, const Store *store, const char *object, const PartRun *run,
                        SigPair headers[2])
{
    const S3 *s3 = store->own;
    const char *key = arena_printf(arena, "/%s/%s%s", s3->bucket, s3->prefix, object);
    headers[0] = (SigPair){"x-amz-copy-source", sigv4_encode(arena, key, true)};
    headers[1] = (SigPair){"x-amz-copy-source-range",
                           arena_printf(arena, "bytes=%lld-%lld", (long long)run->source,
                                        (long long)(run->source + run->length - 1))};
}

bool multipart_copy(const Multipart *multipart, size_t number, const S3File *file,
                    const PartRun *run, const char *object, bool *copied, char etag[ETAG_SIZE],
                    Error *why, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_answer_ Answer answer;
    XmlNode *root = NULL;
    char md5[HASH_HEX_SIZE];
    char there[ETAG_SIZE] = "";
    SigPair headers[2];
    SigPair query[] = {{"partNumber", arena_printf(arena, "%zu", number)},
                       {"uploadId", multipart->id}};
    S3Request request = {.method = "PUT",
                         .name = multipart->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .headers = headers,
                         .header_count = COUNT_OF(headers),
                         .body = "",
                         .xml_answer = true,
                         .silence_ms = COPY_SILENCE_MS};
    *copied = false;
    *why = (Error){0};
    answer_init(&answer);
    name_source(arena, multipart->store, object, run, headers);
    S3Outcome outcome = s3_request(multipart->store, multipart->connection, &request, &answer, why);
    if (outcome == S3_STOPPED || (outcome == S3_AWAY && !answer.status)) {
        *err = *why;
        return false;
    }
    if (!hash_range(file->descriptor, file->path, run->offset, run->length, HASH_MD5, md5, err))
        return false;
    if (outcome == S3_OK && s3_answer_xml(arena, &answer, "CopyPartResult", &root, why))
        set_etag(there, xml_text(root, "ETag"));
    *copied = str_equal(there, md5);
    if (*copied)
        (void)snprintf(etag, ETAG_SIZE, "%s", md5);
    else if (!*why->message)
        (void)error_set(why, ERR_FAILED, "they have other MD5s");
    return true;
}
