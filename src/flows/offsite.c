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

bool offsite_open(Arena *arena, Log *log, const Config *config, EnvKind env, int jobs,
                  Store **store, Error *err)
{
    const char *url = offsite_url(arena, config, env);
    const char *endpoint = config_text(config, env, "s3_endpoint");
    if (!url) {
        (void)error_set(err, ERR_USAGE, "no off-site store is configured for %s", env_name(env));
        return error_hint(err, "set backup_url in vaxdb.ini, e.g. backup_url = s3://BUCKET/PREFIX "
                               "or backup_url = /mnt/backups");
    }
    StoreSettings settings = {
        .endpoint = str_empty(endpoint) ? NULL : endpoint,
        .region = config_text(config, env, "s3_region"),
        .path_style = config_text(config, env, "s3_path_style")
                          ? config_int(config, env, "s3_path_style") != 0
                          : !str_empty(endpoint),
        .credentials_file = config_text(config, env, "s3_credentials"),
        .bytes_per_second = config_int(config, env, "backup_bwlimit"),
        .retry_ms = config_int(config, env, "backup_retry"),
        .jobs = jobs,
    };
    return store_open(arena, log, url, &settings, store, err);
}
