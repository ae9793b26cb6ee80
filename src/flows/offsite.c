#include "flows/offsite.h"

#include "base/str.h"

#include <string.h>

const char *offsite_url(Arena *arena, const Config *config, EnvKind env)
{
    const char *url = config_text(config, env, "backup_url");
    const char *bucket = getenv("BACKUP_BUCKET");
    if (!str_empty(url))
        return url;
    if (!bucket || !*bucket)
        return NULL;
    bool whole = *bucket == '/' || strstr(bucket, "://");
    return whole ? bucket : arena_printf(arena, "s3://%s", bucket);
}

static bool open_url(Arena *arena, Log *log, const Config *config, EnvKind env, const char *url,
                     int jobs, Store **store, Error *err)
{
    const char *endpoint = config_text(config, env, "s3_endpoint");
    StoreSettings settings = {
        .endpoint = str_empty(endpoint) ? NULL : endpoint,
        .region = config_text(config, env, "s3_region"),
        .path_style = config_text(config, env, "s3_path_style")
                          ? config_int(config, env, "s3_path_style") != 0
                          : !str_empty(endpoint),
        .credentials_file = config_text(config, env, "s3_credentials"),
        .key_file = config_text(config, env, "sftp_key"),
        .known_hosts = config_text(config, env, "sftp_known_hosts"),
        .bytes_per_second = config_int(config, env, "backup_bwlimit"),
        .retry_ms = config_int(config, env, "backup_retry"),
        .jobs = jobs,
    };
    return store_open(arena, log, url, &settings, store, err);
}

bool offsite_open(Arena *arena, Log *log, const Config *config, EnvKind env, int jobs,
                  Store **store, Error *err)
{
    const char *url = offsite_url(arena, config, env);
    if (url)
        return open_url(arena, log, config, env, url, jobs, store, err);
    (void)error_set(err, ERR_USAGE, "no off-site store is configured for %s", env_name(env));
    return error_hint(err, "set backup_url in vaxdb.ini, e.g. backup_url = s3://BUCKET/PREFIX "
                           "or backup_url = /mnt/backups");
}

/* ---- fetching ----------------------------------------------------------------------------- */

bool offsite_is_place(const char *word)
{
    return strstr(word, "://") != NULL;
}

/* The store of a place, and the name in it. */
static bool open_place(Arena *arena, Log *log, const FetchSpec *spec, const char **name,
                       Store **store, Error *err)
{
    const char *slash = strrchr(spec->word, '/');
    const char *rest = strstr(spec->word, "://") + strlen("://");
    *name = slash + 1;
    if (slash < rest || !**name) {
        (void)error_set(err, ERR_USAGE, "the place of a backup ends in its name");
        return error_hint(err, "write it as s3://BUCKET/PREFIX/NAME.sql.gz");
    }
    const char *url = arena_strndup(arena, spec->word, (size_t)(slash - spec->word));
    return open_url(arena, log, spec->config, spec->env, url, 0, store, err);
}

bool offsite_fetch(Arena *arena, Log *log, const FetchSpec *spec, const char **place,
                   OffsiteResult *result, Error *err)
{
    _cleanup_store_ Store *store = NULL;
    const char *name = spec->word;
    bool newest = !name || str_equal(name, "newest");
    bool opened = !newest && offsite_is_place(name)
                      ? open_place(arena, log, spec, &name, &store, err)
                      : offsite_open(arena, log, spec->config, spec->env, 0, &store, err);
    if (!opened || (newest && !backup_offsite_newest(arena, store, spec->newest_env, &name, err)) ||
        !backup_pull(arena, log, NULL, store, name, spec->directory, result, err))
        return false;
    *place = arena_printf(arena, "%s/%s", store_url(store), result->manifest.file);
    return true;
}
