/* Evidence between hosts that cannot see each other: a file of lines. */
#include "base/str.h"
#include "state/evidence_internal.h"

#include <string.h>

/* A line is {"hash": H, "previous": P, "record": {...}}, or for a snapshot
 * {"fingerprint": F, "sha256": of the canonical snapshot, "snapshot": {...}}. */

/* ---- export ------------------------------------------------------------------------------ */

static bool add_line(Buffer *lines, json_t *line)
{
    _cleanup_json_ json_t *owned = line;
    _cleanup_free_ char *text = json_dumps(owned, JSON_COMPACT | JSON_SORT_KEYS);
    return text && buffer_append_str(lines, text) && buffer_append_char(lines, '\n');
}

static bool export_records(State *state, Arena *arena, Buffer *lines, size_t *count, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    bool row = true;
    if (!state_prepare(state, &statement, err,
                       "SELECT hash, previous, record FROM evidence ORDER BY origin, sequence", ""))
        return false;
    for (*count = 0;; (*count)++) {
        _cleanup_json_ json_t *record = NULL;
        if (!state_step(state, statement, &row, err))
            return false;
        if (!row)
            return true;
        const char *text = state_text(arena, statement, 2);
        if (!json_parse(text, strlen(text), "a record", &record, err))
            return false;
        if (!add_line(lines,
                      json_pack("{s:s, s:s, s:O}", "hash", state_text(arena, statement, 0),
                                "previous", state_text(arena, statement, 1), "record", record)))
            return buffer_check(lines, "the evidence", err);
    }
}

static bool export_snapshot(State *state, Arena *arena, Buffer *lines, const char *fingerprint,
                            Error *err)
{
    const char *text = NULL;
    char hex[HASH_HEX_SIZE];
    _cleanup_json_ json_t *snapshot = NULL;
    if (!state_schema_recall(state, arena, fingerprint, &text, err))
        return false;
    if (!text)
        return true;
    if (!json_parse(text, strlen(text), "a schema", &snapshot, err))
        return false;
    const char *canonical = evidence_canonical(arena, snapshot);
    hash_bytes(canonical, strlen(canonical), hex);
    return add_line(lines, json_pack("{s:s, s:s, s:O}", "fingerprint", fingerprint, "sha256", hex,
                                     "snapshot", snapshot)) ||
           buffer_check(lines, "the evidence", err);
}

bool state_evidence_export(State *state, Arena *arena, Buffer *lines, size_t *count, Error *err)
{
    Evidence *items = NULL;
    size_t all = 0;
    StrList told;
    str_list_init(&told, arena);
    /* The list checks each record; what was edited does not leave this host. */
    if (!state_evidence_list(state, arena, NULL, &items, &all, err) ||
        !export_records(state, arena, lines, count, err))
        return false;
    for (size_t i = 0; i < all; i++) {
        const char *both[] = {items[i].fingerprint_before, items[i].fingerprint_after};
        for (size_t at = 0; at < COUNT_OF(both); at++) {
            if (str_empty(both[at]) || str_list_has(&told, both[at]))
                continue;
            str_list_add(&told, both[at]);
            if (!export_snapshot(state, arena, lines, both[at], err))
                return false;
        }
    }
    return true;
}

/* ---- import ------------------------------------------------------------------------------ */

typedef struct {
    State *state;
    Arena *arena;
    const char *what;   /* the file, for messages */
    int line;           /* in it */
    const char *origin; /* of the record before; NULL: none yet */
    int64_t sequence;
    const char *hash;
    StrList finished; /* origins whose records have ended */
    size_t added, known;
} Import;

static bool bad_line(const Import *import, const char *why, Error *err)
{
    (void)error_set(err, ERR_PROBLEMS, "%s, line %d: %s", import->what, import->line, why);
    return error_hint(err, "nothing was imported; export it again where it was recorded: "
                           "`vaxdb migrate evidence export FILE`");
}

/* The record follows the one before it, or begins the chain of its origin. */
static bool check_chain(Import *import, const Evidence *evidence, const char *canonical, Error *err)
{
    char hex[HASH_HEX_SIZE];
    bool begins = !str_equal(import->origin, evidence->origin);
    if (begins && str_list_has(&import->finished, evidence->origin))
        return bad_line(import, "its origin ended further above: lines were moved", err);
    if (begins && import->origin)
        str_list_add(&import->finished, import->origin);
    int64_t expected = begins ? 1 : import->sequence + 1;
    if (evidence->sequence != expected)
        return bad_line(import,
                        arena_printf(import->arena,
                                     "this is record %lld of its origin, expected was %lld: "
                                     "a record is missing or was moved",
                                     (long long)evidence->sequence, (long long)expected),
                        err);
    evidence_hash(evidence->previous, canonical, hex);
    if (!str_equal(hex, evidence->hash))
        return bad_line(import,
                        arena_printf(import->arena,
                                     "the evidence of %s was changed: its hash does not fit",
                                     evidence->name),
                        err);
    if (!str_equal(evidence->previous, begins ? "" : import->hash))
        return bad_line(import,
                        arena_printf(import->arena,
                                     "the evidence of %s does not continue the line before it",
                                     evidence->name),
                        err);
    import->origin = evidence->origin;
    import->sequence = evidence->sequence;
    import->hash = evidence->hash;
    return true;
}

