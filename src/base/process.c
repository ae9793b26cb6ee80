#include "base/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define KILL_PATIENCE_MS 5000

/* Runs in the child, after fork: nothing but async-signal-safe calls on prepared data. */
typedef struct {
    const ProcessSpec *spec;
    const char *program;
    char **argv;
    char **environment;
    int in, out, err;
    int report; /* errno of a failed start goes here; close-on-exec says it worked */
    pid_t parent;
} Child;

static _Noreturn void child_fail(const Child *child)
{
    int errnum = errno;
    (void)!write(child->report, &errnum, sizeof(errnum));
    _exit(127);
}

static bool child_become(const ProcessSpec *spec)
{
    if (!spec->uid || geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(spec->gid, spec->gid, spec->gid) == 0 &&
           setresuid(spec->uid, spec->uid, spec->uid) == 0;
}

static _Noreturn void child_main(const Child *child)
{
    const ProcessSpec *spec = child->spec;
    /* Containers often forbid it: who asks looks whether it worked. */
    if (spec->no_network && geteuid() == 0)
        (void)unshare(CLONE_NEWNET);
    if (spec->outlives_us ? setsid() < 0 : setpgid(0, 0) != 0)
        child_fail(child);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (dup2(child->in, STDIN_FILENO) < 0 || dup2(child->out, STDOUT_FILENO) < 0 ||
        dup2(child->err, STDERR_FILENO) < 0)
        child_fail(child);
    /* Ours are close-on-exec; what we have inherited ourselves (a lock of a script, say) must not
     * live on in a server that we start. Kernels before 5.11 cannot do this. */
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    if (!child_become(spec))
        child_fail(child);
    if (spec->directory && chdir(spec->directory) != 0)
        child_fail(child);
    if (!spec->outlives_us) {
        /* after setresuid, which clears it */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != child->parent)
            child_fail(child);
    }
    (void)execve(child->program, child->argv, child->environment);
    child_fail(child);
}

const char *process_find(Arena *arena, const char *name)
{
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? name : NULL;
    const char *path = getenv("PATH");
    StrList folders;
    str_list_init(&folders, arena);
    str_split(&folders, path ? path : "/usr/local/bin:/usr/bin:/bin", ":");
    for (size_t i = 0; i < folders.count; i++) {
        const char *candidate = path_join(arena, folders.items[i], name);
        if (access(candidate, X_OK) == 0 && !file_is_directory(candidate))
            return candidate;
    }
    return NULL;
}

bool process_user(const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return false;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return true;
}

/* What a program needs to run at all. */
static bool is_bare(const char *entry)
{
    static const char *const names[] = {"PATH=", "LD_LIBRARY_PATH=", "TZ=", "TMPDIR="};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_starts(entry, names[i]))
            return true;
    }
    return false;
}

/* Our environment with the additions; an addition replaces what we have of the same name. */
static char **merge_environment(Arena *arena, const char *const *additions, bool bare)
{
    size_t ours = 0;
    size_t added = 0;
    while (environ[ours])
        ours++;
    while (additions && additions[added])
        added++;
    char **merged = arena_array(arena, ours + added + 1, sizeof(*merged));
    size_t count = 0;
    for (size_t i = 0; i < ours; i++) {
        bool left_out = bare && !is_bare(environ[i]);
        for (size_t j = 0; j < added && !left_out; j++) {
            size_t name = (size_t)(strchrnul(additions[j], '=') - additions[j]) + 1;
            left_out = strncmp(environ[i], additions[j], name) == 0;
        }
        if (!left_out)
            merged[count++] = environ[i];
    }
    for (size_t j = 0; j < added; j++)
        merged[count++] = arena_strdup(arena, additions[j]);
    return merged;
}

static char **copy_argv(Arena *arena, const char *const *argv)
{
    size_t count = 0;
    while (argv[count])
        count++;
    char **copy = arena_array(arena, count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, argv[i]);
    return copy;
}

typedef struct {
    int ends[2];
} Pipe;

static void pipe_close(Pipe *pipe_ends)
{
    cleanup_close(&pipe_ends->ends[0]);
    cleanup_close(&pipe_ends->ends[1]);
}
#define _cleanup_pipe_ _cleanup_(pipe_close)

