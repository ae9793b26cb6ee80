/* S3 as a store: objects under a prefix of a bucket. */
#include "store/s3.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define DEFAULT_REGION   "us-east-1"
#define READ_PIECE_BYTES ((size_t)8 << 20)

/* ---- single requests ---------------------------------------------------------------------- */

static bool head(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                 Error *err)
{
    _cleanup_answer_ Answer answer;
    Connection *connection = NULL;
    S3Request request = {.method = "HEAD", .name = name};
    answer_init(&answer);
    *found = false;
    if (!s3_connection(store->own, &connection, err))
        return false;
    Error failure = {0};
    S3Outcome outcome = s3_request(store, connection, &request, &answer, &failure);
    if (outcome == S3_MISSING)
        return true;
    if (outcome != S3_OK) {
        *err = failure;
        return false;
    }
    if (answer.length < 0)
        return error_set(err, ERR_FAILED, "%s does not say how large %s is", store->url, name);
    *found = true;
    *object = (StoreObject){.name = arena_strdup(arena, name),
                            .bytes = answer.length,
                            .modified_at = answer.modified_at,
                            .sha256 = *answer.sha256 ? arena_strdup(arena, answer.sha256) : NULL};
    return true;
}

bool s3_confirm(Store *store, const char *name, int64_t size, const char *sha256, bool *seen,
                Error *err)
{
    _cleanup_answer_ Answer answer;
    Connection *connection = NULL;
    S3Request request = {.method = "HEAD", .name = name};
    answer_init(&answer);
    *seen = false;
    if (!s3_connection(store->own, &connection, err))
        return false;
    Error failure = {0};
    S3Outcome outcome = s3_request(store, connection, &request, &answer, &failure);
    if (outcome == S3_DENIED) {
        log_debug(store->log, "%s may not be read with these credentials: not looked at", name);
        return true;
    }
    if (outcome != S3_OK) {
        *err = failure;
        return error_context(err, "looking whether it arrived");
    }
    *seen = true;
    if (answer.length != size || (*answer.sha256 && !str_equal(answer.sha256, sha256)))
        return error_set(err, ERR_FAILED, "%s took %s and has something else: %lld bytes, not %lld",
                         store->url, name, (long long)answer.length, (long long)size);
    return true;
}

static bool put_small(Store *store, const S3File *file, int64_t *sent, Error *err)
{
    _cleanup_answer_ Answer answer;
    SigPair headers[] = {{"x-amz-meta-sha256", file->sha256}};
    S3Request request = {.method = "PUT",
                         .name = file->name,
                         .headers = headers,
                         .header_count = COUNT_OF(headers),
                         .sends_file = true,
                         .descriptor = file->descriptor,
                         .path = file->path,
                         .length = file->size,
                         .bytes_per_second = store->settings.bytes_per_second};
    answer_init(&answer);
    bool seen = false;
    *sent = file->size;
    return s3_call(store, &request, &answer, err) &&
           s3_confirm(store, file->name, file->size, file->sha256, &seen, err);
}

static bool put_file(Store *store, const char *path, const char *name, const char *sha256,
                     const StoreReuse *reuse, int64_t *sent, Error *err)
{
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    S3File file = {.descriptor = descriptor,
                   .path = path,
                   .size = status.st_size,
                   .name = name,
                   .sha256 = sha256};
    return status.st_size > PART_SEND_BYTES ? s3_upload(store, &file, reuse, sent, err)
                                            : put_small(store, &file, sent, err);
}

static void show_moved(void *context, int64_t bytes)
{
    progress_update(context, bytes);
}

