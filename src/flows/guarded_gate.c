/* Production: nothing runs that staging has not proved. */
#include "base/clock.h"
#include "flows/guarded_internal.h"

/* How far a record comes towards proving a file; the first that does not hold is the reason. */
typedef enum {
    NO_RECORD,
    OTHER_UP,
    OTHER_DOWN,
    OTHER_MAJOR,
    NO_ROUND_TRIP,
    OTHER_SCHEMA,
    PROVED,
} Standing;

typedef struct {
    const Guard *guard;
    int major;
    const char *fingerprint; /* of the schema that the next file finds; "" not known */
    const Schema *schema;    /* the same; NULL: not at hand */
    const char *previous;    /* file of the plan; NULL: the first */
} Gate;

typedef struct {
    Standing standing;
    const Evidence *evidence;
    const Schema *before; /* of the evidence, where the schema differs; NULL: not at hand */
} Match;

/* ---- one record -------------------------------------------------------------------------- */

static bool round_trip_holds(const Evidence *evidence)
{
    return str_equal(evidence->roundtrip, roundtrip_verdict_name(ROUNDTRIP_PASSED)) ||
           str_equal(evidence->roundtrip, roundtrip_verdict_name(ROUNDTRIP_NOT_POSSIBLE));
}

/* Equal fingerprints, or equal once what is listed as drift by now is left out of both. */
static bool same_schema(const Gate *gate, const Evidence *evidence, Match *match, bool *same,
                        Error *err)
{
    *same =
        str_equal(evidence->fingerprint_before, gate->fingerprint) && !str_empty(gate->fingerprint);
    if (*same || str_empty(gate->fingerprint))
        return true;
    if (!guard_schema_recall(gate->guard, evidence->fingerprint_before, &match->before, err))
        return false;
    *same = match->before && gate->schema &&
            str_equal(match->before->fingerprint, gate->schema->fingerprint);
    return true;
}

static bool judge(const Gate *gate, const MigrateStep *step, const char *down,
                  const Evidence *evidence, Match *match, Error *err)
{
    bool same = step->migration->state == MIGRATION_PARTIAL; /* begun, and so let through, before */
    *match = (Match){.evidence = evidence, .standing = PROVED};
    if (!str_equal(evidence->up_checksum, step->script.checksum))
        match->standing = OTHER_UP;
    else if (!str_equal(evidence->down_checksum, down))
        match->standing = OTHER_DOWN;
    else if (evidence->server_major != gate->major)
        match->standing = OTHER_MAJOR;
    else if (!round_trip_holds(evidence))
        match->standing = NO_ROUND_TRIP;
    else if (!same && !same_schema(gate, evidence, match, &same, err))
        return false;
    else if (!same)
        match->standing = OTHER_SCHEMA;
    return true;
}

/* The newest of those that come furthest. */
static bool find_match(const Gate *gate, const MigrateStep *step, Match *best, Error *err)
{
    Evidence *items = NULL;
    size_t count = 0;
    const char *down = NULL;
    *best = (Match){.standing = NO_RECORD};
    if (!state_evidence_list(gate->guard->state, gate->guard->arena, step->name, &items, &count,
                             err) ||
        !guard_down_checksum(gate->guard->arena, step->migration->file, &down, err))
        return false;
    for (size_t i = 0; i < count && best->standing < PROVED; i++) {
        Match match;
        if (!str_equal(items[i].env, env_name(ENV_STAGING)) || !str_equal(items[i].kind, "up"))
            continue;
        if (!judge(gate, step, down, &items[i], &match, err))
            return false;
        if (match.standing > best->standing)
            *best = match;
    }
    return true;
}

/* ---- the reason -------------------------------------------------------------------------- */

static bool refuse(const Gate *gate, const MigrateStep *step, const char *why, const char *cure,
                   Error *err)
{
    const char *retry = gate->guard->spec->retry;
    (void)error_set(err, ERR_REFUSED, "production refuses %s: %s", step->name, why);
    return error_hint(err,
                      "%s\n      or pass the gate by: vaxdb migrate up %s --skip-staging REASON",
                      cure, retry);
}

static const char *schema_reason(const Gate *gate, const Match *match)
{
    Arena *arena = gate->guard->arena;
    const Evidence *evidence = match->evidence;
    if (str_empty(evidence->fingerprint_before))
        return "staging ran it in pieces, so what was there before is not known";
    const char *differs = match->before && gate->schema
                              ? guard_schema_difference(gate->guard, match->before, gate->schema)
                              : ", and no snapshot of staging's is at hand to show how";
    return arena_printf(arena,
                        "the schema that it would find is not the one that staging ran it on "
                        "(%.10s)%s",
                        clock_iso_utc(arena, evidence->recorded_at), differs);
}

