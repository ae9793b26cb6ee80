/* Uploads in parts: several at once, continued where an earlier one stopped, and composed of what
 * the server has where that is known. */
#include "store/s3.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define COMPLETE_SILENCE_MS 600000 /* the server may put the parts together only now */
#define LOOK_MS             100

typedef struct {
    PartPlan plan;
    char etag[128]; /* as the server names it, without quotes; "": not there yet */
} Part;

typedef struct {
    Store *store;
    Arena *arena;
    const S3File *file;
    const char *source; /* the object that parts are copied from */
    const char *id;     /* of the upload, as the server calls it */
    Part *parts;
    size_t count;
    size_t workers;
    _Atomic int64_t moved;      /* bytes that are there or on their way */
    _Atomic int64_t sent;       /* over the wire */
    _Atomic bool copies_failed; /* once: the rest is sent */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t next;
    size_t running;
    bool failed;
    Error failure; /* the first */
} Upload;

static void plan_parts(Upload *upload, const StoreReuse *reuse)
{
    PartPlan *plan = parts_plan(upload->arena, upload->file->size, reuse, &upload->count);
    upload->source = reuse ? reuse->object : NULL;
    upload->parts = arena_array(upload->arena, upload->count, sizeof(*upload->parts));
    for (size_t i = 0; i < upload->count; i++)
        upload->parts[i].plan = plan[i];
}

static void set_etag(Part *part, const char *etag)
{
    size_t quote = *etag == '"';
    (void)snprintf(part->etag, sizeof(part->etag), "%.*s", (int)strcspn(etag + quote, "\""),
                   etag + quote);
}

/* ---- an upload that an earlier run left ---------------------------------------------------- */

/* Of all unfinished uploads of this object: the one begun last to *newest, the others to stale.
 * What may not be listed is not there. */
static bool find_uploads(Upload *upload, const char **newest, StrList *stale, Error *err)
{
    _cleanup_answer_ Answer answer;
    Connection *connection = NULL;
    const S3 *s3 = upload->store->own;
    const char *key = arena_printf(upload->arena, "%s%s", s3->prefix, upload->file->name);
    const char *begun = "";
    XmlNode *root = NULL;
    Error failure = {0};
    SigPair query[] = {{"uploads", ""}, {"prefix", key}};
    S3Request request = {.method = "GET", .query = query, .query_count = COUNT_OF(query)};
    answer_init(&answer);
    str_list_init(stale, upload->arena);
    *newest = NULL;
    if (!s3_connection(upload->store->own, &connection, err))
        return false;
    S3Outcome outcome = s3_request(upload->store, connection, &request, &answer, &failure);
    if (outcome == S3_AWAY || outcome == S3_STOPPED) {
        *err = failure;
        return false;
    }
    if (outcome != S3_OK ||
        !s3_answer_xml(upload->arena, &answer, "ListMultipartUploadsResult", &root, &failure))
        return true;
    for (const XmlNode *node = xml_child(root, "Upload"); node; node = xml_next(node)) {
        const char *id = xml_text(node, "UploadId");
        const char *initiated = xml_text(node, "Initiated");
        if (!str_equal(xml_text(node, "Key"), key) || !*id)
            continue;
        bool newer = !*newest || strcmp(initiated, begun) > 0;
        if (!newer)
            str_list_add(stale, id);
        else if (*newest)
            str_list_add(stale, *newest);
        if (newer) {
            *newest = id;
            begun = initiated;
        }
    }
    return true;
}

/* One part that the server has: ours when length and MD5 are. A server that names parts by
 * something else gets them again. */
static bool take_part(Upload *upload, const XmlNode *node, Error *err)
{
    char md5[HASH_HEX_SIZE];
    int64_t number = 0;
    int64_t bytes = 0;
    Part there = {0};
    if (!str_to_int64(xml_text(node, "PartNumber"), 1, (int64_t)upload->count, &number) ||
        !str_to_int64(xml_text(node, "Size"), 0, INT64_MAX, &bytes))
        return true;
    Part *part = &upload->parts[number - 1];
    set_etag(&there, xml_text(node, "ETag"));
    if (bytes != part->plan.length)
        return true;
    if (!hash_range(upload->file->descriptor, upload->file->path, part->plan.offset,
                    part->plan.length, HASH_MD5, md5, err))
        return false;
    if (str_equal(md5, there.etag))
        set_etag(part, there.etag);
    return true;
}