static bool pipe_open(Pipe *pipe_ends, bool wanted)
{
    *pipe_ends = (Pipe){{-1, -1}};
    return !wanted || pipe2(pipe_ends->ends, O_CLOEXEC) == 0;
}

/* Waits until exec has happened (the pipe closes) or failed (errno arrives). */
static bool await_exec(Pipe *report, pid_t pid, const char *name, Error *err)
{
    cleanup_close(&report->ends[1]);
    report->ends[1] = -1;
    int errnum = 0;
    ssize_t got = 0;
    do
        got = read(report->ends[0], &errnum, sizeof(errnum));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(errnum))
        return true;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return error_set_errno(err, ERR_FAILED, errnum, "cannot start %s", name);
}

static int take_end(Pipe *pipe_ends, int end)
{
    int descriptor = pipe_ends->ends[end];
    pipe_ends->ends[end] = -1;
    return descriptor;
}

bool process_start(const ProcessSpec *spec, bool want_in, bool want_out, Process *process,
                   Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *program = process_find(arena, spec->argv[0]);
    if (!program)
        return error_set(err, ERR_FAILED, "program %s was not found", spec->argv[0]);
    _cleanup_pipe_ Pipe report = {{-1, -1}};
    _cleanup_pipe_ Pipe in = {{-1, -1}};
    _cleanup_pipe_ Pipe out = {{-1, -1}};
    _cleanup_pipe_ Pipe errors = {{-1, -1}};
    _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || !pipe_open(&report, true) || !pipe_open(&in, want_in) ||
        !pipe_open(&out, want_out) || !pipe_open(&errors, true))
        return error_set_errno(err, ERR_FAILED, errno, "cannot start %s", program);
    Child child = {
        .spec = spec,
        .program = program,
        .argv = copy_argv(arena, spec->argv),
        .environment = merge_environment(arena, spec->environment, spec->bare_environment),
        .in = want_in ? in.ends[0] : null,
        .out = want_out ? out.ends[1] : null,
        .err = errors.ends[1],
        .report = report.ends[1],
        .parent = getpid(),
    };
    pid_t pid = fork();
    if (pid < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot start %s", program);
    if (pid == 0)
        child_main(&child);
    if (!await_exec(&report, pid, program, err))
        return false;
    *process = (Process){
        .pid = pid, .in = take_end(&in, 1), .out = take_end(&out, 0), .err = take_end(&errors, 0)};
    return true;
}

static void close_streams(Process *process)
{
    cleanup_close(&process->in);
    cleanup_close(&process->out);
    cleanup_close(&process->err);
    process->in = process->out = process->err = -1;
}

