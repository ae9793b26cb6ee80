/* Talk with the person at the terminal: everything here goes to stderr; data goes to stdout.
 *
 * A Log is made once by main and passed. It is not thread-safe beyond what stdio gives: one call is
 * one line. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>

typedef struct {
    FILE *out;       /* stderr */
    bool quiet;      /* -q: only warnings and errors */
    bool verbose;    /* -v: debug lines too */
    bool color;      /* a terminal, and neither NO_COLOR, TERM=dumb nor --no-color */
    bool terminal;   /* out is a terminal: progress bars may redraw */
    bool can_ask;    /* stdin and stderr are terminals and --no-input was not given */
    bool assume_yes; /* -y */
    int bar_width;   /* columns of a progress bar now on the last line, 0 when none */
} Log;

void log_init(Log *log, FILE *out, bool no_color);

void log_info(Log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(Log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(Log *log, const char *format, ...) PRINTF_LIKE(2, 3);
/* "error: message" and, when there is one, the hint on its own line. */
void log_error(Log *log, const Error *err);

/* ANSI codes, "" without colour. */
const char *log_bold(const Log *log);
const char *log_red(const Log *log);
const char *log_reset(const Log *log);

/* Asks a yes/no question on the terminal. True on "y" or "yes", and under -y. Without a terminal to
 * ask on, fails with ERR_REFUSED naming the flag that answers it; "no" is ERR_REFUSED too. */
bool log_confirm(Log *log, Error *err, const char *format, ...) PRINTF_LIKE(3, 4) MUST_CHECK;
/* Asks for the exact words. -y does not answer it. */
bool log_confirm_words(Log *log, const char *words, Error *err, const char *format, ...)
    PRINTF_LIKE(4, 5) MUST_CHECK;
/* Asks for a line that is not shown while it is typed, such as a passphrase. Without a terminal, or
 * where it is longer than size allows, ERR_REFUSED. */
bool log_ask_secret(Log *log, const char *question, char *secret, size_t size,
                    Error *err) MUST_CHECK;
