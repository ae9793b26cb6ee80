/* A database taken over: evidence says what was there at the start. */
#include "base/clock.h"
#include "flows/guarded_internal.h"

typedef struct {
    Guard guard;
    const char *fingerprint; /* of the schema as it was found; NULL: not read yet */
    DatabaseIdentity identity;
    json_t *known; /* "CHECKSUM\nNAME" of what evidence tells of already */
} Start;

static const char *key_of(Arena *arena, const char *name, const char *checksum)
{
    return arena_printf(arena, "%s\n%s", checksum, name);
}

/* What this baseline or one before it has recorded of this database: all at once, since entries may
 * be thousands. */
static bool list_known(Start *start, Error *err)
{
    const Guard *guard = &start->guard;
    const DatabaseIdentity *identity = &start->identity;
    Evidence *items = NULL;
    size_t count = 0;
    if (!state_evidence_list(guard->state, guard->arena, NULL, &items, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const Evidence *item = &items[i];
        if (str_equal(item->kind, "baseline") &&
            str_equal(item->system_identifier, identity->system_identifier) &&
            str_equal(item->database, identity->database))
            (void)json_object_set_new(
                start->known, key_of(guard->arena, item->name, item->up_checksum), json_true());
    }
    return true;
}

/* Once for all entries: nothing ran between them. */
static bool look(Start *start, Session *session, Error *err)
{
    const Guard *guard = &start->guard;
    if (start->fingerprint)
        return true;
    Schema *schema = arena_alloc(guard->arena, sizeof(*schema));
    if (!session_identity(session, guard->arena, &start->identity, err) ||
        !list_known(start, err) || !guard_schema_read(guard, session, schema, err) ||
        !guard_schema_remember(guard, schema, err))
        return false;
    start->fingerprint = schema->fingerprint;
    return true;
}

static bool add(Start *start, const MigrateStep *step, Session *session, Error *err)
{
    const Guard *guard = &start->guard;
    Evidence evidence = {.name = step->name,
                         .up_checksum = step->script.checksum,
                         .server_major = session_server_version(session) / 10000,
                         .fingerprint_before = "",
                         .roundtrip = roundtrip_verdict_name(ROUNDTRIP_NOT_RUN),
                         .roundtrip_detail = "entered by a baseline",
                         .lint_errors = -1,
                         .lint_warnings = -1,
                         .env = env_name(guard->target->guard),
                         .kind = "baseline",
                         .recorded_at = clock_unix_s()};
    if (!look(start, session, err))
        return false;
    const char *key = key_of(guard->arena, step->name, step->script.checksum);
    if (json_object_get(start->known, key))
        return true;
    (void)json_object_set_new(start->known, key, json_true());
    if (!guard_down_checksum(guard->arena, step->migration->file, &evidence.down_checksum, err))
        return false;
    evidence.fingerprint_after = start->fingerprint;
    evidence.system_identifier = start->identity.system_identifier;
    evidence.database = start->identity.database;
    return state_evidence_add(guard->state, guard->arena, &evidence, err);
}

static bool applied(void *data, const MigrateStep *step, Session *session, int64_t duration_ms,
                    Error *err)
{
    (void)duration_ms;
    return add(data, step, session, err) ||
           error_context(err, "the baseline is entered, but no evidence of %s was recorded",
                         step->name);
}

bool guarded_baseline(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                      MigrateOptions *options, const BaselineSpec *what, const GuardSpec *spec,
                      MigrateBaseline *baseline, Error *err)
{
    _cleanup_json_ json_t *known = json_object();
    Start start = {.guard = {arena, log, state, target, session, options, spec}, .known = known};
    options->applied = applied;
    options->guardian = &start;
    bool done = migrate_baseline(arena, options, what, baseline, err);
    options->applied = NULL;
    options->guardian = NULL;
    return done;
}
