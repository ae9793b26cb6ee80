#include "pool/password.h"

#include "base/secret.h"

PasswordKind password_kind(const char *stored)
{
    ScramSecret secret;
    if (strncmp(stored, "md5", 3) == 0 && strlen(stored) == PASSWORD_MD5_SIZE - 1 &&
        strspn(stored + 3, "0123456789abcdef") == PASSWORD_MD5_SIZE - 4)
        return PASSWORD_MD5;
    bool scram = scram_secret_read(stored, &secret);
    secret_wipe(&secret, sizeof(secret));
    return scram ? PASSWORD_SCRAM : PASSWORD_PLAIN;
}

bool password_md5(const char *password, const char *user, char hash[PASSWORD_MD5_SIZE])
{
    memcpy(hash, "md5", sizeof("md5"));
    return secret_md5(password, strlen(password), user, strlen(user), hash + 3);
}

bool password_md5_answer(const char *stored, const char *user, const uint8_t salt[WIRE_SALT_BYTES],
                         char answer[PASSWORD_MD5_SIZE])
{
    char hash[PASSWORD_MD5_SIZE];
    PasswordKind kind = password_kind(stored);
    if (kind == PASSWORD_SCRAM)
        return false;
    if (kind == PASSWORD_MD5)
        memcpy(hash, stored, sizeof(hash));
    else if (!password_md5(stored, user, hash))
        return false;
    memcpy(answer, "md5", sizeof("md5"));
    bool made = secret_md5(hash + 3, PASSWORD_MD5_SIZE - 4, salt, WIRE_SALT_BYTES, answer + 3);
    secret_wipe(hash, sizeof(hash)); /* it is as good as the password */
    return made;
}

bool password_md5_check(const char *stored, const char *user, const uint8_t salt[WIRE_SALT_BYTES],
                        const char *answer)
{
    char expected[PASSWORD_MD5_SIZE];
    if (stored[0] == '\0' || !password_md5_answer(stored, user, salt, expected))
        return false;
    return secret_equal_text(expected, answer);
}

static bool scram_fits(const char *stored, const char *password)
{
    ScramSecret secret;
    bool equal = scram_secret_read(stored, &secret) &&
                 scram_secret_check(&secret, password, strlen(password));
    secret_wipe(&secret, sizeof(secret));
    return equal;
}

bool password_plain_check(const char *stored, const char *user, const char *password)
{
    char hash[PASSWORD_MD5_SIZE];
    if (password[0] == '\0' || strlen(password) > WIRE_PASSWORD_MAX)
        return false;
    switch (password_kind(stored)) {
    case PASSWORD_SCRAM:
        return scram_fits(stored, password);
    case PASSWORD_MD5: {
        bool equal = password_md5(password, user, hash) && secret_equal_text(hash, stored);
        secret_wipe(hash, sizeof(hash));
        return equal;
    }
    case PASSWORD_PLAIN:
    default:
        return secret_equal_text(stored, password);
    }
}
