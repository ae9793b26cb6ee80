/* Sessions with a PostgreSQL server, over libpq, non-blocking underneath: every wait watches for
 * Ctrl-C (then the statement is cancelled on the server and the call returns ERR_INTERRUPTED) and
 * for the timeout.
 *
 * Errors of the server carry its SQLSTATE, its message with the detail, its hint and the position
 * in the statement. A connection that cannot be made or is lost is ERR_UNREACHABLE; everything else
 * the server says is ERR_FAILED.
 *
 * A Session is for one thread. A Result belongs to the caller: `_cleanup_result_ Result *rows`.
 * Text got from a Result lives as long as it. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Session Session;
typedef struct pg_result Result;

typedef struct {
    const char *conninfo;         /* URL or "key=value" of libpq; PG* variables complete it */
    const char *dbname;           /* replaces the database of conninfo; NULL keeps it */
    const char *application_name; /* NULL: "vaxdb" */
    int64_t connect_timeout_ms;   /* 0: 15 s */
    int64_t
        statement_timeout_ms; /* set on the server; 0: none (the server's default is overridden) */
    int64_t lock_timeout_ms;  /* likewise */
    int attempts;             /* 0: 3, from 1 s with exponential backoff and jitter; refused
                                 passwords, databases and permissions are never tried again */
    Log *log;                 /* where retries are told and notices go (debug); may be NULL */
} SessionOptions;

bool session_open(const SessionOptions *options, Session **session, Error *err) MUST_CHECK;
void session_close(Session *session); /* NULL is allowed */

static inline void cleanup_session(Session **session)
{
    session_close(*session);
}
#define _cleanup_session_ _cleanup_(cleanup_session)

/* One statement. params are text, NULL elements are SQL NULLs; their types are inferred. */
bool session_query(Session *session, const char *sql, Result **rows, Error *err) MUST_CHECK;
bool session_query_params(Session *session, const char *sql, size_t count,
                          const char *const *params, Result **rows, Error *err) MUST_CHECK;
/* Statements whose rows do not matter; simple protocol, may hold several. */
bool session_execute(Session *session, const char *sql, Error *err) MUST_CHECK;
/* Several statements in one message, none of them a COPY. The function gets each result that has
 * rows, in their order, while the server goes on with the next one. */
typedef void (*ResultFunction)(void *data, const Result *rows);
bool session_query_each(Session *session, const char *sql, ResultFunction function, void *data,
                        Error *err) MUST_CHECK;
/* How many statements of the last message ended well: of a failed one, its index. A syntax error
 * anywhere fails all of them. */
size_t session_completed(const Session *session);
/* Has a COMMIT of the last message ended well? Then what stood before it stays, whatever came
 * after. */
bool session_committed(const Session *session);
bool session_execute_params(Session *session, const char *sql, size_t count,
                            const char *const *params, Error *err) MUST_CHECK;
/* Does the server's grammar take this statement? It is parsed there and not run. Only a syntax
 * error is a failure (with its position); a table that is not there yet is not. Outside
 * transactions: a rejected statement would fail an open one. */
bool session_check_syntax(Session *session, const char *sql, Error *err) MUST_CHECK;
/* A query of exactly one row and column, as text in the arena (NULL for SQL NULL). */
bool session_scalar(Session *session, Arena *arena, const char *sql, const char **value,
                    Error *err) MUST_CHECK;

/* COPY ... FROM STDIN. After begin, call data as often as needed, then end or abort. A failed data
 * or end has left copy mode already. rows may be NULL. */
bool session_copy_begin(Session *session, const char *sql, Error *err) MUST_CHECK;
bool session_copy_data(Session *session, const void *data, size_t length, Error *err) MUST_CHECK;
bool session_copy_end(Session *session, int64_t *rows, Error *err) MUST_CHECK;
void session_copy_abort(Session *session, const char *reason);

/* COPY ... TO STDOUT: the function gets each row, in text format with its newline, in binary format
 * the tuple alone, of which what stands before the first and behind the last was checked. When it
 * returns false the COPY is cancelled on the server and its error returned. The number of rows that
 * arrived is the one that the server says it sent, or there is an error. */
typedef bool (*CopyRowFunction)(void *data, const char *row, size_t length, Error *err);
bool session_copy_out(Session *session, const char *sql, CopyRowFunction function, void *data,
                      Error *err) MUST_CHECK;

/* What the server is. Version as 150004; identity is remembered by the guards. */
int session_server_version(const Session *session);
typedef struct {
    const char *system_identifier; /* pg_control_system(); stable for the life of a cluster */
    const char *database;
} DatabaseIdentity;
bool session_identity(Session *session, Arena *arena, DatabaseIdentity *identity,
                      Error *err) MUST_CHECK;
const char *session_database(const Session *session);
int session_backend_pid(const Session *session);
/* Is a transaction open (or failed) on it? */
bool session_in_transaction(const Session *session);
bool session_is_lost(const Session *session);
/* "host=... port=... dbname=... user=..." for children and messages: never the password. */
char *session_describe(const Session *session, Arena *arena);
/* Environment additions (PGHOST=..., PGPASSWORD=..., ends in NULL) with which pg_dump, psql and
 * pg_restore reach the same database; the password never stands on a command line. */
const char *const *session_environment(const Session *session, Arena *arena);
/* Called again and again while the answer to a statement is waited for, first after interval_ms:
 * what is it doing? waited_ms counts from its sending. The function must not use this session. */
typedef void (*WaitFunction)(void *data, int64_t waited_ms);
void session_on_wait(Session *session, int64_t interval_ms, WaitFunction function, void *data);

/* Quoted for SQL, in the arena. */
char *sql_identifier(Arena *arena, const char *name);
char *sql_qualified(Arena *arena, const char *schema, const char *name);
char *sql_literal(Arena *arena, const char *text);

/* Rows. Column names that are not there are programming errors (assert). */
size_t result_rows(const Result *rows);
size_t result_columns(const Result *rows);
bool result_is_null(const Result *rows, size_t row, const char *column);
const char *result_text(const Result *rows, size_t row, const char *column); /* NULL for NULL */
const char *result_cell(const Result *rows, size_t row, size_t column);      /* NULL for NULL */
int64_t result_int64(const Result *rows, size_t row, const char *column);    /* 0 for NULL */
double result_double(const Result *rows, size_t row, const char *column);    /* 0 for NULL */
bool result_bool(const Result *rows, size_t row, const char *column);        /* false for NULL */
/* Rows a statement changed ("UPDATE 3"). */
int64_t result_affected(const Result *rows);
void result_free(Result *rows); /* NULL is allowed */

static inline void cleanup_result(Result **rows)
{
    result_free(*rows);
}
#define _cleanup_result_ _cleanup_(cleanup_result)