/* Marks the parts of upload->id that are there. An upload that is gone has none. */
static bool take_parts(Upload *upload, bool *gone, Error *err)
{
    Connection *connection = NULL;
    const char *marker = "0";
    *gone = false;
    if (!s3_connection(upload->store->own, &connection, err))
        return false;
    for (;;) {
        _cleanup_answer_ Answer answer;
        XmlNode *root = NULL;
        Error failure = {0};
        SigPair query[] = {{"uploadId", upload->id}, {"part-number-marker", marker}};
        S3Request request = {.method = "GET",
                             .name = upload->file->name,
                             .query = query,
                             .query_count = COUNT_OF(query)};
        answer_init(&answer);
        S3Outcome outcome = s3_request(upload->store, connection, &request, &answer, &failure);
        if (outcome == S3_AWAY || outcome == S3_STOPPED) {
            *err = failure;
            return false;
        }
        *gone = outcome != S3_OK ||
                !s3_answer_xml(upload->arena, &answer, "ListPartsResult", &root, &failure);
        if (*gone)
            return true;
        for (const XmlNode *node = xml_child(root, "Part"); node; node = xml_next(node)) {
            if (!take_part(upload, node, err))
                return false;
        }
        const char *next = xml_text(root, "NextPartNumberMarker");
        if (!str_equal(xml_text(root, "IsTruncated"), "true") || !*next || str_equal(next, marker))
            return true;
        marker = next;
    }
}

/* ---- beginning and end ---------------------------------------------------------------------- */

static bool begin(Upload *upload, Error *err)
{
    _cleanup_answer_ Answer answer;
    XmlNode *root = NULL;
    SigPair query[] = {{"uploads", ""}};
    SigPair headers[] = {{"x-amz-meta-sha256", upload->file->sha256}};
    S3Request request = {.method = "POST",
                         .name = upload->file->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .headers = headers,
                         .header_count = COUNT_OF(headers),
                         .body = ""};
    answer_init(&answer);
    if (!s3_call(upload->store, &request, &answer, err) ||
        !s3_answer_xml(upload->arena, &answer, "InitiateMultipartUploadResult", &root, err))
        return false;
    upload->id = xml_text(root, "UploadId");
    return *upload->id ||
           error_set(err, ERR_FAILED, "%s began an upload without a name", upload->store->url);
}

