#include "state/evidence.h"

#include "base/str.h"
#include "state/evidence_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define ORIGIN_BYTES 16

/* ---- a record as JSON -------------------------------------------------------------------- */

/* The members of a record, once for writing and reading. */
static const struct {
    const char *key;
    size_t offset;
} texts[] =
    {
        {"database", offsetof(Evidence, database)},
        {"down_checksum", offsetof(Evidence, down_checksum)},
        {"env", offsetof(Evidence, env)},
        {"fingerprint_after", offsetof(Evidence, fingerprint_after)},
        {"fingerprint_before", offsetof(Evidence, fingerprint_before)},
        {"kind", offsetof(Evidence, kind)},
        {"name", offsetof(Evidence, name)},
        {"origin", offsetof(Evidence, origin)},
        {"roundtrip", offsetof(Evidence, roundtrip)},
        {"roundtrip_detail", offsetof(Evidence, roundtrip_detail)},
        {"system_identifier", offsetof(Evidence, system_identifier)},
        {"up_checksum", offsetof(Evidence, up_checksum)},
},
  numbers[] = {
      {"duration_ms", offsetof(Evidence, duration_ms)},
      {"lint_errors", offsetof(Evidence, lint_errors)},
      {"lint_warnings", offsetof(Evidence, lint_warnings)},
      {"recorded_at", offsetof(Evidence, recorded_at)},
      {"sequence", offsetof(Evidence, sequence)},
};

static json_t *to_json(const Evidence *evidence)
{
    const char *base = (const char *)evidence;
    json_t *record = json_object();
    (void)json_object_set_new(record, "format", json_string(EVIDENCE_FORMAT));
    (void)json_object_set_new(record, "server_major", json_integer(evidence->server_major));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = NULL;
        memcpy(&text, base + texts[i].offset, sizeof(text));
        (void)json_object_set_new(record, texts[i].key, json_text(text ? text : ""));
    }
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        int64_t number = 0;
        memcpy(&number, base + numbers[i].offset, sizeof(number));
        (void)json_object_set_new(record, numbers[i].key, json_integer(number));
    }
    return record;
}

static bool no_member(const char *what, const char *key, Error *err)
{
    return error_set(err, ERR_PROBLEMS, "%s has no %s, so it is no evidence of vaxdb", what, key);
}

bool evidence_from_json(Arena *arena, const json_t *record, const char *what, Evidence *evidence,
                        Error *err)
{
    char *base = (char *)evidence;
    *evidence = (Evidence){0};
    if (!str_equal(json_get_text(record, "format", NULL), EVIDENCE_FORMAT))
        return error_set(err, ERR_PROBLEMS, "%s is no evidence that this vaxdb can read (\"%s\")",
                         what, EVIDENCE_FORMAT);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = json_get_text(record, texts[i].key, NULL);
        if (!text)
            return no_member(what, texts[i].key, err);
        text = arena_strdup(arena, text);
        memcpy(base + texts[i].offset, &text, sizeof(text));
    }
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (!json_is_integer(json_object_get(record, numbers[i].key)))
            return no_member(what, numbers[i].key, err);
        int64_t number = json_get_int(record, numbers[i].key, 0);
        memcpy(base + numbers[i].offset, &number, sizeof(number));
    }
    int64_t major = json_get_int(record, "server_major", -1);
    if (major < 0 || major > INT32_MAX)
        return no_member(what, "server_major", err);
    evidence->server_major = (int)major;
    return true;
}

char *evidence_canonical(Arena *arena, const json_t *record)
{
    _cleanup_free_ char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
    return arena_strdup(arena, text ? text : "");
}

void evidence_hash(const char *previous, const char *canonical, char hex[HASH_HEX_SIZE])
{
    _cleanup_hash_ HashStream *hash = hash_create();
    hash_update(hash, previous, strlen(previous));
    hash_update(hash, "\n", 1);
    hash_update(hash, canonical, strlen(canonical));
    hash_finish(hash, hex);
}