static bool get_file(Store *store, const char *name, const char *path, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_answer_ Answer answer;
    StoreObject object;
    bool found = false;
    Progress progress;
    answer_init(&answer);
    if (!head(store, arena, name, &found, &object, err))
        return false;
    if (!found)
        return store_missing(store, name, err);
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 || ftruncate(descriptor, 0) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", path);
    Log quiet = *store->log;
    quiet.quiet = quiet.quiet || object.bytes < STORE_PROGRESS_MIN_BYTES;
    progress_start(&progress, &quiet, arena_printf(arena, "pulling %s", name), object.bytes,
                   PROGRESS_BYTES, NULL);
    S3Request request = {.method = "GET",
                         .name = name,
                         .saves = true,
                         .descriptor = descriptor,
                         .bytes_per_second = store->settings.bytes_per_second,
                         .moved = show_moved,
                         .context = &progress};
    if (!s3_call(store, &request, &answer, err)) {
        progress_abandon(&progress);
        return false;
    }
    progress_update(&progress, answer.saved);
    progress_finish(&progress);
    if (answer.saved != object.bytes)
        return error_set(err, ERR_FAILED, "%s: %s came with %lld bytes, not %lld", store->url, name,
                         (long long)answer.saved, (long long)object.bytes);
    return fsync(descriptor) == 0 ||
           error_set_errno(err, ERR_FAILED, errno, "cannot write %s", path);
}

static bool read_piece(Store *store, const char *name, int64_t offset, size_t length,
                       Buffer *buffer, Error *err)
{
    _cleanup_answer_ Answer answer;
    Connection *connection = NULL;
    S3Request request = {.method = "GET",
                         .name = name,
                         .wants_range = true,
                         .offset = offset,
                         .length = (int64_t)length};
    answer_init(&answer);
    if (!s3_connection(store->own, &connection, err))
        return false;
    S3Outcome outcome = s3_request(store, connection, &request, &answer, err);
    if (outcome == S3_MISSING)
        return store_missing(store, name, err);
    if (outcome != S3_OK)
        return false;
    bool whole = answer.status == 200 && offset == 0; /* a server that knows no ranges */
    if ((answer.status != 206 && !whole) || answer.body.length != length)
        return error_set(err, ERR_FAILED, "%s: %s ends before byte %lld", store->url, name,
                         (long long)offset + (long long)length);
    (void)buffer_append(buffer, answer.body.data, length);
    return buffer_check(buffer, name, err);
}

static bool read_range(Store *store, const char *name, int64_t offset, size_t length,
                       Buffer *buffer, Error *err)
{
    while (length) {
        size_t piece = length < READ_PIECE_BYTES ? length : READ_PIECE_BYTES;
        if (!read_piece(store, name, offset, piece, buffer, err))
            return false;
        offset += (int64_t)piece;
        length -= piece;
    }
    return true;
}