static bool explain(const Gate *gate, const MigrateStep *step, const Match *match, Error *err)
{
    static const char *const again =
        "vaxdb migrate down -e staging, then vaxdb migrate up -e staging, prove it as it is now";
    Arena *arena = gate->guard->arena;
    const Evidence *evidence = match->evidence;
    switch (match->standing) {
    case NO_RECORD:
        return refuse(gate, step, "staging has not run it",
                      "vaxdb migrate up -e staging; where it is applied there already: vaxdb "
                      "migrate redo -e staging\n      or, where staging is on another host: vaxdb "
                      "migrate evidence import FILE",
                      err);
    case OTHER_UP:
        return refuse(gate, step,
                      arena_printf(arena,
                                   "it was changed since staging ran it (%.8s there, %.8s "
                                   "here)",
                                   evidence->up_checksum, step->script.checksum),
                      again, err);
    case OTHER_DOWN:
        return refuse(gate, step, "its down was changed since staging proved it", again, err);
    case OTHER_MAJOR:
        return refuse(gate, step,
                      arena_printf(arena, "staging ran it on PostgreSQL %d, this is %d",
                                   evidence->server_major, gate->major),
                      "bring staging to the same major version, then: vaxdb migrate up -e staging",
                      err);
    case NO_ROUND_TRIP:
        return refuse(gate, step,
                      arena_printf(arena, "its round trip in staging is \"%s\"%s%s",
                                   evidence->roundtrip, evidence->roundtrip_detail[0] ? ": " : "",
                                   evidence->roundtrip_detail),
                      again, err);
    case OTHER_SCHEMA:
        if (str_empty(gate->fingerprint))
            return refuse(gate, step,
                          arena_printf(arena,
                                       "staging was interrupted after %s, so what this one would "
                                       "find is not known before that has run here",
                                       gate->previous),
                          arena_printf(arena, "vaxdb migrate up %s --to %s, then the rest",
                                       gate->guard->spec->retry, gate->previous),
                          err);
        return refuse(gate, step, schema_reason(gate, match),
                      "restore a backup of production into staging, then: vaxdb migrate up -e "
                      "staging\n      or list what may differ: drift_ignore in vaxdb.ini",
                      err);
    case PROVED:
        break;
    }
    return true;
}

/* ---- the plan ---------------------------------------------------------------------------- */

bool guard_gate_check(const Guard *guard, const MigrateReview *review, StrList *warnings,
                      const char **after, Error *err)
{
    Schema *live = arena_alloc(guard->arena, sizeof(*live));
    if (!guard_schema_read(guard, review->session, live, err))
        return false;
    Gate gate = {.guard = guard,
                 .major = session_server_version(review->session) / 10000,
                 .fingerprint = live->fingerprint,
                 .schema = live};
    for (size_t i = 0; i < review->plan->count; i++) {
        const MigrateStep *step = &review->plan->steps[i];
        Match match;
        if (!find_match(&gate, step, &match, err))
            return false;
        if (match.standing != PROVED)
            return explain(&gate, step, &match, err);
        if (!str_equal(match.evidence->roundtrip, roundtrip_verdict_name(ROUNDTRIP_PASSED)))
            str_list_addf(warnings, "%s: staging could not make a round trip: %s", step->name,
                          match.evidence->roundtrip_detail);
        gate.fingerprint = match.evidence->fingerprint_after;
        gate.previous = step->name;
        if (!guard_schema_recall(guard, gate.fingerprint, &gate.schema, err))
            return false;
    }
    *after = gate.fingerprint;
    return true;
}

bool guard_gate_compare(const Guard *guard, const char *after, StrList *warnings, Error *err)
{
    Schema live;
    const Schema *expected = NULL;
    if (!guard_schema_read(guard, guard->session, &live, err) ||
        !guard_schema_recall(guard, after, &expected, err))
        return false;
    if (str_equal(live.fingerprint, expected ? expected->fingerprint : after))
        return true;
    str_list_addf(warnings, "THE SCHEMA IS NOT WHAT IT WAS IN STAGING after the same migrations%s",
                  expected ? guard_schema_difference(guard, expected, &live) : "");
    return true;
}
