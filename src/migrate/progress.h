/* What a statement that takes long is doing: asked by a second connection while it is waited for,
 * told to the person who waits.
 *
 *     an index is built      its phase, how far it is, the rate and the time left
 *     a lock is waited for   who holds it: process, user, application, for how long, its statement;
 *                            after a second, and again when it is somebody else
 *
 * Under -q nothing is told, and whom it waited for is still known for the message of a failure. */
#pragma once

#include "base/log.h"
#include "base/progress.h"
#include "pg/session.h"

#define WATCH_TEXT_MAX 1200

typedef struct {
    Session *guard; /* asks */
    Log *log;       /* may be NULL */
    const char *file;
    int process;                   /* of the server, that works */
    int64_t waited_ms;             /* by the statement, at the last look */
    int64_t waits_since_ms;        /* waited_ms when it did not wait for a lock yet */
    char blockers[WATCH_TEXT_MAX]; /* seen last, in words; "" for none */
    char told[WATCH_TEXT_MAX];     /* processes that were named already */
    char pids[WATCH_TEXT_MAX];     /* processes of `blockers` */
    char phase[128];               /* of the index build, that `progress` is about */
    char label[256];
    Progress progress;
    bool showing; /* progress is on the terminal */
} StatementWatch;

/* From now on work's statements are watched, which the server's process runs. The watch must
 * outlive the session. */
void statement_watch_begin(StatementWatch *watch, Session *work, int process, Session *guard,
                           Log *log, int64_t lock_timeout_ms);
/* A file begins: what was seen before is forgotten. file may be NULL and is not copied. */
void statement_watch_file(StatementWatch *watch, const char *file);
/* A statement has ended: takes the bar off the terminal. Whom a failed one waited for stays known.
 */
void statement_watch_end(StatementWatch *watch, bool done);
/* Names the blockers that were seen last, unless they have been named. */
void statement_watch_tell_blockers(StatementWatch *watch);
