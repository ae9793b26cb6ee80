#include "backup/load_crew.h"

#include "base/interrupt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define TICK_MS 200
/* For building indexes, of all sessions together and of each. */
#define MAINTENANCE_MIB       1024
#define MAINTENANCE_MAX_MIB   256
#define MAINTENANCE_LEAST_MIB 32

typedef struct {
    LoadWorker worker;
    pthread_t thread;
    bool started;
} CrewMember;

struct LoadCrew {
    CrewMember members[LOAD_JOBS_MAX];
    int count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t ended;
    int running;
    atomic_bool stop;
    bool failed;
    Error failure;
    LoadWork work;
    void *data;
};

/* ---- sessions ---------------------------------------------------------------------------- */

bool load_prepare_session(Session *session, int sessions, Error *err)
{
    int mib = MAINTENANCE_MIB / (sessions > 0 ? sessions : 1);
    if (mib > MAINTENANCE_MAX_MIB)
        mib = MAINTENANCE_MAX_MIB;
    if (mib < MAINTENANCE_LEAST_MIB)
        mib = MAINTENANCE_LEAST_MIB;
    char sql[1024];
    (void)snprintf(
        sql, sizeof(sql),
        "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN "
        "('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', "
        "'transaction_timeout', 'idle_session_timeout'); "
        "SET default_transaction_read_only = off; SET synchronous_commit = off; "
        "SELECT set_config('maintenance_work_mem', greatest(setting::bigint, %d * 1024)::text, "
        "false) FROM pg_settings WHERE name = 'maintenance_work_mem'; "
        "SET check_function_bodies = off; SET client_min_messages = warning",
        mib);
    return session_execute(session, sql, err);
}

bool load_apply_settings(Session *session, const LoadSettings **now, const LoadSettings *wanted,
                         Error *err)
{
    if (*now == wanted)
        return true;
    for (size_t i = 0; i < wanted->count; i++) {
        if (!session_execute(session, wanted->statements[i], err))
            return error_context(err, "%s", wanted->statements[i]);
    }
    *now = wanted;
    return true;
}

static int job_count(int wanted)
{
    if (wanted > 0)
        return wanted < LOAD_JOBS_MAX ? wanted : LOAD_JOBS_MAX;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 2 : cores > 8 ? 8 : (int)cores;
}

static bool open_member(LoadCrew *crew, const SessionOptions *connect, int jobs, Error *err)
{
    LoadWorker *worker = &crew->members[crew->count].worker;
    SessionOptions options = *connect;
    options.log = NULL; /* not from threads */
    if (crew->count)
        options.attempts = 1;
    if (!session_open(&options, &worker->session, err))
        return false;
    worker->crew = crew;
    worker->reader = member_reader_create();
    crew->count++;
    return load_prepare_session(worker->session, jobs, err);
}

bool load_crew_open(Log *log, const SessionOptions *connect, int jobs, const SealKey *key,
                    LoadCrew **opened, Error *err)
{
    LoadCrew *crew = calloc(1, sizeof(*crew));
    if (!crew)
        abort();
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
    (void)pthread_cond_init(&crew->ended, NULL);
    *opened = crew;
    jobs = job_count(jobs);
    for (int i = 0; i < jobs; i++) {
        Error error = {0};
        if (open_member(crew, connect, jobs, &error)) {
            member_reader_set_key(crew->members[i].worker.reader, key);
            continue;
        }
        if (!i || error.code != ERR_UNREACHABLE || crew->count != i) {
            *err = error;
            return false;
        }
        log_warn(log, "restoring by %d sessions instead of %d: %s", i, jobs, error.message);
        break;
    }
    return true;
}

void load_crew_close(LoadCrew *crew)
{
    if (!crew)
        return;
    for (int i = 0; i < crew->count; i++) {
        session_close(crew->members[i].worker.session);
        member_reader_destroy(crew->members[i].worker.reader);
    }
    (void)pthread_cond_destroy(&crew->ended);
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew);
}