static int status_number(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool process_wait(Process *process, int *status, Error *err)
{
    close_streams(process);
    int wait_status = 0;
    pid_t pid = 0;
    do
        pid = waitpid(process->pid, &wait_status, 0);
    while (pid < 0 && errno == EINTR);
    process->pid = 0;
    if (pid < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot wait for a program");
    *status = status_number(wait_status);
    return true;
}

void process_kill(Process *process)
{
    if (process->pid <= 0)
        return;
    close_streams(process);
    (void)kill(-process->pid, SIGTERM);
    (void)kill(process->pid, SIGTERM);
    int64_t until = clock_monotonic_ms() + KILL_PATIENCE_MS;
    while (waitpid(process->pid, NULL, WNOHANG) == 0) {
        if (clock_monotonic_ms() > until) {
            (void)kill(-process->pid, SIGKILL); /* what it has started too */
            (void)kill(process->pid, SIGKILL);
            (void)waitpid(process->pid, NULL, 0);
            break;
        }
        struct timespec nap = {.tv_nsec = 10 * 1000000};
        (void)nanosleep(&nap, NULL);
    }
    process->pid = 0;
}

/* Appends; where that passes the maximum the oldest bytes go. */
static bool append_tail(Buffer *buffer, const char *data, size_t length)
{
    if (length > buffer->max) {
        data += length - buffer->max;
        length = buffer->max;
    }
    size_t room = buffer->max - buffer->length;
    if (length > room)
        buffer_consume(buffer, length - room);
    return buffer_append(buffer, data, length);
}

/* Reads what is there; closes the descriptor at its end. */
static bool drain(int *descriptor, Buffer *into, bool tail, Error *err)
{
    char chunk[16384];
    ssize_t got = read(*descriptor, chunk, sizeof(chunk));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0) {
        cleanup_close(descriptor);
        *descriptor = -1;
        return true;
    }
    if (!into)
        return true;
    bool appended =
        tail ? append_tail(into, chunk, (size_t)got) : buffer_append(into, chunk, (size_t)got);
    if (!appended)
        return buffer_check(into, "the output of a program", err);
    return true;
}

/* Why a wait for the program ends before the program: an interrupt or the deadline. */
static bool may_go_on(const ProcessSpec *spec, int64_t started_ms, Error *err)
{
    if (!interrupt_check(err))
        return false;
    if (spec->timeout_ms && clock_monotonic_ms() - started_ms > spec->timeout_ms)
        return error_set(err, ERR_FAILED, "it took longer than %lld ms",
                         (long long)spec->timeout_ms);
    return true;
}

static bool collect(const ProcessSpec *spec, int64_t started_ms, Process *process, Buffer *out,
                    Buffer *err_out, Error *err)
{
    while (process->out >= 0 || process->err >= 0) {
        struct pollfd waits[2] = {{.fd = process->out, .events = POLLIN},
                                  {.fd = process->err, .events = POLLIN}};
        int ready = poll(waits, 2, 200);
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERR_FAILED, errno, "cannot wait for a program");
        if (!may_go_on(spec, started_ms, err))
            return false;
        if (ready <= 0)
            continue;
        if (waits[0].revents && !drain(&process->out, out, false, err))
            return false;
        if (waits[1].revents && !drain(&process->err, err_out, true, err))
            return false;
    }
    /* It has closed its output; it may still go on for long. */
    siginfo_t ended = {0};
    while (waitid(P_PID, (id_t)process->pid, &ended, WEXITED | WNOWAIT | WNOHANG) == 0 &&
           ended.si_pid == 0) {
        if (!may_go_on(spec, started_ms, err))
            return false;
        struct timespec nap = {.tv_nsec = 1000000};
        (void)nanosleep(&nap, NULL);
    }
    return true;
}

bool process_run(const ProcessSpec *spec, Buffer *out, Buffer *err_out, int *status, Error *err)
{
    Process process = {0};
    int64_t started_ms = clock_monotonic_ms();
    if (!process_start(spec, false, true, &process, err))
        return false;
    if (!collect(spec, started_ms, &process, out, err_out, err)) {
        process_kill(&process);
        return error_context(err, "%s", spec->argv[0]);
    }
    return process_wait(&process, status, err);
}

/* The last line before `end` that says what went wrong, as PostgreSQL's programs and server write
 * it; *length 0: none. Behind it a server may have printed the whole statement. */
static const char *error_line(const char *talk, const char *end, size_t *length)
{
    static const char *const words[] = {"PANIC: ", "FATAL: ", "ERROR: ", "error: "};
    const char *found = talk;
    *length = 0;
    while (talk < end) {
        size_t line = strcspn(talk, "\n");
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            const char *word = strstr(talk, words[i]);
            if (word && word < talk + line && talk + line <= end) {
                found = talk;
                *length = line;
            }
        }
        talk += line + 1;
    }
    return found;
}

bool process_check(const ProcessSpec *spec, Buffer *out, Error *err)
{
    _cleanup_buffer_ Buffer talk;
    buffer_init(&talk, BUFFER_MAX_LINE);
    int status = 0;
    if (!process_run(spec, out, &talk, &status, err))
        return false;
    if (status == 0)
        return true;
    const char *all = str_trim(talk.data);
    const char *tail = all;
    if (strlen(tail) > ERROR_MESSAGE_MAX / 2)
        tail += strlen(tail) - ERROR_MESSAGE_MAX / 2;
    while (((unsigned char)*tail & 0xC0) == 0x80) /* the rest of a character that was cut */
        tail++;
    size_t length = 0;
    const char *cause = error_line(all, tail, &length);
    length = length > ERROR_MESSAGE_MAX / 4 ? ERROR_MESSAGE_MAX / 4 : length;
    return error_set(err, ERR_FAILED, "%s ended with status %d%s%.*s%s%s",
                     path_basename(spec->argv[0]), status, *tail ? ": " : "", (int)length, cause,
                     length ? "\n...\n" : "", tail);
}