static void abort_upload(Upload *upload, const char *id)
{
    _cleanup_answer_ Answer answer;
    Error ignored = {0};
    SigPair query[] = {{"uploadId", id}};
    S3Request request = {.method = "DELETE",
                         .name = upload->file->name,
                         .query = query,
                         .query_count = COUNT_OF(query)};
    answer_init(&answer);
    if (!s3_call(upload->store, &request, &answer, &ignored))
        log_debug(upload->store->log, "an unfinished upload of %s stays: %s", upload->file->name,
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

static bool complete(Upload *upload, Error *err)
{
    _cleanup_answer_ Answer answer;
    _cleanup_buffer_ Buffer body;
    Connection *connection = NULL;
    XmlNode *root = NULL;
    Error failure = {0};
    buffer_init(&body, BUFFER_MAX_FILE);
    (void)buffer_append_str(
        &body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < upload->count; i++) {
        (void)buffer_printf(&body, "<Part><PartNumber>%zu</PartNumber><ETag>\"", i + 1);
        add_escaped(&body, upload->parts[i].etag);
        (void)buffer_append_str(&body, "\"</ETag></Part>");
    }
    (void)buffer_append_str(&body, "</CompleteMultipartUpload>");
    SigPair query[] = {{"uploadId", upload->id}};
    S3Request request = {.method = "POST",
                         .name = upload->file->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .body = body.data,
                         .xml_answer = true,
                         .silence_ms = COMPLETE_SILENCE_MS};
    answer_init(&answer);
    if (!buffer_check(&body, "the list of parts", err) ||
        !s3_connection(upload->store->own, &connection, err))
        return false;
    S3Outcome outcome = s3_request(upload->store, connection, &request, &answer, &failure);
    bool seen = false;
    if (outcome == S3_OK)
        return s3_answer_xml(upload->arena, &answer, "CompleteMultipartUploadResult", &root, err) &&
               s3_confirm(upload->store, upload->file->name, upload->file->size,
                          upload->file->sha256, &seen, err);
    *err = failure;
    /* No such upload: an earlier try may have done it, and its answer been lost on the way. */
    Error ignored = {0};
    return outcome == S3_MISSING &&
           s3_confirm(upload->store, upload->file->name, upload->file->size, upload->file->sha256,
                      &seen, &ignored) &&
           seen;
}

/* ---- the parts ------------------------------------------------------------------------------ */

typedef struct {
    Upload *upload;
    int64_t seen; /* of this part, added to upload->moved */
} Sent;

/* A second try counts from nought again. */
static void count_moved(void *context, int64_t bytes)
{
    Sent *sent = context;
    sent->upload->moved += bytes - sent->seen;
    sent->upload->sent += bytes < sent->seen ? bytes : bytes - sent->seen;
    sent->seen = bytes;
}

static bool send_part(Upload *upload, Connection *connection, size_t index, Error *err)
{
    _cleanup_answer_ Answer answer;
    Part *part = &upload->parts[index];
    char number[24];
    Sent sent = {.upload = upload};
    (void)snprintf(number, sizeof(number), "%zu", index + 1);
    SigPair query[] = {{"partNumber", number}, {"uploadId", upload->id}};
    S3Request request = {.method = "PUT",
                         .name = upload->file->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .sends_file = true,
                         .descriptor = upload->file->descriptor,
                         .path = upload->file->path,
                         .offset = part->plan.offset,
                         .length = part->plan.length,
                         .bytes_per_second =
                             upload->store->settings.bytes_per_second / (int64_t)upload->workers,
                         .moved = count_moved,
                         .context = &sent};
    answer_init(&answer);
    if (s3_request(upload->store, connection, &request, &answer, err) != S3_OK)
        return false;
    count_moved(&sent, part->plan.length);
    set_etag(part, answer.etag);
    return *part->etag || error_set(err, ERR_FAILED, "%s took part %zu of %s and did not name it",
                                    upload->store->url, index + 1, upload->file->name);
}

/* The headers that say what is copied. */
static void name_source(Arena *arena, const Upload *upload, const PartPlan *plan,
                        SigPair headers[2])
{
    const S3 *s3 = upload->store->own;
    const char *key = arena_printf(arena, "/%s/%s%s", s3->bucket, s3->prefix, upload->source);
    headers[0] = (SigPair){"x-amz-copy-source", sigv4_encode(arena, key, true)};
    headers[1] = (SigPair){"x-amz-copy-source-range",
                           arena_printf(arena, "bytes=%lld-%lld", (long long)plan->source,
                                        (long long)(plan->source + plan->length - 1))};
}

/* Has the server copy a part. What it then has must be what the file has there, by the MD5 that it
 * tells; whatever else comes of it leaves *copied false, for the part to be sent. */
static bool copy_part(Upload *upload, Connection *connection, size_t index, bool *copied,
                      Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_answer_ Answer answer;
    Part *part = &upload->parts[index];
    Part there = {0};
    XmlNode *root = NULL;
    Error failure = {0};
    char md5[HASH_HEX_SIZE];
    SigPair headers[2];
    SigPair query[] = {{"partNumber", arena_printf(arena, "%zu", index + 1)},
                       {"uploadId", upload->id}};
    S3Request request = {.method = "PUT",
                         .name = upload->file->name,
                         .query = query,
                         .query_count = COUNT_OF(query),
                         .headers = headers,
                         .header_count = COUNT_OF(headers),
                         .body = "",
                         .xml_answer = true,
                         .silence_ms = COMPLETE_SILENCE_MS};
    answer_init(&answer);
    name_source(arena, upload, &part->plan, headers);
    S3Outcome outcome = s3_request(upload->store, connection, &request, &answer, &failure);
    if (outcome == S3_STOPPED || (outcome == S3_AWAY && !answer.status)) {
        *err = failure;
        return false;
    }
    if (!hash_range(upload->file->descriptor, upload->file->path, part->plan.offset,
                    part->plan.length, HASH_MD5, md5, err))
        return false;
    if (outcome == S3_OK && s3_answer_xml(arena, &answer, "CopyPartResult", &root, &failure))
        set_etag(&there, xml_text(root, "ETag"));
    *copied = str_equal(there.etag, md5);
    if (*copied) {
        set_etag(part, there.etag);
        upload->moved += part->plan.length;
    } else if (!upload->copies_failed) {
        upload->copies_failed = true;
        log_debug(upload->store->log, "parts of %s cannot be copied, and are sent: %s",
                  upload->source, *failure.message ? failure.message : "they have other MD5s");
    }
    return true;
}

static bool put_part(Upload *upload, Connection *connection, size_t index, Error *err)
{
    bool copied = false;
    if (upload->parts[index].plan.source >= 0 && !upload->copies_failed &&
        !copy_part(upload, connection, index, &copied, err))
        return false;
    return copied || send_part(upload, connection, index, err);
}

/* The next part that is not there; false when there is none, or somebody failed. */
static bool next_part(Upload *upload, size_t *index)
{
    bool found = false;
    (void)pthread_mutex_lock(&upload->lock);
    while (!found && !upload->failed && upload->next < upload->count) {
        *index = upload->next++;
        found = !*upload->parts[*index].etag;
    }
    (void)pthread_mutex_unlock(&upload->lock);
    return found;
}

static void *run_worker(void *argument)
{
    Upload *upload = argument;
    _cleanup_connection_ Connection *connection = NULL;
    Error err = {0};
    size_t index = 0;
    bool good = connection_open(&connection, &err);
    while (good && next_part(upload, &index))
        good = put_part(upload, connection, index, &err);
    (void)pthread_mutex_lock(&upload->lock);
    if (!good && !upload->failed) {
        upload->failed = true;
        upload->failure = err;
    }
    upload->running--;
    (void)pthread_cond_signal(&upload->changed);
    (void)pthread_mutex_unlock(&upload->lock);
    return NULL;
}

/* Until every worker has ended. */
static void watch_workers(Upload *upload, Progress *progress)
{
    (void)pthread_mutex_lock(&upload->lock);
    while (upload->running) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&upload->changed, &upload->lock, &until);
        (void)pthread_mutex_unlock(&upload->lock);
        progress_update(progress, upload->moved);
        (void)pthread_mutex_lock(&upload->lock);
    }
    (void)pthread_mutex_unlock(&upload->lock);
}

