/* A pooler between us and the server that gives every transaction another server connection: then
 * no session state is ours, neither settings nor locks. */
#pragma once

#include "pg/session.h"

/* ERR_USAGE where there is one. Asked before a lock is taken, which would stay behind on the
 * pooler's connection; options open a second connection where a pooler is suspected. purpose:
 * "backups". */
bool session_check_pooler(Session *session, const SessionOptions *options, const char *purpose,
                          Error *err) MUST_CHECK;
/* The error of that, for one who finds out by other means. Returns false. */
bool session_pooled(const char *purpose, Error *err);
