/* Errors as values.
 *
 * A fallible function returns bool (true is success), takes `Error *err` last and is MUST_CHECK. On
 * failure it has filled *err and returns false; on success *err is untouched. Library code never
 * prints an error: each caller may add context on the way up, and the command prints it once.
 *
 * An Error owns nothing and needs no cleanup; it may be copied. Texts longer than their field are
 * cut at a character boundary and end in "...". err is never NULL. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

/* The value is the exit status of the command (the contract of the command line). */
typedef enum {
    ERR_NONE = 0,
    ERR_FAILED = 1,      /* it was tried and did not work */
    ERR_USAGE = 2,       /* wrong arguments or configuration; nothing was touched */
    ERR_REFUSED = 3,     /* a guard said no; nothing was touched */
    ERR_PROBLEMS = 4,    /* the command worked and found what must be mended */
    ERR_UNREACHABLE = 5, /* the database, or the off-site store, could not be reached */
    ERR_OFFSITE = 6,     /* good here, not yet off-site */
    ERR_INTERRUPTED = 130,
} ErrorCode;

#define ERROR_MESSAGE_MAX 4096
#define ERROR_HINT_MAX    2048

typedef struct {
    ErrorCode code;
    char sqlstate[6]; /* "" when the server was not the source */
    int position;     /* 1-based character offset in the failed statement, 0 when unknown */
    char message[ERROR_MESSAGE_MAX];
    char hint[ERROR_HINT_MAX]; /* what to do next, ideally a command to type; "" when none */
} Error;

/* Initialise with `Error err = {0};` */

/* Each returns false, so that a function can end in `return error_set(err, ...)`. */
bool error_set(Error *err, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);
/* As error_set, with ": " and the text of errnum appended. */
bool error_set_errno(Error *err, ErrorCode code, int errnum, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Replaces the hint. */
bool error_hint(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts "text: " before the message. */
bool error_context(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* "failed", "usage", "refused", ...: the word used in JSON. */
const char *error_code_name(ErrorCode code);
