/* Child programs: run to the end, or with their output as a stream; always without a shell.
 *
 * A child gets the environment of this process, or next to none of it, with the additions given,
 * standard input from /dev/null unless said, its own process group (so that Ctrl-C reaches us first
 * and we end it in order), and no other open file. It dies with us (PR_SET_PDEATHSIG). */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    const char *const *argv;        /* ends in NULL; argv[0] with a slash, or searched in PATH */
    const char *const *environment; /* "NAME=value" additions, ends in NULL; may be NULL */
    const char *directory;          /* working directory; NULL keeps ours */
    uid_t uid;                      /* with gid: run as this user when we are root; 0 keeps ours */
    gid_t gid;
    bool
        no_network; /* as root, where the kernel allows: a network of its own, with nothing in it */
    bool bare_environment; /* of ours only what finds programs: no password and no key */
    bool outlives_us;      /* no PR_SET_PDEATHSIG, a session of its own: for starting a daemon */
    int64_t timeout_ms;    /* process_run only; 0 for none */
} ProcessSpec;

/* Runs to the end. out and err_out may be NULL (then discarded). Output past the maximum of out is
 * an error; of err_out the last bytes are kept. *status is the exit status, or 128
 * plus the signal. Not starting, a timeout and an interrupt are errors; a status other than 0 is
 * not. An interrupt ends the child with SIGTERM first. */
bool process_run(const ProcessSpec *spec, Buffer *out, Buffer *err_out, int *status,
                 Error *err) MUST_CHECK;
/* As process_run, but a status other than 0 is ERR_FAILED with the child's last lines of stderr,
 * and where they are many with the last line before them that names an error. */
bool process_check(const ProcessSpec *spec, Buffer *out, Error *err) MUST_CHECK;

typedef struct {
    pid_t pid;
    int out; /* its standard output, to read; -1 when none was asked for */
    int in;  /* its standard input, to write; -1 when none was asked for */
    int err; /* its standard error, to read */
} Process;

/* Starts it; the caller reads and writes the descriptors (they are close-on-exec) and must call
 * process_wait or process_kill. */
bool process_start(const ProcessSpec *spec, bool want_in, bool want_out, Process *process,
                   Error *err) MUST_CHECK;
/* Closes the descriptors and waits. */
bool process_wait(Process *process, int *status, Error *err) MUST_CHECK;
/* SIGTERM, up to 5 s of patience, SIGKILL; reaped. No-op when it was waited for. */
void process_kill(Process *process);

/* Where a program is in PATH, NULL when nowhere. */
const char *process_find(Arena *arena, const char *name);
/* The user's ids; false when there is no such user. */
bool process_user(const char *name, uid_t *uid, gid_t *gid) MUST_CHECK;