static bool remove_object(Store *store, const char *name, Error *err)
{
    _cleanup_answer_ Answer answer;
    Connection *connection = NULL;
    Error failure = {0};
    S3Request request = {.method = "DELETE", .name = name};
    answer_init(&answer);
    if (!s3_connection(store->own, &connection, err))
        return false;
    S3Outcome outcome = s3_request(store, connection, &request, &answer, &failure);
    if (outcome == S3_OK || outcome == S3_MISSING)
        return true;
    *err = failure;
    return false;
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool add_object(const Store *store, Arena *arena, const XmlNode *node, StoreList *list,
                       Error *err)
{
    const S3 *s3 = store->own;
    const char *key = xml_text(node, "Key");
    StoreObject object = {0};
    if (!str_starts(key, s3->prefix) ||
        !str_to_int64(xml_text(node, "Size"), 0, INT64_MAX, &object.bytes))
        return error_set(err, ERR_FAILED, "%s: the listing makes no sense at \"%s\"", store->url,
                         str_one_line(arena, key, 100));
    object.name = key + strlen(s3->prefix);
    /* "2026-11-23T02:00:00.000Z" */
    const char *moment = xml_text(node, "LastModified");
    const char *seconds = arena_printf(arena, "%.*sZ", (int)strcspn(moment, ".Z"), moment);
    if (!clock_parse_utc(seconds, &object.modified_at))
        object.modified_at = 0;
    if (*object.name && !strchr(object.name, '/'))
        ARENA_PUSH(arena, list->items, list->count, list->capacity, object);
    return true;
}

/* *token is of the page, and of the next one after it; NULL: there is no more. */
static bool list_page(Store *store, Arena *arena, const char *prefix, const char **token,
                      StoreList *list, Error *err)
{
    _cleanup_answer_ Answer answer;
    XmlNode *root = NULL;
    SigPair query[] = {
        {"list-type", "2"}, {"delimiter", "/"}, {"prefix", prefix}, {"continuation-token", *token}};
    S3Request request = {.method = "GET", .query = query, .query_count = *token ? 4 : 3};
    answer_init(&answer);
    if (!s3_call(store, &request, &answer, err) ||
        !s3_answer_xml(arena, &answer, "ListBucketResult", &root, err))
        return false;
    for (const XmlNode *node = xml_child(root, "Contents"); node; node = xml_next(node)) {
        if (!add_object(store, arena, node, list, err))
            return false;
    }
    const char *next = xml_text(root, "NextContinuationToken");
    bool more = str_equal(xml_text(root, "IsTruncated"), "true");
    if (more && (!*next || str_equal(next, *token)))
        return error_set(err, ERR_FAILED, "%s: the listing is not complete, and does not go on",
                         store->url);
    *token = more ? next : NULL;
    return true;
}

static bool list_objects(Store *store, Arena *arena, const char *prefix, StoreList *list,
                         Error *err)
{
    const S3 *s3 = store->own;
    const char *whole = arena_printf(arena, "%s%s", s3->prefix, prefix);
    const char *token = NULL;
    do {
        if (!list_page(store, arena, whole, &token, list, err))
            return false;
    } while (token);
    return true;
}

/* ---- opening ------------------------------------------------------------------------------ */

static void close_s3(Store *store)
{
    S3 *s3 = store->own;
    connection_close(TAKE(s3->connection));
}

static const StoreDriver s3_driver = {
    .composes = true,
    .put_file = put_file,
    .get_file = get_file,
    .read = read_range,
    .head = head,
    .list = list_objects,
    .remove = remove_object,
    .close = close_s3,
};

/* "https://host:port", without a path. */
static bool check_endpoint(Arena *arena, const char *endpoint, const char **scheme,
                           const char **host, Error *err)
{
    static const char http[] = "http://";
    static const char https[] = "https://";
    *scheme = str_starts(endpoint, https) ? https : http;
    const char *rest = str_starts(endpoint, *scheme) ? endpoint + strlen(*scheme) : "";
    size_t length = strcspn(rest, "/");
    if (!length || (rest[length] && rest[length + 1]) || strcspn(rest, "@?# ") < length) {
        (void)error_set(err, ERR_USAGE, "s3_endpoint is not the URL of a server");
        return error_hint(err, "write it as https://HOST or http://HOST:PORT");
    }
    *host = arena_strndup(arena, rest, length);
    return true;
}

static bool check_bucket(const char *bucket, Error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_";
    if (*bucket && *bucket != '.' && !bucket[strspn(bucket, allowed)])
        return true;
    (void)error_set(err, ERR_USAGE, "\"%s\" is no name of a bucket", bucket);
    return error_hint(err, "write the store as s3://BUCKET or s3://BUCKET/PREFIX");
}

static const char *make_prefix(Arena *arena, const char *path)
{
    while (*path == '/')
        path++;
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    return length ? arena_printf(arena, "%.*s/", (int)length, path) : "";
}

bool store_open_s3(Store *store, const char *rest, Error *err)
{
    Arena *arena = store->arena;
    const StoreSettings *settings = &store->settings;
    S3 *s3 = arena_alloc(arena, sizeof(*s3));
    const char *scheme = NULL;
    const char *host = NULL;
    size_t length = strcspn(rest, "/");
    const char *bucket = arena_strndup(arena, rest, length);
    s3->bucket = bucket;
    s3->key.service = "s3";
    s3->key.region = settings->region ? settings->region : DEFAULT_REGION;
    const char *endpoint = settings->endpoint
                               ? settings->endpoint
                               : arena_printf(arena, "https://s3.%s.amazonaws.com", s3->key.region);
    if (!check_bucket(bucket, err) || !check_endpoint(arena, endpoint, &scheme, &host, err) ||
        !s3_credentials(arena, settings->credentials_file, s3, err))
        return false;
    /* A certificate for *.HOST does not cover a bucket with a dot in its name. */
    bool path_style = settings->path_style || strchr(bucket, '.');
    s3->host = path_style ? host : arena_printf(arena, "%s.%s", bucket, host);
    s3->origin = arena_printf(arena, "%s%s", scheme, s3->host);
    s3->base = path_style ? arena_printf(arena, "/%s/", bucket) : "/";
    s3->prefix = make_prefix(arena, rest + length);
    store->driver = &s3_driver;
    store->own = s3;
    return true;
}
