#include "backup/dump_stream.h"

#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#define CHUNK_BYTES   262144
#define TALK_BYTES    8192
#define POLL_SLICE_MS 200
#define ARGUMENTS_MAX 16

/* In the time zone in which a backup has its rows: they are compared as text. */
static const char *const *environment_of(Arena *arena, const Session *session)
{
    const char *const *given = session_environment(session, arena);
    size_t count = 0;
    while (given[count])
        count++;
    const char **environment = arena_array(arena, count + 2, sizeof(*environment));
    for (size_t i = 0; i < count; i++)
        environment[i] = given[i];
    environment[count] = "PGTZ=UTC";
    environment[count + 1] = NULL;
    return environment;
}

bool dump_stream_start(Arena *arena, const PgDump *tool, const Session *session,
                       const char *const *arguments, DumpStream *stream, Error *err)
{
    const char *argv[ARGUMENTS_MAX + 4] = {tool->path, "--format=plain", "--no-password"};
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        argv[i + 3] = arguments[i];
    ProcessSpec spec = {.argv = argv, .environment = environment_of(arena, session)};
    *stream = (DumpStream){.process = {.out = -1, .in = -1, .err = -1}};
    buffer_init(&stream->talk, TALK_BYTES * 2);
    if (!process_start(&spec, false, true, &stream->process, err))
        return false;
    (void)fcntl(stream->process.out, F_SETPIPE_SZ, 1 << 20); /* fewer switches; only a wish */
    return true;
}

static bool take_output(DumpStream *stream, const DumpSink *sink, char *chunk, bool *ended,
                        Error *err)
{
    ssize_t got = read(stream->process.out, chunk, CHUNK_BYTES);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read from pg_dump");
    *ended = got == 0;
    return *ended || sink->take(sink->data, chunk, (size_t)got, err);
}

static void take_talk(DumpStream *stream)
{
    char chunk[1024];
    ssize_t got = read(stream->process.err, chunk, sizeof(chunk));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        cleanup_close(&stream->process.err);
        stream->process.err = -1;
        return;
    }
    if (stream->talk.length + (size_t)got > TALK_BYTES)
        buffer_consume(&stream->talk, stream->talk.length / 2);
    (void)buffer_append(&stream->talk, chunk, (size_t)got);
}

static bool pump(DumpStream *stream, const DumpSink *sink, char *chunk, Error *err)
{
    bool ended = false;
    while (!ended || stream->process.err >= 0) {
        struct pollfd waits[2] = {{.fd = ended ? -1 : stream->process.out, .events = POLLIN},
                                  {.fd = stream->process.err, .events = POLLIN}};
        int ready = poll(waits, 2, POLL_SLICE_MS);
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERR_FAILED, errno, "cannot wait for pg_dump");
        if (!interrupt_check(err) || (sink->watch && !sink->watch(sink->data, err)))
            return false;
        if (ready > 0 && waits[1].revents)
            take_talk(stream);
        if (ready > 0 && waits[0].revents && !take_output(stream, sink, chunk, &ended, err))
            return false;
    }
    return true;
}

bool dump_stream_run(Log *log, DumpStream *stream, const DumpSink *sink, Error *err)
{
    int status = 0;
    _cleanup_free_ char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return error_set(err, ERR_FAILED, "out of memory");
    if (!pump(stream, sink, chunk, err) || !process_wait(&stream->process, &status, err))
        return false;
    const char *talk = str_trim(stream->talk.data);
    if (status != 0)
        return error_set(err, ERR_FAILED, "pg_dump ended with status %d%s%s", status,
                         *talk ? ": " : "", talk);
    if (*talk)
        log_warn(log, "%s", talk);
    return true;
}

void dump_stream_release(DumpStream *stream)
{
    process_kill(&stream->process);
    buffer_free(&stream->talk);
    *stream = (DumpStream){0};
}
