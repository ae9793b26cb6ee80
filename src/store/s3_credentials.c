#include "store/s3.h"

#include "base/file.h"
#include "conf/ini.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return str_empty(value) ? NULL : value;
}

static const char *default_file(Arena *arena)
{
    const char *named = variable("AWS_SHARED_CREDENTIALS_FILE");
    const char *home = variable("HOME");
    if (named)
        return named;
    return home ? path_join(arena, home, ".aws/credentials") : NULL;
}

static const char *entry(const Ini *ini, const char *profile, const char *key)
{
    const IniEntry *found = ini_find(ini, profile, key);
    return found && *found->value ? found->value : NULL;
}

bool s3_credentials(Arena *arena, const char *file, S3 *s3, Error *err)
{
    s3->key.access_key = variable("AWS_ACCESS_KEY_ID");
    s3->key.secret_key = variable("AWS_SECRET_ACCESS_KEY");
    s3->session_token = variable("AWS_SESSION_TOKEN");
    if (s3->key.access_key && s3->key.secret_key)
        return true;
    const char *path = file ? file : default_file(arena);
    const char *profile = variable("AWS_PROFILE");
    Ini ini = {0};
    if (!profile)
        profile = "default";
    if (path && (file || file_exists(path))) {
        if (!ini_read(arena, path, &ini, err))
            return false;
        s3->key.access_key = entry(&ini, profile, "aws_access_key_id");
        s3->key.secret_key = entry(&ini, profile, "aws_secret_access_key");
        s3->session_token = entry(&ini, profile, "aws_session_token");
        if (s3->key.access_key && s3->key.secret_key)
            return true;
        (void)error_set(err, ERR_USAGE, "%s has no keys for S3 under [%s]", path, profile);
    } else {
        (void)error_set(err, ERR_USAGE, "there are no credentials for S3");
    }
    return error_hint(err,
                      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write "
                      "aws_access_key_id and aws_secret_access_key under [%s] in %s",
                      profile, path ? path : "~/.aws/credentials");
}
