/* The S3 driver: where a request goes, how it is signed and tried again, and uploads in parts. */
#pragma once

#include "store/parts.h"
#include "store/sigv4.h"
#include "store/store_internal.h"
#include "store/transfer.h"
#include "store/xml.h"

typedef struct {
    const char *origin; /* "https://host:port" */
    const char *host;   /* "host:port", as it is signed */
    const char *bucket;
    const char *base;   /* in front of every key: "/bucket/" or "/"; encoded */
    const char *prefix; /* of every key: "a/b/" or "" */
    SigKey key;
    const char *session_token; /* NULL: none */
    _Atomic int64_t skew_s;    /* the server's clock less ours */
    Connection *connection;    /* of the thread that opened the store; made when wanted */
} S3;

/* Credentials, from the environment or the file; ERR_USAGE when there are none. */
bool s3_credentials(Arena *arena, const char *file, S3 *s3, Error *err) MUST_CHECK;

typedef struct {
    const char *method;
    const char *name; /* of the object; NULL: of the bucket itself */
    const SigPair *query;
    size_t query_count;
    const SigPair *headers; /* besides those that every request has; signed as they are */
    size_t header_count;
    const char *body; /* NULL: none, or the file */
    bool sends_file;
    int descriptor; /* length bytes of path from offset on */
    const char *path;
    int64_t offset;
    int64_t length;
    bool wants_range;   /* length bytes of the object from offset on */
    bool saves;         /* the whole object into the file descriptor, from its start */
    bool xml_answer;    /* a 200 may carry an error in its body */
    int64_t silence_ms; /* 0: as usual */
    int64_t bytes_per_second;
    void (*moved)(void *context, int64_t bytes);
    void *context;
} S3Request;

/* How a request ended when it did not succeed. */
typedef enum {
    S3_OK,
    S3_MISSING, /* 404, whatever of */
    S3_DENIED,  /* 403 */
    S3_FAILED,  /* another final answer, or our own file */
    S3_AWAY,    /* no answer, or none but errors of the server, for as long as was tried */
    S3_STOPPED, /* Ctrl-C */
} S3Outcome;

/* Signs and sends, and again for as long as that can help. *answer was initialised by the caller
 * and holds the last answer; anything but S3_OK has filled err: S3_AWAY is ERR_UNREACHABLE. */
S3Outcome s3_request(Store *store, Connection *connection, const S3Request *request, Answer *answer,
                     Error *err) MUST_CHECK;
/* Likewise, on the store's own connection, for callers to whom all failures are one. */
bool s3_call(Store *store, const S3Request *request, Answer *answer, Error *err) MUST_CHECK;
bool s3_connection(S3 *s3, Connection **connection, Error *err) MUST_CHECK;
/* The root of an XML answer, which must be of that name. */
bool s3_answer_xml(Arena *arena, const Answer *answer, const char *name, XmlNode **root,
                   Error *err) MUST_CHECK;

/* What is put. */
typedef struct {
    int descriptor;
    const char *path;
    int64_t size;
    const char *name; /* of the object */
    const char *sha256;
} S3File;

/* ---- one multipart upload ------------------------------------------------------------------- */

#define ETAG_SIZE 128

/* Of one object, on the connection of one thread. */
typedef struct {
    Store *store;
    Connection *connection;
    const char *name; /* of the object */
    const char *id;   /* as the server calls the upload */
} Multipart;

/* Gives multipart->id, in the arena. sha256 is kept with the object; NULL: none is. */
bool multipart_begin(Arena *arena, Multipart *multipart, const char *sha256, Error *err) MUST_CHECK;
/* Puts what there is together. S3_MISSING: there is no such upload any more. */
S3Outcome multipart_complete(Arena *arena, const Multipart *multipart,
                             const char (*etags)[ETAG_SIZE], size_t count, Error *err) MUST_CHECK;
/* Takes it back. What fails is only logged. */
void multipart_abort(const Multipart *multipart);

/* Who hears how many bytes of the part went out; a second try counts from nought again. */
typedef struct {
    void (*moved)(void *context, int64_t bytes);
    void *context;
    int64_t bytes_per_second; /* 0: as fast as it goes */
} MultipartPace;

/* Sends bytes of the file as part number (1, 2, ...). */
bool multipart_send(const Multipart *multipart, size_t number, const S3File *file, int64_t offset,
                    int64_t length, const MultipartPace *pace, char etag[ETAG_SIZE],
                    Error *err) MUST_CHECK;
/* Has the server copy a part from the bytes of object at source. It must then have what the file
 * has from offset on, by the MD5 that it tells; whatever else comes of it leaves *copied false and
 * *why filled, for the part to be sent. */
bool multipart_copy(const Multipart *multipart, size_t number, const S3File *file,
                    const PartRun *run, const char *object, bool *copied, char etag[ETAG_SIZE],
                    Error *why, Error *err) MUST_CHECK;

/* In parts (parts.h); reuse may be NULL. */
bool s3_upload(Store *store, const S3File *file, const StoreReuse *reuse, int64_t *sent,
               Error *err) MUST_CHECK;
/* The object must be there, of that size and hash. To credentials that may only write the server
 * does not show it: that is no error, and *seen is false. */
bool s3_confirm(Store *store, const char *name, int64_t size, const char *sha256, bool *seen,
                Error *err) MUST_CHECK;