/* What is here under the same number must be the same. */
static bool find_known(Import *import, const Evidence *evidence, bool *known, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    if (!state_prepare(import->state, &statement, err,
                       "SELECT hash FROM evidence WHERE origin = ?1 AND sequence = ?2", "si",
                       evidence->origin, evidence->sequence) ||
        !state_step(import->state, statement, known, err))
        return false;
    if (!*known || str_equal(state_text(import->arena, statement, 0), evidence->hash))
        return true;
    return bad_line(import,
                    arena_printf(import->arena,
                                 "the evidence of %s contradicts what is here under the same "
                                 "number (was a state directory copied?)",
                                 evidence->name),
                    err);
}

static bool import_record(Import *import, const json_t *line, const json_t *record, Error *err)
{
    Evidence evidence;
    bool known = false;
    const char *where = arena_printf(import->arena, "%s, line %d", import->what, import->line);
    const char *hash = json_get_text(line, "hash", NULL);
    const char *previous = json_get_text(line, "previous", NULL);
    if (!hash || !previous)
        return bad_line(import, "it has no hash, so it is no evidence of vaxdb", err);
    if (!evidence_from_json(import->arena, record, where, &evidence, err))
        return error_hint(err, "nothing was imported");
    evidence.hash = arena_strdup(import->arena, hash);
    evidence.previous = arena_strdup(import->arena, previous);
    const char *canonical = evidence_canonical(import->arena, record);
    if (!check_chain(import, &evidence, canonical, err) ||
        !find_known(import, &evidence, &known, err))
        return false;
    if (known)
        import->known++;
    else if (evidence_insert(import->state, &evidence, canonical, err))
        import->added++;
    else
        return false;
    return true;
}

static bool import_snapshot(Import *import, const json_t *line, const json_t *snapshot, Error *err)
{
    char hex[HASH_HEX_SIZE];
    const char *fingerprint = json_get_text(line, "fingerprint", "");
    const char *canonical = evidence_canonical(import->arena, snapshot);
    hash_bytes(canonical, strlen(canonical), hex);
    if (!str_equal(hex, json_get_text(line, "sha256", NULL)))
        return bad_line(import, "the snapshot of a schema was changed: its hash does not fit", err);
    return state_schema_remember(import->state, fingerprint, canonical, err);
}

static bool import_line(Import *import, const char *text, size_t length, Error *err)
{
    Error syntax = {0};
    _cleanup_json_ json_t *line = NULL;
    if (!json_parse(text, length, "it", &line, &syntax))
        return bad_line(import, arena_strdup(import->arena, syntax.message), err);
    const json_t *record = json_object_get(line, "record");
    const json_t *snapshot = json_object_get(line, "snapshot");
    if (json_is_object(record))
        return import_record(import, line, record, err);
    if (json_is_object(snapshot))
        return import_snapshot(import, line, snapshot, err);
    return bad_line(import, "it is no evidence of vaxdb", err);
}

static bool import_lines(Import *import, const char *text, size_t length, Error *err)
{
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at : length - at;
        import->line++;
        if (size > 0 && !import_line(import, text + at, size, err))
            return false;
        at += size + 1;
    }
    import->line = import->line ? import->line : 1;
    return import->added + import->known > 0 || bad_line(import, "there is no evidence in it", err);
}

bool state_evidence_import(State *state, Arena *arena, const char *text, size_t length,
                           const char *what, size_t *added, size_t *known, Error *err)
{
    Error ignored = {0};
    Import import = {.state = state, .arena = arena, .what = what, .hash = ""};
    str_list_init(&import.finished, arena);
    if (!state_run(state, err, "BEGIN IMMEDIATE", ""))
        return false;
    if (import_lines(&import, text, length, err) && state_run(state, err, "COMMIT", "")) {
        *added = import.added;
        *known = import.known;
        return true;
    }
    (void)!state_run(state, &ignored, "ROLLBACK", "");
    return false;
}