int load_crew_size(const LoadCrew *crew)
{
    return crew->count;
}

/* ---- threads ----------------------------------------------------------------------------- */

void load_crew_lock(LoadCrew *crew)
{
    (void)pthread_mutex_lock(&crew->lock);
}

void load_crew_unlock(LoadCrew *crew)
{
    (void)pthread_mutex_unlock(&crew->lock);
}

void load_crew_wait(LoadCrew *crew)
{
    if (!load_crew_stopped(crew))
        (void)pthread_cond_wait(&crew->changed, &crew->lock);
}

void load_crew_wake(LoadCrew *crew)
{
    (void)pthread_cond_broadcast(&crew->changed);
}

bool load_crew_stopped(const LoadCrew *crew)
{
    return atomic_load(&crew->stop);
}

bool load_crew_stop_error(Error *err)
{
    return error_set(err, ERR_FAILED, "the restore was stopped");
}

/* Under the lock. What fails after a stop fails because of it. */
static void note_failure(LoadCrew *crew, const Error *failure)
{
    if (!crew->failed && !load_crew_stopped(crew)) {
        crew->failed = true;
        crew->failure = *failure;
    }
    atomic_store(&crew->stop, true);
    load_crew_wake(crew);
}

static void *run_member(void *data)
{
    LoadWorker *worker = data;
    LoadCrew *crew = worker->crew;
    Error error = {0};
    bool done = crew->work(worker, crew->data, &error);
    load_crew_lock(crew);
    if (!done)
        note_failure(crew, &error);
    crew->running--;
    (void)pthread_cond_signal(&crew->ended);
    load_crew_unlock(crew);
    return NULL;
}

static void start_members(LoadCrew *crew)
{
    for (int i = 0; i < crew->count; i++) {
        CrewMember *member = &crew->members[i];
        crew->running++;
        int errnum = pthread_create(&member->thread, NULL, run_member, &member->worker);
        member->started = errnum == 0;
        if (member->started)
            continue;
        Error error = {0};
        (void)error_set_errno(&error, ERR_FAILED, errnum, "cannot start a thread");
        crew->running--;
        note_failure(crew, &error);
    }
}

/* A statement that was just being sent is missed: the caller comes again. */
static void cancel_members(const LoadCrew *crew, Session *leader)
{
    for (int i = 0; i < crew->count; i++) {
        char sql[64];
        Error ignored = {0};
        (void)snprintf(sql, sizeof(sql), "SELECT pg_cancel_backend(%d)",
                       session_backend_pid(crew->members[i].worker.session));
        (void)!session_execute(leader, sql, &ignored);
    }
}

static void wait_for_end(LoadCrew *crew)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (crew->running)
        (void)pthread_cond_timedwait(&crew->ended, &crew->lock, &until);
}

bool load_crew_run(LoadCrew *crew, Session *leader, LoadWork work, LoadTick tick, void *data,
                   Error *err)
{
    crew->work = work;
    crew->data = data;
    load_crew_lock(crew);
    start_members(crew);
    while (crew->running) {
        wait_for_end(crew);
        if (interrupt_pending() && !load_crew_stopped(crew)) {
            Error error = {0};
            (void)!interrupt_check(&error);
            note_failure(crew, &error);
        }
        bool cancel = crew->running && load_crew_stopped(crew);
        load_crew_unlock(crew);
        if (cancel && !interrupt_pending()) /* otherwise each cancels its own */
            cancel_members(crew, leader);
        if (tick)
            tick(data);
        load_crew_lock(crew);
    }
    load_crew_unlock(crew);
    for (int i = 0; i < crew->count; i++) {
        if (crew->members[i].started)
            (void)pthread_join(crew->members[i].thread, NULL);
    }
    if (crew->failed)
        *err = crew->failure;
    return !crew->failed;
}
