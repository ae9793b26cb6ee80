/* Sessions that restore at the same time, each in a thread of its own.
 *
 * The leader starts them on one kind of work after the other and waits with a session of its own,
 * with which it cancels their statements when one of them failed. */
#pragma once

#include "backup/load_plan.h"
#include "base/cleanup.h"
#include "pg/session.h"

#define LOAD_JOBS_MAX 32

typedef struct LoadCrew LoadCrew;

typedef struct {
    LoadCrew *crew;
    Session *session;
    MemberReader *reader;
    const LoadSettings *settings; /* in force in the session; NULL: only the restore's own */
    bool one_process;             /* index builds of this session have no helpers */
} LoadWorker;

/* Opens the sessions. Where the server has no room for all of them, those that it has do the work;
 * none at all is an error. jobs 0: one for each core of this machine, 2 to 8. key is that of the
 * index, or NULL. */
bool load_crew_open(Log *log, const SessionOptions *connect, int jobs, const SealKey *key,
                    LoadCrew **crew, Error *err) MUST_CHECK;
void load_crew_close(LoadCrew *crew); /* NULL is allowed */
int load_crew_size(const LoadCrew *crew);

/* What each worker runs until nothing is left for it. */
typedef bool (*LoadWork)(LoadWorker *worker, void *data, Error *err);
/* Called in the leader's thread several times a second. */
typedef void (*LoadTick)(void *data);
/* Ends when all have ended; with the first failure when there was one. */
bool load_crew_run(LoadCrew *crew, Session *leader, LoadWork work, LoadTick tick, void *data,
                   Error *err) MUST_CHECK;

/* For the work, which shares what it has left to do under this lock. */
void load_crew_lock(LoadCrew *crew);
void load_crew_unlock(LoadCrew *crew);
/* Under the lock: until load_crew_wake, or a stop. */
void load_crew_wait(LoadCrew *crew);
void load_crew_wake(LoadCrew *crew);
/* Another worker failed, or the user wants no more. */
bool load_crew_stopped(const LoadCrew *crew);
/* Always false. */
bool load_crew_stop_error(Error *err);

/* How a session of a restore is to be: faster, and safe, because a crash loses only a database that
 * is not in use yet. Sessions share the memory for building indexes. */
bool load_prepare_session(Session *session, int sessions, Error *err) MUST_CHECK;
/* Makes these settings those of the session. *now is what they are; may be NULL. */
bool load_apply_settings(Session *session, const LoadSettings **now, const LoadSettings *wanted,
                         Error *err) MUST_CHECK;

static inline void cleanup_load_crew(LoadCrew **crew)
{
    load_crew_close(*crew);
}
#define _cleanup_load_crew_ _cleanup_(cleanup_load_crew)
