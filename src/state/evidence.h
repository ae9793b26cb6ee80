/* What was proved of a migration, and where: kept outside the database that proved it, because
 * restoring production into staging must not erase it. Travels as a file between hosts.
 *
 * Records form a chain: each has the hash of the one before it (of the same origin) in its own
 * hash, SHA-256 over the previous hash, a newline, and the record as canonical JSON (sorted keys,
 * no spaces). Origin is a random name that a state directory gives itself once. A file that lacks a
 * record, or has one changed, does not import. The chain has no key: it finds damage and edits by
 * hand, not a forger who computes all of it anew. */
#pragma once

#include "base/buffer.h"
#include "base/json.h"
#include "state/state.h"

typedef struct {
    const char *name;          /* of the migration in the ledger */
    const char *up_checksum;   /* migrate/files.h */
    const char *down_checksum; /* "" where there is no down */
    int server_major;
    const char *fingerprint_before, *fingerprint_after; /* pg/schema.h; "" not known */
    const char *roundtrip;        /* "passed", "failed", "not_possible", "no_down", "not_run" */
    const char *roundtrip_detail; /* why, or what differed; "" */
    int64_t lint_errors, lint_warnings; /* -1: not linted */
    int64_t duration_ms;
    const char *env;  /* "staging"; "production" for baselines */
    const char *kind; /* "up", "baseline" */
    const char *system_identifier, *database;
    int64_t recorded_at; /* unix s */
    /* Filled by the store. */
    const char *origin;
    int64_t sequence; /* within its origin, from 1 */
    const char *previous, *hash;
} Evidence;

/* Ends what was begun of its database. */
bool state_evidence_add(State *state, Arena *arena, const Evidence *evidence,
                        Error *err) MUST_CHECK;
/* What is about to run, with all that is known of it before; one at a time of a database. A run
 * that is killed between its commit and its evidence leaves it, and the next run can add it. */
bool state_evidence_begin(State *state, Arena *arena, const Evidence *evidence,
                          Error *err) MUST_CHECK;
/* *evidence NULL: nothing was begun. */
bool state_evidence_begun(State *state, Arena *arena, const char *system_identifier,
                          const char *database, Evidence **evidence, Error *err) MUST_CHECK;
/* Forgets what was begun: it did not come to run. */
bool state_evidence_end(State *state, const char *system_identifier, const char *database,
                        Error *err) MUST_CHECK;
/* Newest first; name NULL: all. A record that does not belong to its chain (the state file was
 * edited) is ERR_PROBLEMS naming it. */
bool state_evidence_list(State *state, Arena *arena, const char *name, Evidence **items,
                         size_t *count, Error *err) MUST_CHECK;

/* Snapshots of schemas by their fingerprint, so that a fingerprint which does not match can be
 * shown as what differs. json is pg/schema.h's, whose reader checks the fingerprint. */
bool state_schema_remember(State *state, const char *fingerprint, const char *json,
                           Error *err) MUST_CHECK;
/* *json NULL: not at hand. */
bool state_schema_recall(State *state, Arena *arena, const char *fingerprint, const char **json,
                         Error *err) MUST_CHECK;

/* One JSON object a record and line, in the order of the chain; every origin that is known. Behind
 * them the snapshots of the schemas that they name. count is of records. */
bool state_evidence_export(State *state, Arena *arena, Buffer *lines, size_t *count,
                           Error *err) MUST_CHECK;
/* Adds what is new of a file's text. ERR_PROBLEMS names the line that breaks the chain, or that
 * contradicts what is here; nothing is added then. */
bool state_evidence_import(State *state, Arena *arena, const char *text, size_t length,
                           const char *what, size_t *added, size_t *known, Error *err) MUST_CHECK;
