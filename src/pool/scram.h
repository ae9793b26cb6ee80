/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677; channel binding tls-server-end-point, RFC
 * 5929), both sides, as PostgreSQL speaks it: user names in it are ignored, and there is no
 * authorization identity.
 *
 * An exchange never derives keys, which takes milliseconds: scram_derive is a pure function for a
 * thread off the event loops. Messages of any length are built in Buffers (CVE-2026-6665). What is
 * secret is wiped when its owner is destroyed; locals before they go.
 *
 * Passwords are prepared by SASLprep (RFC 4013, GNU libidn, unassigned code points not allowed); as
 * in PostgreSQL one that cannot be prepared, or that nothing is left of, is taken as its bytes. */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAM_KEY_BYTES          HASH_BYTES
#define SCRAM_SALT_MAX           256
#define SCRAM_ITERATIONS_MAX     10000000 /* some seconds; more is refused */
#define SCRAM_ITERATIONS_DEFAULT 4096
#define SCRAM_MESSAGE_MAX        4096 /* longer than any that is in use */
#define SCRAM_BINDING_MAX        64   /* a hash */

/* What is stored of a password: enough to check a proof, not to make one. */
typedef struct {
    uint32_t iterations;
    size_t salt_length; /* at least 1 */
    uint8_t salt[SCRAM_SALT_MAX];
    uint8_t stored_key[SCRAM_KEY_BYTES];
    uint8_t server_key[SCRAM_KEY_BYTES];
} ScramSecret;

/* What proves a password to a server, for one salt and one number of iterations. */
typedef struct {
    uint8_t client_key[SCRAM_KEY_BYTES];
    uint8_t server_key[SCRAM_KEY_BYTES];
} ScramKeys;

typedef enum {
    SCRAM_OK,
    SCRAM_DENIED,   /* well formed, and not the password */
    SCRAM_MALFORMED /* not what the protocol allows; *reason says what */
} ScramStatus;

/* ---- Keys ---- */

/* iterations from 1 to SCRAM_ITERATIONS_MAX, length at most INT_MAX / 4 (assert). */
void scram_derive(const char *password, size_t length, const uint8_t *salt, size_t salt_length,
                  uint32_t iterations, ScramKeys *keys);
/* What a server would store. */
void scram_secret_make(const ScramKeys *keys, const uint8_t *salt, size_t salt_length,
                       uint32_t iterations, ScramSecret *secret);
/* "SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY"; false where text is anything else. */
bool scram_secret_read(const char *text, ScramSecret *secret) MUST_CHECK;
void scram_secret_print(const ScramSecret *secret, Buffer *out);
/* For a user that does not exist: always the same for one user and key, so that salts do not tell
 * who exists. No password fits it. */
void scram_secret_mock(const uint8_t key[SCRAM_KEY_BYTES], const char *user, ScramSecret *secret);
/* Whether a password in clear is the one. Derives. */
bool scram_secret_check(const ScramSecret *secret, const char *password, size_t length);

/* The hash of a certificate (X509 *) that the two sides of a TLS connection compare. False where
 * its signature names none (Ed25519): there is no channel binding then. */
struct x509_st;
bool scram_end_point(const struct x509_st *certificate, uint8_t hash[SCRAM_BINDING_MAX],
                     size_t *length) MUST_CHECK;

/* ---- The client's side: we log in to a server ---- */

typedef struct ScramClient ScramClient;

typedef enum {
    SCRAM_BINDING_NONE,     /* no TLS */
    SCRAM_BINDING_DECLINED, /* TLS, and the server did not offer it: an attacker could have cut it
                             */
    SCRAM_BINDING_USED      /* SCRAM-SHA-256-PLUS */
} ScramBinding;

/* binding is the end point's hash where it is used, else NULL and 0. */
ScramClient *scram_client_create(ScramBinding kind, const uint8_t *binding, size_t binding_length);
void scram_client_destroy(ScramClient *client); /* NULL is allowed */
/* client-first-message */
void scram_client_first(ScramClient *client, Buffer *out);
/* Takes server-first-message. Keys for salt and iterations (see scram_client_fits) are wanted
 * then; the salt lives as long as the client. */
ScramStatus scram_client_challenge(ScramClient *client, const void *data, size_t length,
                                   const char **reason);
const uint8_t *scram_client_salt(const ScramClient *client, size_t *length, uint32_t *iterations);
/* Whether keys that belong to secret answer the challenge. */
bool scram_client_fits(const ScramClient *client, const ScramSecret *secret);
/* client-final-message */
void scram_client_final(ScramClient *client, const ScramKeys *keys, Buffer *out);
/* Takes server-final-message: the server has shown that it knows the secret, too. */
ScramStatus scram_client_verify(ScramClient *client, const void *data, size_t length,
                                const char **reason);

/* ---- The server's side: a client logs in to us ---- */

typedef struct ScramServer ScramServer;

/* The secret is copied. doomed: the exchange goes on as any, and ends in SCRAM_DENIED. binding is
 * that of our own certificate where SCRAM-SHA-256-PLUS was offered, else NULL and 0. */
ScramServer *scram_server_create(const ScramSecret *secret, bool doomed, const uint8_t *binding,
                                 size_t binding_length);
void scram_server_destroy(ScramServer *server); /* NULL is allowed */
/* client-first-message of the mechanism chosen; appends server-first-message. */
ScramStatus scram_server_first(ScramServer *server, bool plus, const void *data, size_t length,
                               Buffer *out, const char **reason);
/* client-final-message; appends server-final-message. keys are then what logs this user in to a
 * server with the same secret. */
ScramStatus scram_server_final(ScramServer *server, const void *data, size_t length, Buffer *out,
                               ScramKeys *keys, const char **reason);

static inline void cleanup_scram_client(ScramClient **client)
{
    scram_client_destroy(*client);
}
#define _cleanup_scram_client_ _cleanup_(cleanup_scram_client)

static inline void cleanup_scram_server(ScramServer **server)
{
    scram_server_destroy(*server);
}
#define _cleanup_scram_server_ _cleanup_(cleanup_scram_server)
