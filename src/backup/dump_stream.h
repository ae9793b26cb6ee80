/* A running pg_dump and what it writes. */
#pragma once

#include "backup/pg_dump.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/process.h"
#include "pg/session.h"

typedef struct {
    Process process;
    Buffer talk; /* the last of its stderr */
} DumpStream;

/* Runs `pg_dump --format=plain ARGUMENTS...` on the database of session; arguments ends in NULL.
 * The caller releases the stream whatever happens. */
bool dump_stream_start(Arena *arena, const PgDump *tool, const Session *session,
                       const char *const *arguments, DumpStream *stream, Error *err) MUST_CHECK;

/* take gets every piece of the dump; watch (may be NULL) is asked several times a second whether to
 * go on. */
typedef struct {
    bool (*take)(void *data, const char *bytes, size_t length, Error *err);
    bool (*watch)(void *data, Error *err);
    void *data;
} DumpSink;

/* Until its end. The exit status counts as much as the text: a dump that stopped midway may end
 * well-formed enough. */
bool dump_stream_run(Log *log, DumpStream *stream, const DumpSink *sink, Error *err) MUST_CHECK;
/* Ends pg_dump where it still runs. */
void dump_stream_release(DumpStream *stream);
#define _cleanup_dump_stream_ _cleanup_(dump_stream_release)
