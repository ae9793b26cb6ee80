/* Passwords as PostgreSQL and userlist.txt store them, and the answers "md5" and "password" ask
 * for. scram.h has the rest. Comparisons take the same time wherever the texts differ. */
#pragma once

#include "pool/scram.h"
#include "pool/wire.h"

typedef enum { PASSWORD_PLAIN, PASSWORD_MD5, PASSWORD_SCRAM } PasswordKind;

#define PASSWORD_MD5_SIZE 36 /* "md5", 32 digits, NUL */

/* By its form, as PostgreSQL tells them apart. */
PasswordKind password_kind(const char *stored);
/* "md5..." of a password; false where the library has MD5 switched off. */
bool password_md5(const char *password, const char *user, char hash[PASSWORD_MD5_SIZE]) MUST_CHECK;
/* The answer to an md5 request with this salt, from a stored password in clear or as "md5...".
 * False for a SCRAM secret, which cannot answer. */
bool password_md5_answer(const char *stored, const char *user, const uint8_t salt[WIRE_SALT_BYTES],
                         char answer[PASSWORD_MD5_SIZE]) MUST_CHECK;
/* Whether a client's answer to that request is right. */
bool password_md5_check(const char *stored, const char *user, const uint8_t salt[WIRE_SALT_BYTES],
                        const char *answer);
/* Whether a password that came in clear is the stored one, in whatever form that is; an empty one
 * never is. Derives keys for a SCRAM secret: not for an event loop. */
bool password_plain_check(const char *stored, const char *user, const char *password);
