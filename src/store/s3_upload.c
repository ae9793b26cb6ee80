/* Uploads in parts: several at once, continued where an earlier one stopped, and composed of what
 * the server has where that is known. */
#include "store/s3.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define LOOK_MS 100

typedef struct {
    PartPlan plan;
    size_t piece; /* 1, 2, ... of those that have several runs; else 0 */
} Part;

typedef struct {
    Store *store;
    Arena *arena;
    const S3File *file;
    const StoreReuse *reuse; /* NULL: all is sent */
    Multipart whole;         /* on the store's own connection */
    Part *parts;
    char (*etags)[ETAG_SIZE]; /* as the server names them, without quotes; "": not there yet */
    size_t count;
    size_t workers;
    _Atomic int64_t moved;      /* bytes that are there or on their way */
    _Atomic int64_t sent;       /* over the wire */
    _Atomic bool copies_failed; /* once: the rest is sent */
    _Atomic bool joins_failed;  /* likewise, of parts of several runs */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t next;
    size_t running;
    bool failed;
    Error failure; /* the first */
} Upload;

static void plan_parts(Upload *upload)
{
    PartPlan *plan = parts_plan(upload->arena, upload->file->size, upload->reuse, &upload->count);
    size_t pieces = 0;
    upload->parts = arena_array(upload->arena, upload->count, sizeof(*upload->parts));
    upload->etags = arena_array(upload->arena, upload->count, sizeof(*upload->etags));
    for (size_t i = 0; i < upload->count; i++) {
        upload->parts[i] = (Part){.plan = plan[i], .piece = plan[i].run_count > 1 ? ++pieces : 0};
        *upload->etags[i] = '\0';
    }
}

/* The same upload, for the calls of another thread. */
static Multipart on_connection(const Upload *upload, Connection *connection)
{
    Multipart multipart = upload->whole;
    multipart.connection = connection;
    return multipart;
}

/* ---- an upload that an earlier run left ---------------------------------------------------- */

/* Of all unfinished uploads of an object: the one begun last to *newest, the others to stale. What
 * may not be listed is not there. */
