/* One HTTP request or SFTP operation over libcurl, and its answer.
 *
 * A Connection belongs to one thread and keeps its socket open between transfers. Redirects are not
 * followed: a signature is for one host. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Connection Connection;

/* Of a transfer by SFTP. A url that ends in '/' gives the names in a folder, as `ls -la` has them.
 * What is sent goes behind the first offset bytes of a file that is there. */
typedef struct {
    const char *key_file;    /* NULL: those of the agent */
    const char *known_hosts; /* the server's key must be in this file */
    const StrList *commands; /* "rm \"/a\"", obeyed instead of anything else; NULL: none */
    const char *range;       /* "0-99", of what is read; NULL: all */
} SshTransfer;

typedef struct {
    const char *method;
    const char *url;
    const StrList *headers; /* "name: value" */
    const SshTransfer *ssh; /* NULL: it is HTTP; otherwise method and headers mean nothing */
    /* What is sent: body, or length bytes of a file from offset on when descriptor is not -1. */
    const char *body;
    int descriptor;
    int64_t offset;
    int64_t length;
    /* Where the content of a good answer (status 2xx) goes: a file from save_offset on, or, when
     * save is -1, the answer's body. */
    int save;
    int64_t save_offset;
    int64_t bytes_per_second; /* 0: as fast as it goes */
    int64_t silence_ms;       /* this long without a byte is a failure */
    /* Called now and then with the bytes of this request so far; may be NULL. */
    void (*moved)(void *context, int64_t bytes);
    void *context;
} Transfer;

typedef struct {
    long status;    /* of HTTP, 0: none came */
    Buffer body;    /* of an error, and of what was not saved */
    int64_t saved;  /* bytes written to the file */
    int64_t length; /* Content-Length, -1: not said */
    int64_t date;   /* of the server, 0: not said */
    int64_t modified_at;
    char etag[128];     /* with its quotes */
    char sha256[65];    /* x-amz-meta-sha256 */
    char region[64];    /* x-amz-bucket-region */
    bool missing;       /* by SFTP: there is no such file */
    bool refused;       /* by SFTP: the login, the server's key, or what was to be done */
    bool again;         /* the transfer itself failed, and can succeed later */
    char failure[512];  /* then, and when it failed for good: what libcurl says */
    bool local_failure; /* we could not read or write our own file: failure says why */
} Answer;

bool connection_open(Connection **connection, Error *err) MUST_CHECK;
void connection_close(Connection *connection); /* NULL is allowed */

/* Fills *answer, which the caller initialised with answer_init. False is only Ctrl-C: whether the
 * transfer came to an answer is answer->status (by SFTP: 200 for success), and otherwise
 * answer->failure. */
bool connection_perform(Connection *connection, const Transfer *transfer, Answer *answer,
                        Error *err) MUST_CHECK;

void answer_init(Answer *answer);
void answer_free(Answer *answer);
#define _cleanup_answer_ _cleanup_(answer_free)

static inline void cleanup_connection(Connection **connection)
{
    connection_close(*connection);
}
#define _cleanup_connection_ _cleanup_(cleanup_connection)