static bool send_parts(Upload *upload, Error *err)
{
    Progress progress;
    size_t missing = 0;
    pthread_t *threads =
        arena_array(upload->arena, (size_t)upload->store->settings.jobs, sizeof(*threads));
    for (size_t i = 0; i < upload->count; i++) {
        if (*upload->parts[i].etag)
            upload->moved += upload->parts[i].plan.length;
        else
            missing++;
    }
    size_t wanted = (size_t)upload->store->settings.jobs;
    if (wanted > missing)
        wanted = missing;
    if (!wanted)
        return true;
    upload->workers = wanted;
    progress_start(&progress, upload->store->log,
                   arena_printf(upload->arena, "pushing %s", upload->file->name),
                   upload->file->size, PROGRESS_BYTES, NULL);
    size_t started = 0;
    for (; started < wanted; started++) {
        (void)pthread_mutex_lock(&upload->lock);
        upload->running++;
        (void)pthread_mutex_unlock(&upload->lock);
        int errnum = pthread_create(&threads[started], NULL, run_worker, upload);
        if (errnum == 0)
            continue;
        (void)pthread_mutex_lock(&upload->lock);
        upload->running--;
        if (!started) {
            upload->failed = true;
            (void)error_set_errno(&upload->failure, ERR_FAILED, errnum, "cannot start a thread");
        }
        (void)pthread_mutex_unlock(&upload->lock);
        break; /* fewer do it too */
    }
    watch_workers(upload, &progress);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (upload->failed) {
        progress_abandon(&progress);
        *err = upload->failure;
        return false;
    }
    progress_finish(&progress);
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* What failed for now is kept, to be continued; what cannot succeed is taken back. */
static bool give_up(Upload *upload, Error *err)
{
    if (err->code == ERR_UNREACHABLE)
        return error_hint(err, "type it again when the network is back: what has arrived is kept, "
                               "and not sent again");
    if (err->code != ERR_INTERRUPTED)
        abort_upload(upload, upload->id);
    return false;
}

static bool run(Upload *upload, Error *err)
{
    StrList stale;
    bool gone = true;
    if (!find_uploads(upload, &upload->id, &stale, err) ||
        (upload->id && !take_parts(upload, &gone, err)))
        return false;
    if (gone && !begin(upload, err))
        return false;
    if (!gone)
        log_info(upload->store->log, "Continuing an earlier push of %s", upload->file->name);
    if (!send_parts(upload, err) || !complete(upload, err))
        return give_up(upload, err);
    for (size_t i = 0; i < stale.count; i++)
        abort_upload(upload, stale.items[i]);
    return true;
}

bool s3_upload(Store *store, const S3File *file, const StoreReuse *reuse, int64_t *sent, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Upload upload = {.store = store, .arena = arena, .file = file};
    (void)pthread_mutex_init(&upload.lock, NULL);
    (void)pthread_cond_init(&upload.changed, NULL);
    plan_parts(&upload, reuse);
    bool done = run(&upload, err);
    *sent = upload.sent;
    (void)pthread_cond_destroy(&upload.changed);
    (void)pthread_mutex_destroy(&upload.lock);
    return done;
}
