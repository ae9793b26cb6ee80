#include "store/store_internal.h"

#include <string.h>

#define DEFAULT_JOBS     4
#define DEFAULT_RETRY_MS 60000

/* What is between "://" and the path may name a user, but a password would stand in the shell's
 * history, in vaxdb.ini and in logs. The URL is not repeated in the message. */
static bool check_no_secret(const char *rest, Error *err)
{
    size_t authority = strcspn(rest, "/");
    const char *at = memchr(rest, '@', authority);
    if (!at || !memchr(rest, ':', (size_t)(at - rest)))
        return true;
    (void)error_set(err, ERR_USAGE, "the URL of the off-site store has a password in it");
    return error_hint(err, "take it out; credentials of S3 come from AWS_ACCESS_KEY_ID and "
                           "AWS_SECRET_ACCESS_KEY, or from ~/.aws/credentials; SFTP logs in with a "
                           "key (sftp_key)");
}

static bool open_driver(Store *store, const char *url, Error *err)
{
    static const char file_scheme[] = "file://";
    static const char s3_scheme[] = "s3://";
    static const char sftp_scheme[] = "sftp://";
    if (*url == '/')
        return store_open_directory(store, url, err);
    if (str_starts(url, file_scheme) && url[strlen(file_scheme)] == '/')
        return store_open_directory(store, url + strlen(file_scheme), err);
    if (str_starts(url, s3_scheme)) {
        return check_no_secret(url + strlen(s3_scheme), err) &&
               store_open_s3(store, url + strlen(s3_scheme), err);
    }
    if (str_starts(url, sftp_scheme)) {
        return check_no_secret(url + strlen(sftp_scheme), err) &&
               store_open_sftp(store, url + strlen(sftp_scheme), err);
    }
    const char *colon = strstr(url, "://");
    if (colon && !check_no_secret(colon + 3, err))
        return false;
    (void)error_set(err, ERR_USAGE, "there is no off-site store of the kind \"%s\"", url);
    return error_hint(err, "write /FOLDER, file:///FOLDER, s3://BUCKET/PREFIX or "
                           "sftp://USER@HOST/FOLDER");
}

bool store_open(Arena *arena, Log *log, const char *url, const StoreSettings *settings,
                Store **store, Error *err)
{
    Store *made = arena_alloc(arena, sizeof(*made));
    made->arena = arena;
    made->log = log;
    made->url = arena_strdup(arena, url);
    made->settings = *settings;
    if (made->settings.jobs <= 0)
        made->settings.jobs = DEFAULT_JOBS;
    if (made->settings.retry_ms <= 0)
        made->settings.retry_ms = DEFAULT_RETRY_MS;
    if (!open_driver(made, url, err))
        return false;
    *store = made;
    return true;
}

void store_close(Store *store)
{
    if (store && store->driver->close)
        store->driver->close(store);
}

const char *store_url(const Store *store)
{
    return store->url;
}

bool store_missing(const Store *store, const char *name, Error *err)
{
    return error_set(err, ERR_USAGE, "%s has no %s", store->url, name);
}

static bool check_name(const char *name, Error *err)
{
    bool good = *name && *name != '.';
    for (const char *at = name; *at; at++)
        good = good && *at != '/' && (unsigned char)*at >= ' ' && *at != 127;
    return good ||
           error_set(err, ERR_USAGE, "\"%s\" is no name for an object of an off-site store", name);
}

bool store_put_file(Store *store, const char *path, const char *name, const char *sha256,
                    Error *err)
{
    int64_t sent = 0;
    return store_put_reusing(store, path, name, sha256, NULL, &sent, err);
}

bool store_composes(const Store *store)
{
    return store->driver->composes;
}

bool store_put_reusing(Store *store, const char *path, const char *name, const char *sha256,
                       const StoreReuse *reuse, int64_t *sent, Error *err)
{
    *sent = 0;
    return check_name(name, err) &&
           store->driver->put_file(store, path, name, sha256, reuse, sent, err);
}

bool store_get_file(Store *store, const char *name, const char *path, Error *err)
{
    return check_name(name, err) && store->driver->get_file(store, name, path, err);
}

bool store_read(Store *store, const char *name, int64_t offset, size_t length, Buffer *buffer,
                Error *err)
{
    return check_name(name, err) &&
           (!length || store->driver->read(store, name, offset, length, buffer, err));
}

bool store_head(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                Error *err)
{
    *found = false;
    *object = (StoreObject){.name = arena_strdup(arena, name)};
    return check_name(name, err) && store->driver->head(store, arena, name, found, object, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const StoreObject *)a)->name, ((const StoreObject *)b)->name);
}

bool store_list(Store *store, Arena *arena, const char *prefix, StoreList *list, Error *err)
{
    *list = (StoreList){0};
    if (!store->driver->list(store, arena, prefix, list, err))
        return false;
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), by_name);
    return true;
}

bool store_delete(Store *store, const char *name, Error *err)
{
    return check_name(name, err) && store->driver->remove(store, name, err);
}