static bool find_uploads(Arena *arena, const Multipart *of, const char **newest, StrList *stale,
                         Error *err)
{
    _cleanup_answer_ Answer answer;
    const S3 *s3 = of->store->own;
    const char *key = arena_printf(arena, "%s%s", s3->prefix, of->name);
    const char *begun = "";
    XmlNode *root = NULL;
    Error failure = {0};
    SigPair query[] = {{"uploads", ""}, {"prefix", key}};
    S3Request request = {.method = "GET", .query = query, .query_count = COUNT_OF(query)};
    answer_init(&answer);
    str_list_init(stale, arena);
    *newest = NULL;
    S3Outcome outcome = s3_request(of->store, of->connection, &request, &answer, &failure);
    if (outcome == S3_AWAY || outcome == S3_STOPPED) {
        *err = failure;
        return false;
    }
    if (outcome != S3_OK ||
        !s3_answer_xml(arena, &answer, "ListMultipartUploadsResult", &root, &failure))
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

static void abort_all(const Multipart *of, const StrList *ids)
{
    Multipart one = *of;
    for (size_t i = 0; i < ids->count; i++) {
        one.id = ids->items[i];
        multipart_abort(&one);
    }
}

/* One part that the server has: ours when length and MD5 are. A server that names parts by
 * something else gets them again. */
static bool take_part(Upload *upload, const XmlNode *node, Error *err)
{
    char md5[HASH_HEX_SIZE];
    int64_t number = 0;
    int64_t bytes = 0;
    if (!str_to_int64(xml_text(node, "PartNumber"), 1, (int64_t)upload->count, &number) ||
        !str_to_int64(xml_text(node, "Size"), 0, INT64_MAX, &bytes))
        return true;
    const PartPlan *plan = &upload->parts[number - 1].plan;
    if (bytes != plan->length)
        return true;
    if (!hash_range(upload->file->descriptor, upload->file->path, plan->offset, plan->length,
                    HASH_MD5, md5, err))
        return false;
    const char *there = xml_text(node, "ETag");
    there += *there == '"';
    if (str_starts(there, md5) && (!there[strlen(md5)] || there[strlen(md5)] == '"'))
        memcpy(upload->etags[number - 1], md5, sizeof(md5));
    return true;
}

/* Marks the parts that are there of the upload that was found. One that is gone has none. */
static bool take_parts(Upload *upload, bool *gone, Error *err)
{
    const char *marker = "0";
    *gone = false;
    for (;;) {
        _cleanup_answer_ Answer answer;
        XmlNode *root = NULL;
        Error failure = {0};
        SigPair query[] = {{"uploadId", upload->whole.id}, {"part-number-marker", marker}};
        S3Request request = {.method = "GET",
                             .name = upload->file->name,
                             .query = query,
                             .query_count = COUNT_OF(query)};
        answer_init(&answer);
        S3Outcome outcome =
            s3_request(upload->store, upload->whole.connection, &request, &answer, &failure);
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

/* ---- the parts ------------------------------------------------------------------------------ */

typedef struct {
    Upload *upload;
    int64_t seen;  /* of this part, added to the counts */
    bool is_whole; /* it is a part of the upload, and counts as progress */
} Sent;

/* A second try counts from nought again. */
static void count_sent(void *context, int64_t bytes)
{
    Sent *sent = context;
    sent->upload->sent += bytes < sent->seen ? bytes : bytes - sent->seen;
    if (sent->is_whole)
        sent->upload->moved += bytes - sent->seen;
    sent->seen = bytes;
}

static MultipartPace pace_of(Sent *sent)
{
    Upload *upload = sent->upload;
    int64_t limit = upload->store->settings.bytes_per_second;
    return (MultipartPace){
        .moved = count_sent, .context = sent, .bytes_per_second = limit / (int64_t)upload->workers};
}

static bool send_part(Upload *upload, const Multipart *whole, size_t index, Error *err)
{
    const PartPlan *plan = &upload->parts[index].plan;
    Sent sent = {.upload = upload, .is_whole = true};
    MultipartPace pace = pace_of(&sent);
    return multipart_send(whole, index + 1, upload->file, plan->offset, plan->length, &pace,
                          upload->etags[index], err);
}

/* What one can do without, and is logged once; the error of a network that is away is not. */
static bool do_without(const Upload *upload, _Atomic bool *failed, const char *what,
                       const Error *why, Error *err)
{
    if (why->code == ERR_UNREACHABLE || why->code == ERR_INTERRUPTED) {
        *err = *why;
        return false;
    }
    if (!atomic_exchange(failed, true))
        log_debug(upload->store->log, "%s of %s, so these are sent: %s", what,
                  upload->reuse->object, why->message);
    return true;
}

static bool copy_part(Upload *upload, const Multipart *whole, size_t index, const PartRun *run,
                      const char *object, bool *copied, Error *err)
{
    Error why = {0};
    if (!multipart_copy(whole, index + 1, upload->file, run, object, copied, upload->etags[index],
                        &why, err))
        return false;
    if (*copied) {
        upload->moved += run->length;
        return true;
    }
    why.code = ERR_FAILED; /* the server answered */
    return do_without(upload, &upload->copies_failed, "the server does not copy parts", &why, err);
}

/* A run as part number of an object that pieces are joined in. */
static bool put_run(Upload *upload, const Multipart *joined, size_t number, const PartRun *run,
                    const char *object, char etag[ETAG_SIZE], Error *err)
{
    bool copied = false;
    Error why = {0};
    Sent sent = {.upload = upload};
    MultipartPace pace = pace_of(&sent);
    if (run->source < 0)
        return multipart_send(joined, number, upload->file, run->offset, run->length, &pace, etag,
                              err);
    if (!multipart_copy(joined, number, upload->file, run, object, &copied, etag, &why, err))
        return false;
    if (!copied)
        (void)error_set(err, ERR_FAILED, "%s", why.message);
    return copied;
}

/* Makes the object of first, which is in object, and of second behind it. */
static bool join(Upload *upload, Multipart *joined, const PartRun *first, const char *object,
                 const PartRun *second, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    char etags[2][ETAG_SIZE];
    if (!multipart_begin(arena, joined, NULL, err))
        return false;
    bool done = put_run(upload, joined, 1, first, object, etags[0], err) &&
                put_run(upload, joined, 2, second, upload->reuse->object, etags[1], err) &&
                multipart_complete(arena, joined, (const char(*)[ETAG_SIZE])etags, 2, err) == S3_OK;
    if (!done && err->code != ERR_UNREACHABLE)
        multipart_abort(joined);
    return done;
}

static bool join_runs(Upload *upload, Multipart *joined, const PartPlan *plan, PartRun *there,
                      Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *object = upload->reuse->object;
    const char *newest = NULL;
    StrList stale;
    if (!find_uploads(arena, joined, &newest, &stale, err))
        return false;
    if (newest)
        str_list_add(&stale, newest);
    abort_all(joined, &stale);
    *there = plan->runs[0];
    for (size_t i = 1; i < plan->run_count; i++) {
        if (!join(upload, joined, there, object, &plan->runs[i], err))
            return false;
        *there = (PartRun){plan->offset, there->length + plan->runs[i].length, 0};
        object = joined->name;
    }
    return true;
}

static void delete_joined(const Multipart *joined)
{
    _cleanup_answer_ Answer answer;
    Error ignored = {0};
    S3Request request = {.method = "DELETE", .name = joined->name};
    answer_init(&answer);
    S3Outcome outcome = s3_request(joined->store, joined->connection, &request, &answer, &ignored);
    if (outcome != S3_OK && outcome != S3_MISSING)
        log_debug(joined->store->log, "%s stays: %s", joined->name, ignored.message);
}

/* A part of several runs, joined in an object of its own that is then copied. */
static bool join_part(Upload *upload, const Multipart *whole, size_t index, bool *copied,
                      Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const Part *part = &upload->parts[index];
    Multipart joined = *whole;
    PartRun there;
    Error why = {0};
    joined.name = arena_printf(arena, "%s.piece-%zu", upload->reuse->scratch, part->piece);
    bool done = join_runs(upload, &joined, &part->plan, &there, &why)
                    ? copy_part(upload, whole, index, &there, joined.name, copied, err)
                    : do_without(upload, &upload->joins_failed, "the server does not join parts",
                                 &why, err);
    if (done)
        delete_joined(&joined);
    return done;
}

static bool put_part(Upload *upload, Connection *connection, size_t index, Error *err)
{
    const PartPlan *plan = &upload->parts[index].plan;
    const Multipart whole = on_connection(upload, connection);
    bool copied = false;
    bool several = plan->run_count > 1;
    if (several && !upload->joins_failed && !upload->copies_failed &&
        !join_part(upload, &whole, index, &copied, err))
        return false;
    if (!several && plan->runs->source >= 0 && !upload->copies_failed &&
        !copy_part(upload, &whole, index, plan->runs, upload->reuse->object, &copied, err))
        return false;
    return copied || send_part(upload, &whole, index, err);
}

/* The next part that is not there; false when there is none, or somebody failed. */
static bool next_part(Upload *upload, size_t *index)
{
    bool found = false;
    (void)pthread_mutex_lock(&upload->lock);
    while (!found && !upload->failed && upload->next < upload->count) {
        *index = upload->next++;
        found = !*upload->etags[*index];
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
        if (*upload->etags[i])
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

static bool complete(Upload *upload, Error *err)
{
    Error failure = {0};
    bool seen = false;
    S3Outcome outcome =
        multipart_complete(upload->arena, &upload->whole, (const char(*)[ETAG_SIZE])upload->etags,
                           upload->count, &failure);
    if (outcome == S3_OK)
        return s3_confirm(upload->store, upload->file->name, upload->file->size,
                          upload->file->sha256, &seen, err);
    *err = failure;
    /* No such upload: an earlier try may have done it, and its answer been lost on the way. */
    Error ignored = {0};
    return outcome == S3_MISSING &&
           s3_confirm(upload->store, upload->file->name, upload->file->size, upload->file->sha256,
                      &seen, &ignored) &&
           seen;
}

/* What failed for now is kept, to be continued; what cannot succeed is taken back. */
static bool give_up(const Upload *upload, Error *err)
{
    if (err->code == ERR_UNREACHABLE)
        return error_hint(err, "type it again when the network is back: what has arrived is kept, "
                               "and not sent again");
    if (err->code != ERR_INTERRUPTED)
        multipart_abort(&upload->whole);
    return false;
}

static bool run(Upload *upload, Error *err)
{
    StrList stale;
    bool gone = true;
    Multipart *whole = &upload->whole;
    if (!s3_connection(upload->store->own, &whole->connection, err) ||
        !find_uploads(upload->arena, whole, &whole->id, &stale, err) ||
        (whole->id && !take_parts(upload, &gone, err)))
        return false;
    if (gone && !multipart_begin(upload->arena, whole, upload->file->sha256, err))
        return false;
    if (!gone)
        log_info(upload->store->log, "Continuing an earlier push of %s", upload->file->name);
    if (!send_parts(upload, err) || !complete(upload, err))
        return give_up(upload, err);
    abort_all(whole, &stale);
    return true;
}

bool s3_upload(Store *store, const S3File *file, const StoreReuse *reuse, int64_t *sent, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Upload upload = {.store = store,
                     .arena = arena,
                     .file = file,
                     .reuse = reuse,
                     .whole = {.store = store, .name = file->name}};
    (void)pthread_mutex_init(&upload.lock, NULL);
    (void)pthread_cond_init(&upload.changed, NULL);
    plan_parts(&upload);
    bool done = run(&upload, err);
    *sent = upload.sent;
    (void)pthread_cond_destroy(&upload.changed);
    (void)pthread_mutex_destroy(&upload.lock);
    return done;
}
