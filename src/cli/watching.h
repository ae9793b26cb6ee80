/* The beginning of a command that only looks at a database: state, target, a session with short
 * timeouts (pg/watch.h), and which database it is. */
#pragma once

#include "cli/command.h"

typedef struct {
    State *state;
    Session *session;
    Target target;
    DatabaseIdentity identity;
} Watching;

/* The caller closes it: `_cleanup_watching_ Watching watching = {0};` */
bool watching_open(Context *context, Watching *watching, Error *err) MUST_CHECK;
void watching_close(Watching *watching);
#define _cleanup_watching_ _cleanup_(watching_close)

/* " -e staging" or " --url ..." as it was given, "" for neither: to repeat in a command to type. */
const char *watching_flags(const Context *context);
