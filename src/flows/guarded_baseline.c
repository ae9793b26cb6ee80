/* A database taken over: evidence says what was there at the start. */
#include "base/clock.h"
#include "flows/guarded_internal.h"

typedef struct {
    Guard guard;
    const char *fingerprint; /* of the schema as it was found; NULL: not read yet */
    DatabaseIdentity identity;
} Start;

/* Once for all entries: nothing ran between them. */
static bool look(Start *start, Session *session, Error *err)
{
    const Guard *guard = &start->guard;
    if (start->fingerprint)
        return true;
    Schema *schema = arena_alloc(guard->arena, sizeof(*schema));
    if (!session_identity(session, guard->arena, &start->identity, err) ||
        !guard_schema_read(guard, session, schema, err) ||
        !guard_schema_remember(guard, schema, err))
        return false;
    start->fingerprint = schema->fingerprint;
    return true;
}

/* By this baseline, or by one before it. */
static bool is_known(const Start *start, const MigrateStep *step, bool *known, Error *err)
{
    const Guard *guard = &start->guard;
    const DatabaseIdentity *identity = &start->identity;
    Evidence *items = NULL;
    size_t count = 0;
    *known = false;
    if (!state_evidence_list(guard->state, guard->arena, step->name, &items, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        *known = *known || (str_equal(items[i].kind, "baseline") &&
                            str_equal(items[i].up_checksum, step->script.checksum) &&
                            str_equal(items[i].system_identifier, identity->system_identifier) &&
                            str_equal(items[i].database, identity->database));
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
    bool known = false;
    if (!look(start, session, err) || !is_known(start, step, &known, err))
        return false;
    if (known)
        return true;
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
    Start start = {.guard = {arena, log, state, target, session, options, spec}};
    options->applied = applied;
    options->guardian = &start;
    bool done = migrate_baseline(arena, options, what, baseline, err);
    options->applied = NULL;
    options->guardian = NULL;
    return done;
}