/* ---- adding ------------------------------------------------------------------------------ */

/* The name of this state directory's chain; made with its first record. */
static bool read_origin(State *state, Arena *arena, const char **origin, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    if (!state_prepare(state, &statement, err, "SELECT origin FROM evidence_origin", "") ||
        !state_step(state, statement, &row, err))
        return false;
    *origin = row ? state_text(arena, statement, 0) : NULL;
    return true;
}

static bool need_origin(State *state, Arena *arena, const char **origin, Error *err)
{
    unsigned char noise[ORIGIN_BYTES];
    if (!read_origin(state, arena, origin, err))
        return false;
    if (*origin)
        return true;
    if (getrandom(noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
        return error_set_errno(err, ERR_FAILED, errno, "the system gives no random bytes");
    char *name = arena_alloc(arena, 2 * sizeof(noise) + 1);
    for (size_t i = 0; i < sizeof(noise); i++) {
        name[2 * i] = "0123456789abcdef"[noise[i] >> 4];
        name[2 * i + 1] = "0123456789abcdef"[noise[i] & 15];
    }
    *origin = name;
    return state_run(state, err, "INSERT INTO evidence_origin VALUES (1, ?1)", "s", name);
}

static bool read_last(State *state, Arena *arena, const char *origin, int64_t *sequence,
                      const char **hash, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    if (!state_prepare(state, &statement, err,
                       "SELECT sequence, hash FROM evidence WHERE origin = ?1 "
                       "ORDER BY sequence DESC LIMIT 1",
                       "s", origin) ||
        !state_step(state, statement, &row, err))
        return false;
    *sequence = row ? sqlite3_column_int64(statement, 0) : 0;
    *hash = row ? state_text(arena, statement, 1) : "";
    return true;
}

bool evidence_insert(State *state, const Evidence *evidence, const char *canonical, Error *err)
{
    return state_run(state, err, "INSERT INTO evidence VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     "sisisss", evidence->origin, evidence->sequence, evidence->name,
                     evidence->recorded_at, evidence->previous, evidence->hash, canonical);
}

static bool append(State *state, Arena *arena, const Evidence *given, Error *err)
{
    Evidence evidence = *given;
    char hex[HASH_HEX_SIZE];
    if (!need_origin(state, arena, &evidence.origin, err) ||
        !read_last(state, arena, evidence.origin, &evidence.sequence, &evidence.previous, err))
        return false;
    evidence.sequence++;
    _cleanup_json_ json_t *record = to_json(&evidence);
    const char *canonical = evidence_canonical(arena, record);
    evidence_hash(evidence.previous, canonical, hex);
    evidence.hash = hex;
    return evidence_insert(state, &evidence, canonical, err);
}

/* The transaction takes the write lock before it reads: two processes do not take one number. */
bool state_evidence_add(State *state, Arena *arena, const Evidence *evidence, Error *err)
{
    Error ignored = {0};
    if (!state_run(state, err, "BEGIN IMMEDIATE", ""))
        return false;
    if (append(state, arena, evidence, err) &&
        state_evidence_end(state, evidence->system_identifier, evidence->database, err) &&
        state_run(state, err, "COMMIT", ""))
        return true;
    (void)!state_run(state, &ignored, "ROLLBACK", "");
    return false;
}

/* ---- what was begun ---------------------------------------------------------------------- */

bool state_evidence_begin(State *state, Arena *arena, const Evidence *evidence, Error *err)
{
    _cleanup_json_ json_t *record = to_json(evidence);
    return state_run(state, err, "INSERT OR REPLACE INTO evidence_begun VALUES (?1, ?2, ?3)", "sss",
                     evidence->system_identifier, evidence->database,
                     evidence_canonical(arena, record));
}

bool state_evidence_begun(State *state, Arena *arena, const char *system_identifier,
                          const char *database, Evidence **evidence, Error *err)
{
    static const char what[] = "what was begun of evidence";
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    _cleanup_json_ json_t *record = NULL;
    bool row = false;
    *evidence = NULL;
    if (!state_prepare(state, &statement, err,
                       "SELECT record FROM evidence_begun WHERE system_identifier = ?1 AND "
                       "database = ?2",
                       "ss", system_identifier, database) ||
        !state_step(state, statement, &row, err))
        return false;
    if (!row)
        return true;
    const char *text = state_text(arena, statement, 0);
    *evidence = arena_alloc(arena, sizeof(**evidence));
    return json_parse(text, strlen(text), what, &record, err) &&
           evidence_from_json(arena, record, what, *evidence, err);
}

bool state_evidence_end(State *state, const char *system_identifier, const char *database,
                        Error *err)
{
    return state_run(state, err,
                     "DELETE FROM evidence_begun WHERE system_identifier = ?1 AND database = ?2",
                     "ss", system_identifier, database);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool changed(const State *state, const char *what, Error *err)
{
    (void)error_set(err, ERR_PROBLEMS, "%s was changed in %s after it was recorded", what,
                    state->path);
    return error_hint(err, "evidence cannot be edited: bring that file back from a copy, or move "
                           "it away and run `vaxdb migrate up -e staging` anew");
}

/* A record, checked against its own hash. */
static bool read_row(State *state, Arena *arena, sqlite3_stmt *statement, Evidence *evidence,
                     Error *err)
{
    const char *what = arena_printf(arena, "evidence of %s", state_text(arena, statement, 2));
    const char *canonical = state_text(arena, statement, 5);
    const char *previous = state_text(arena, statement, 3);
    char hex[HASH_HEX_SIZE];
    _cleanup_json_ json_t *record = NULL;
    evidence_hash(previous, canonical, hex);
    if (!str_equal(hex, state_text(arena, statement, 4)))
        return changed(state, what, err);
    if (!json_parse(canonical, strlen(canonical), what, &record, err) ||
        !evidence_from_json(arena, record, what, evidence, err))
        return false;
    evidence->previous = previous;
    evidence->hash = state_text(arena, statement, 4);
    bool same = evidence->sequence == sqlite3_column_int64(statement, 1) &&
                str_equal(evidence->origin, state_text(arena, statement, 0)) &&
                str_equal(evidence->name, state_text(arena, statement, 2));
    return same || changed(state, what, err);
}

bool state_evidence_list(State *state, Arena *arena, const char *name, Evidence **items,
                         size_t *count, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    size_t capacity = 0;
    *items = NULL;
    *count = 0;
    if (!state_prepare(state, &statement, err,
                       "SELECT origin, sequence, name, previous, hash, record FROM evidence "
                       "WHERE ?1 IS NULL OR name = ?1 "
                       "ORDER BY recorded_at DESC, origin, sequence DESC",
                       "s", name))
        return false;
    for (;;) {
        bool row = false;
        Evidence evidence;
        if (!state_step(state, statement, &row, err))
            return false;
        if (!row)
            return true;
        if (!read_row(state, arena, statement, &evidence, err))
            return false;
        ARENA_PUSH(arena, *items, *count, capacity, evidence);
    }
}

/* ---- schemas ----------------------------------------------------------------------------- */

bool state_schema_remember(State *state, const char *fingerprint, const char *json, Error *err)
{
    return state_run(state, err, "INSERT OR REPLACE INTO schema_snapshots VALUES (?1, ?2)", "ss",
                     fingerprint, json);
}

bool state_schema_recall(State *state, Arena *arena, const char *fingerprint, const char **json,
                         Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = false;
    if (!state_prepare(state, &statement, err,
                       "SELECT snapshot FROM schema_snapshots WHERE fingerprint = ?1", "s",
                       fingerprint) ||
        !state_step(state, statement, &row, err))
        return false;
    *json = row ? state_text(arena, statement, 0) : NULL;
    return true;
}
