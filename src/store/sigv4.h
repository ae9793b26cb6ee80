/* AWS Signature Version 4: pure functions from a request to its Authorization header.
 *
 * After "Create a signed AWS API request" of the AWS General Reference, with S3's two exceptions:
 * the path is encoded once, and "x-amz-content-sha256" is a header like any other. Tested with the
 * vectors that AWS publishes. */
#pragma once

#include "base/arena.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* of a header: in lower case */
    const char *value;
} SigPair;

typedef struct {
    const char *method;
    const char *path;     /* encoded: sigv4_encode(..., true) */
    const SigPair *query; /* not encoded, in any order */
    size_t query_count;
    const SigPair *headers; /* all of these are signed; in any order, names unique */
    size_t header_count;
    const char *payload_sha256; /* 64 digits */
} SigRequest;

typedef struct {
    const char *access_key;
    const char *secret_key;
    const char *region;
    const char *service; /* "s3" */
} SigKey;

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~, and '/' unless it is to stay. */
char *sigv4_encode(Arena *arena, const char *text, bool keep_slash);
/* Sorted by encoded name and value; also what is sent behind '?'. */
char *sigv4_query(Arena *arena, const SigPair *query, size_t count);
/* "20130524T000000Z" */
char *sigv4_time(Arena *arena, int64_t unix_s);

/* *signed_headers: "host;range;x-amz-date" */
char *sigv4_canonical_request(Arena *arena, const SigRequest *request, char **signed_headers);
/* time as sigv4_time gives it. */
char *sigv4_string_to_sign(Arena *arena, const SigKey *key, const char *time,
                           const char *canonical_request);
void sigv4_signature(const SigKey *key, const char *time, const char *string_to_sign,
                     char hex[HASH_HEX_SIZE]);
/* The value of the header Authorization. */
char *sigv4_authorization(Arena *arena, const SigKey *key, const char *time,
                          const SigRequest *request);
