#include "pg/pooler.h"

#include "base/str.h"

#define TRIES 5

bool session_pooled(const char *purpose, Error *err)
{
    (void)error_set(err, ERR_USAGE,
                    "the connection goes through a pooler that changes the server connection "
                    "between transactions, so a lock cannot be held");
    return error_hint(err,
                      "connect directly to the server for %s (its own host and port, usually 5432)",
                      purpose);
}

static bool backend_of(Session *session, Arena *arena, const char **pid, Error *err)
{
    return session_scalar(session, arena, "SELECT pg_backend_pid()", pid, err);
}

/* A server connection of a session's own answers all its queries and nobody else's. Three queries a
 * round: a pooler with two of them that takes turns must not seem to give each session its own. */
static bool share_backends(Session *first, Session *second, bool *shared, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Session *const asked[] = {first, second, second};
    const char *pids[2] = {NULL, NULL};
    for (size_t i = 0; i < TRIES * COUNT_OF(asked); i++) {
        Session *session = asked[i % COUNT_OF(asked)];
        const char *pid = NULL, **last = &pids[session == second];
        if (!backend_of(session, arena, &pid, err))
            return false;
        *shared |= *last && !str_equal(*last, pid);
        *last = pid;
    }
    *shared |= str_equal(pids[0], pids[1]);
    return true;
}

bool session_check_pooler(Session *session, const SessionOptions *options, const char *purpose,
                          Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *answering = NULL;
    if (!backend_of(session, arena, &answering, err))
        return false;
    if (str_equal(answering, arena_printf(arena, "%d", session_backend_pid(session))))
        return true; /* the server itself answered */
    _cleanup_session_ Session *second = NULL;
    bool shared = false;
    return session_open(options, &second, err) && share_backends(session, second, &shared, err) &&
           (!shared || session_pooled(purpose, err));
}
